// Guarantees: whether texts have words is found in a time that grows with the length of the texts and hardly with that of
// the words. SQLite's LIKE and GLOB are the fastest for short words, but begin anew at each character: a long word in texts
// that repeat themselves would hold up everything else for seconds, so for those there is a function.
// An attacker may control: the texts and, with a stolen page session, the words.
import type { DatabaseSync } from 'node:sqlite';

/** Each word as it may stand there: one spelling is enough. */
export type Words = readonly (readonly string[])[];

export interface WordsCondition {
  /** True where each word stands in one of the columns, whatever the case. */
  readonly sql: string;
  /** By the names in `sql`, which begin with the given one. */
  readonly values: Readonly<Record<string, string>>;
}

/** Characters of all words together that LIKE may look for. */
const SHORT = 24;

/** `columns`: expressions of a statement, never what somebody typed. */
export function wordsCondition(name: string, words: Words, columns: readonly string[]): WordsCondition {
  const length = words.reduce((sum, [word = '']) => sum + word.length, 0);
  if (length > SHORT) {
    return { sql: `has_words(:${name}, ${columns.join(', ')})`, values: { [name]: wordsValue(words) } };
  }
  const values: Record<string, string> = {};
  const each = words.map((spellings, word) => {
    const places = [...new Set(spellings)].flatMap((spelling, index) => {
      const like = `${name}${word}_${index}`;
      values[like] = likePattern(spelling);
      const glob = globPattern(spelling);
      if (glob !== null) values[`${like}_glob`] = glob;
      return columns.map((column) => {
        const found = `${column} LIKE :${like} ESCAPE '\\'`;
        return glob === null ? found : `${found} AND ${column} GLOB :${like}_glob`;
      });
    });
    return `(${places.join(' OR ')})`;
  });
  return { sql: each.join(' AND '), values };
}

/** The value of the first argument of `has_words`. */
export function wordsValue(words: Words): string {
  return JSON.stringify(words.map((spellings) => spellings.map(folded)));
}

/** `has_words(words, text, …)`: 1 where each word stands in one of the texts, whatever the case. */
export function addHasWords(connection: DatabaseSync): void {
  // The same for all rows of a statement.
  let value = '[]';
  let words: Words = [];
  connection.function(
    'has_words',
    { varargs: true, deterministic: true, directOnly: true },
    (wanted, ...columns) => {
      if (typeof wanted === 'string' && wanted !== value) {
        words = JSON.parse(wanted) as Words;
        value = wanted;
      }
      const texts = columns.map((column) => (typeof column === 'string' ? folded(column) : ''));
      const all = words.every((spellings) =>
        spellings.some((spelling) => texts.some((text) => text.includes(spelling))),
      );
      return all ? 1 : 0;
    },
  );
}

/** The Greek sigma has two small forms, of which only its place decides. */
function folded(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}

/** LIKE knows the two cases of A to Z alone; every other character may be any here, and GLOB decides. */
function likePattern(word: string): string {
  const escaped = [...word].map((char) => (/[%_\\]/.test(char) ? `\\${char}` : char > '\u007f' ? '_' : char));
  return `%${escaped.join('')}%`;
}

/** The word in both cases of each character; null where LIKE is exact already. */
function globPattern(word: string): string | null {
  const chars = [...word];
  if (chars.every((char) => char <= '\u007f')) return null;
  const one = (char: string): string => {
    const upper = char.toUpperCase();
    const cases = [char, char.toLowerCase(), upper, ...(upper === 'Σ' ? 'σς' : '')].filter(
      (each) => [...each].length === 1,
    );
    const set = [...new Set(cases)].join('');
    // A caret alone in brackets would say "none of".
    return set === '^' || set === ']' ? set : `[${set}]`;
  };
  return `*${chars.map(one).join('')}*`;
}

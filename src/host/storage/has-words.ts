// Guarantees: whether texts have words is found in a time that grows with the length of the texts, not with that times the
// length of a word: SQLite's LIKE and GLOB begin anew at each character, so that a long word in a text that repeats itself
// would hold up everything else for seconds.
// An attacker may control: the texts and, with a stolen page session, the words.
import type { DatabaseSync } from 'node:sqlite';

/** Each word as it may stand there: one spelling is enough. */
export type Words = readonly (readonly string[])[];

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

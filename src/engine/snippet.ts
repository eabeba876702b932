const BEFORE = 32;
const LENGTH = 160;

/** One line around the first of the words that stands in a text; its beginning when none does. At most 162 characters. */
export function snippetOf(text: string, words: readonly string[]): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const folded = line.toLowerCase();
  const places = words.map((word) => folded.indexOf(word.toLowerCase())).filter((place) => place !== -1);
  const start = Math.max(0, (places.length === 0 ? 0 : Math.min(...places)) - BEFORE);
  const cut = line
    .slice(start, start + LENGTH)
    .toWellFormed()
    .trim();
  return `${start > 0 ? '…' : ''}${cut}${start + LENGTH < line.length ? '…' : ''}`;
}

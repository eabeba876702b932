// Guarantees: a part of the system prompt stands inside its tag, which nothing in it can close, and in which no other part
// can be opened: every `<` before the name of a part is written as `&lt;`, in whatever case, spacing, script or
// invisible characters that name comes. A part is at most 64 KiB of UTF-8, its notice of a cut included.
// Does not: make the model obey, nor keep a text from asking for something in plain words.
// An attacker may control: the whole body.

/** Bytes of the body of one part. */
export const PART_BYTES = 64 * 1024;
/** Room for the notice and its line break. */
const NOTICE_BYTES = 512;

/** Names of the parts; of the last one only the beginning. */
export const TAGS = [
  'openpact',
  'identity',
  'user-profile',
  'long-term-memory',
  'todays-memory',
  'skills',
] as const;

/** As they are looked for: letters only. */
const LETTERS = TAGS.map((tag) => tag.replaceAll('-', ''));
const LONGEST = Math.max(...LETTERS.map((name) => name.length));

/** `<` and the characters that some readers make the same of. */
const OPENING = /[<\u{FE64}\u{FF1C}]/gu;

/** Letters of other scripts that look like those of the names. */
const LOOKALIKES = new Map(
  Object.entries({
    а: 'a',
    ɑ: 'a',
    α: 'a',
    с: 'c',
    ϲ: 'c',
    ԁ: 'd',
    е: 'e',
    ɡ: 'g',
    і: 'i',
    ι: 'i',
    к: 'k',
    κ: 'k',
    ӏ: 'l',
    м: 'm',
    п: 'n',
    о: 'o',
    ο: 'o',
    օ: 'o',
    р: 'p',
    ρ: 'p',
    г: 'r',
    ѕ: 's',
    т: 't',
    τ: 't',
    υ: 'u',
    у: 'y',
    γ: 'y',
  }),
);

/** A part with its tags; undefined when there is nothing to say. `source` is told where the text was cut. */
export function contextPart(tag: string, text: string, source: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const bytes = Buffer.byteLength(trimmed);
  // Cut once before the work and once after it: a `<` grows.
  const safe = withoutTags(cut(trimmed, PART_BYTES));
  const whole = bytes <= PART_BYTES && Buffer.byteLength(safe) <= PART_BYTES;
  const body = whole
    ? safe
    : `${cut(safe, PART_BYTES - NOTICE_BYTES)}\n[Cut here: ${source} is ${bytes} bytes long, more than fits into ${PART_BYTES}.]`;
  return `<${tag}>\n${body}\n</${tag}>`;
}

/** The text with every `<` disarmed that stands before the name of a part. */
export function withoutTags(text: string): string {
  return text.replace(OPENING, (sign, at: number) => (namesPart(text, at + 1) ? '&lt;' : sign));
}

/** Only letters and digits count; a bracket ends the search, so that a text is read once however many it has. */
function namesPart(text: string, from: number): boolean {
  let read = '';
  for (let at = from; at < text.length && read.length < LONGEST;) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += character.length;
    if (/[<>\u{FE64}\u{FE65}\u{FF1C}\u{FF1E}]/u.test(character)) break;
    read += plainLetters(character);
  }
  return LETTERS.some((name) => read.startsWith(name));
}

/** `Ｉ`, `í`, `і` and `İ` are all `i`; what is neither letter nor digit is nothing. */
function plainLetters(character: string): string {
  const folded = character.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD');
  return [...folded]
    .filter((one) => /[\p{L}\p{N}]/u.test(one))
    .map((one) => LOOKALIKES.get(one) ?? one)
    .join('');
}

/** At most so many bytes of UTF-8, never half a character. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = bytes;
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return encoded.toString('utf8', 0, end);
}

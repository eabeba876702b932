// Guarantees: a value that somebody could guess in a few tries (a word, a date, "changeme123") counts as weak, whatever
// its length. Does not: measure real randomness; it errs towards weak for what looks like words, towards strong else.
import { COMMON_WORDS } from './common-words.ts';

/** Fewer bytes are weak, whatever they are. */
const MIN_BYTES = 12;
const MIN_BITS = 48;
/** English-like text carries little per letter (Shannon 1951: 1 to 2.3 bits). */
const WORD_LETTER_BITS = 2.2;
const KNOWN_WORD_BITS = 9;
const RUN_BITS = 5;
const SEPARATOR_BITS = 2;

/** Whether a value is long and random enough to be looked for in texts without becoming a guessing oracle. */
export function isStrong(value: string): boolean {
  return Buffer.byteLength(value) >= MIN_BYTES && guessBits(value) >= MIN_BITS;
}

/** A low estimate of how many bits a guesser has to find. */
export function guessBits(value: string): number {
  const text = value.toLowerCase();
  return Math.min(partsBits(text, value), frequencyBits(value));
}

/** Cuts the text into known words, runs (1111, abcd, 4321), word-like letters and the rest. */
function partsBits(text: string, original: string): number {
  let bits = 0;
  let at = 0;
  const perChar = alphabetBits(original);
  while (at < text.length) {
    const word = knownWordAt(text, at);
    const run = runLength(text, at);
    const letters = /^[a-z]+/.exec(text.slice(at, at + 64))?.[0] ?? '';
    if (word > 0 && word >= run) {
      bits += KNOWN_WORD_BITS;
      at += word;
    } else if (run >= 3) {
      bits += RUN_BITS;
      at += run;
    } else if (letters.length >= 4 && looksLikeWord(original.slice(at, at + letters.length))) {
      // One letter at a time, so that a known word further on is still found.
      bits += WORD_LETTER_BITS;
      at += 1;
      while (at < text.length && /[a-z]/.test(text[at] ?? '') && knownWordAt(text, at) === 0) {
        bits += WORD_LETTER_BITS;
        at += 1;
      }
    } else {
      bits += /[-_. ]/.test(text[at] ?? '') ? SEPARATOR_BITS : perChar;
      at += 1;
    }
  }
  return bits;
}

function knownWordAt(text: string, at: number): number {
  for (let length = Math.min(12, text.length - at); length >= 3; length -= 1) {
    if (COMMON_WORDS.has(plain(text.slice(at, at + length)))) return length;
  }
  return 0;
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};

/** "p4ssw0rd" is "password". Digits alone stay digits. */
function plain(text: string): string {
  return /[a-z]/.test(text) ? text.replaceAll(/[013457@$]/g, (char) => LEET[char] ?? char) : text;
}

/** How many characters from here on go on in the same step: 0 (aaaa), 1 (abcd) or -1 (4321). */
function runLength(text: string, at: number): number {
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at);
  if (Number.isNaN(step) || Math.abs(step) > 1) return 1;
  let length = 2;
  while (text.charCodeAt(at + length) - text.charCodeAt(at + length - 1) === step) length += 1;
  return length;
}

/** One case (or one capital at the start) and about as many vowels as a language has. */
function looksLikeWord(letters: string): boolean {
  const rest = letters.slice(1);
  if (rest !== rest.toLowerCase() && letters !== letters.toUpperCase()) return false;
  const vowels = (letters.match(/[aeiouy]/gi) ?? []).length / letters.length;
  return vowels >= 0.25 && vowels <= 0.65;
}

/** Bits a character if all were drawn from the smallest usual alphabet that holds them. */
function alphabetBits(value: string): number {
  if (/^[0-9]+$/.test(value)) return Math.log2(10);
  if (/^[0-9a-f-]+$/i.test(value)) return 4;
  let size = 0;
  if (/[0-9]/.test(value)) size += 10;
  if (/[a-z]/.test(value)) size += 26;
  if (/[A-Z]/.test(value)) size += 26;
  if (/[^0-9a-zA-Z]/.test(value)) size += 4;
  return Math.log2(Math.max(2, size));
}

/** Few different characters, or a repeated piece, carry little. */
function frequencyBits(value: string): number {
  const period = repeatedPiece(value);
  const piece = value.slice(0, period);
  const counts = new Map<string, number>();
  for (const char of piece) counts.set(char, (counts.get(char) ?? 0) + 1);
  const length = Array.from(piece).length;
  let bits = 0;
  for (const count of counts.values()) bits -= count * Math.log2(count / length);
  // A short random text can't show its alphabet; one bit a character makes up for that.
  return bits + (counts.size > 1 ? length : 0) + (period < value.length ? RUN_BITS : 0);
}

/** The length of the shortest piece whose repetition gives the value (its own length when there is none). */
function repeatedPiece(value: string): number {
  const at = (value + value).indexOf(value, 1);
  return at > 0 ? at : value.length;
}

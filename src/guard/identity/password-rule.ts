import { AppError } from '../../core/index.ts';
import { COMMON_WORDS, RUNS } from './common-passwords.ts';

const LONG = 16;
const SHORT = 12;
const MAX_BYTES = 1024;
/** Characters that must remain, and differ, when common words, runs, repeats, digits and signs are taken away. */
const OWN_CHARACTERS = 5;
const RUN_LENGTH = 4;

export type PasswordVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string };

/**
 * S-66, A-23: 16 characters, or 12 with three of upper, lower, digit, other; counted in code points, at most 1024 bytes;
 * not what everybody takes: common words, keyboard runs, years, repeats, the account's own name.
 */
export function judgePassword(password: string, username: string): PasswordVerdict {
  const length = [...password].length;
  if (Buffer.byteLength(password) > MAX_BYTES) {
    return refused('password_too_long', `The password is longer than ${MAX_BYTES} bytes.`);
  }
  if (!password.isWellFormed()) {
    return refused('password_invalid', 'The password holds half a character, which can not be stored.');
  }
  if (length < SHORT || (length < LONG && classes(password) < 3)) {
    return refused(
      'password_too_weak',
      `The password needs ${LONG} characters, or ${SHORT} with three of: upper case, lower case, digit, other.`,
    );
  }
  if (ownCharacters(password, username) < OWN_CHARACTERS) {
    return refused(
      'password_too_common',
      'The password is made of common words, runs, repeats or the user name, which are tried first.',
    );
  }
  return { ok: true };
}

/** Throws what `judgePassword` refused, as `invalid_password`. */
export function requireGoodPassword(password: string, username: string): void {
  const verdict = judgePassword(password, username);
  if (verdict.ok) return;
  throw new AppError({
    family: 'input',
    code: 'invalid_password',
    message: verdict.message,
    fix: 'Four or five unrelated words make a good password.',
    details: { reason: verdict.code },
  });
}

function refused(code: string, message: string): PasswordVerdict {
  return { ok: false, code, message };
}

function classes(password: string): number {
  return [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{Lu}\p{Ll}\p{Nd}]/u].filter((kind) => kind.test(password))
    .length;
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
  '!': 'i',
};

/** How many different letters are the person's own. The best reading for an attacker counts: plain, or with leet undone. */
function ownCharacters(password: string, username: string): number {
  const plain = password.toLowerCase();
  const leet = plain.replaceAll(/[013457@$!]/g, (sign) => LEET[sign] ?? sign);
  return Math.min(remaining(plain, username), remaining(leet, username));
}

function remaining(text: string, username: string): number {
  let rest = collapse(text);
  rest = withoutRuns(rest);
  const name = username.toLowerCase();
  const words = name.length >= 3 ? [name, ...COMMON_WORDS] : COMMON_WORDS;
  // Without what separates words, so that "correct horse battery staple" reads as the one word that it has become.
  rest = rest.replaceAll(/[\s._-]+/gu, '');
  for (const word of words) rest = rest.replaceAll(word, '');
  rest = rest.replaceAll(/[\p{Nd}\p{P}\p{S}\s]+/gu, '');
  const digitsAndSigns = new Set([...text].filter((sign) => /[\p{Nd}\p{P}\p{S}]/u.test(sign)));
  // Random digits and signs are worth something too, but only where they are many.
  const credit = digitsAndSigns.size >= 8 && withoutRuns(collapse(text)).length >= SHORT ? OWN_CHARACTERS : 0;
  return new Set(rest).size + credit;
}

/** "abcabcabc" → "abc", "aaaa" → "a"; a mere double letter stays. */
function collapse(text: string): string {
  return text.replaceAll(/(.)\1{2,}/gsu, '$1').replaceAll(/(.{2,16}?)\1+/gsu, '$1');
}

function withoutRuns(text: string): string {
  let rest = text;
  for (const run of RUNS) {
    for (const line of [run, [...run].reverse().join('')]) {
      for (let length = line.length; length >= RUN_LENGTH; length -= 1) {
        for (let start = 0; start + length <= line.length; start += 1) {
          rest = rest.replaceAll(line.slice(start, start + length), '');
        }
      }
    }
  }
  return rest;
}

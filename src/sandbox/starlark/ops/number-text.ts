/** Numbers as text and back. Nothing here depends on a locale. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';

/** `1.0`, `1.5e-07`, `1e+17`, `+inf`, `nan`: the shortest text that reads back as the same float. */
export function floatText(v: number): string {
  if (Number.isNaN(v)) return 'nan';
  if (!Number.isFinite(v)) return v > 0 ? '+inf' : '-inf';
  if (Object.is(v, -0)) return '-0.0';
  const short = String(v);
  const size = Math.abs(v);
  if (v === 0 || (size >= 1e-4 && size < 1e17))
    return short.includes('.') || short.includes('e') ? short : `${short}.0`;
  const [mantissa = '', exponent = '0'] = v.toExponential().split('e');
  return `${mantissa}e${exponentText(Number(exponent))}`;
}

function exponentText(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${exponent < 0 ? '-' : '+'}${digits}`;
}

/** `%e`, `%f`, `%g` (and capitals) with a precision; 6 is the usual one. Not finite: `nan`, `+inf`, `-inf`. */
export function formatFloat(v: number, verb: string, precision: number): string {
  if (!Number.isFinite(v)) return floatText(v);
  const lower = verb.toLowerCase();
  let text: string;
  if (lower === 'e') text = exponential(v, precision);
  else if (lower === 'f') text = fixed(v, precision);
  else text = general(v, precision);
  return verb === lower ? text : text.toUpperCase();
}

function exponential(v: number, precision: number): string {
  const [mantissa = '', exponent = '0'] = Math.abs(v).toExponential(precision).split('e');
  return `${sign(v)}${mantissa}e${exponentText(Number(exponent))}`;
}

function fixed(v: number, precision: number): string {
  const size = Math.abs(v);
  // toFixed turns to exponents at 1e21; floats that large are ints.
  if (size >= 1e21) return `${sign(v)}${BigInt(size)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`;
  return `${sign(v)}${size.toFixed(precision)}`;
}

/** C's `%.Ng`: exponent form when the exponent is below -4 or at least N; trailing zeros dropped. */
function general(v: number, precision: number): string {
  const digits = precision === 0 ? 1 : precision;
  if (v === 0) return `${sign(v)}0`;
  const exponent = Number(
    Math.abs(v)
      .toExponential(digits - 1)
      .split('e')[1],
  );
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', exp = '+00'] = exponential(v, digits - 1).split('e');
    return `${trimZeros(mantissa)}e${exp}`;
  }
  return trimZeros(fixed(v, digits - 1 - exponent));
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function sign(v: number): string {
  return v < 0 || Object.is(v, -0) ? '-' : '';
}

/** A bigint that fits becomes a number. */
export function normalize(v: bigint): number | bigint {
  return v >= -9007199254740991n && v <= 9007199254740991n ? Number(v) : v;
}

/** At least the number of 64-bit digits of an int; exact by way of its hexadecimal text. */
export function limbs(v: bigint): number {
  if (v < TWO_LIMBS && v > -TWO_LIMBS) return 2;
  return Math.ceil(v.toString(16).length / 16);
}

/** The digits of an int; charges the quadratic work of a large one before it is done. */
export function intText(t: Thread, v: number | bigint, radix = 10): string {
  if (typeof v === 'number') return radix === 10 ? String(v) : v.toString(radix);
  const size = limbs(v);
  t.charge((size * size) / 16);
  t.allocateString(size * 20);
  return v.toString(radix);
}

const TWO_LIMBS = 1n << 128n;

const DIGITS: Record<number, RegExp> = {};
for (let base = 2; base <= 36; base += 1) {
  const top = (base - 1).toString(36);
  DIGITS[base] = base <= 10 ? new RegExp(`^[0-${top}]+$`) : new RegExp(`^[0-9a-${top}]+$`, 'i');
}
const PREFIX: Record<string, number> = { '0b': 2, '0o': 8, '0x': 16 };

/** `int(text, base)`; base 0 reads the prefix. */
export function parseInteger(t: Thread, text: string, base: number): number | bigint {
  const bad = (): StarlarkError =>
    new StarlarkError(
      text === ''
        ? 'empty string is not an int'
        : `invalid base-${base} literal: ${JSON.stringify(text.slice(0, 100))}`,
    );
  if (base !== 0 && (base < 2 || base > 36)) {
    throw new StarlarkError(`invalid base ${base} (want 2 <= base <= 36)`);
  }
  const negative = text.startsWith('-');
  let digits = negative || text.startsWith('+') ? text.slice(1) : text;
  let radix = base;
  const prefix = PREFIX[digits.slice(0, 2).toLowerCase()];
  if (prefix !== undefined && (base === 0 || base === prefix)) {
    digits = digits.slice(2);
    radix = prefix;
  } else if (base === 0) {
    if (/^0+[1-9]/.test(digits)) {
      throw new StarlarkError(
        `cannot infer base when string begins with a 0: ${JSON.stringify(text.slice(0, 100))}`,
      );
    }
    radix = 10;
  }
  if (DIGITS[radix]?.test(digits) !== true) throw bad();
  const size = digitsToNumber(t, digits, radix);
  return negative ? negate(size) : size;
}

function negate(v: number | bigint): number | bigint {
  return v === 0 ? 0 : -v;
}

/** Valid digits in a base from 2 to 36 as an int; charges the quadratic work of a long text. */
export function digitsToNumber(t: Thread, digits: string, radix: number): number | bigint {
  const small = Number.parseInt(digits, radix);
  if (Number.isSafeInteger(small)) return small;
  t.charge((digits.length * digits.length) / 256);
  t.allocate(digits.length);
  if (radix === 10) return normalize(BigInt(digits));
  if (radix === 16) return normalize(BigInt(`0x${digits}`));
  if (radix === 8) return normalize(BigInt(`0o${digits}`));
  if (radix === 2) return normalize(BigInt(`0b${digits}`));
  let value = 0n;
  for (const digit of digits) value = value * BigInt(radix) + BigInt(Number.parseInt(digit, radix));
  return normalize(value);
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^([+-]?)(inf|infinity|nan)$/i;

/** `float(text)`. */
export function parseFloatText(text: string): number {
  const special = NOT_FINITE.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? -Infinity : Infinity;
  }
  if (!FLOAT.test(text)) throw new StarlarkError(`invalid float literal: ${text.slice(0, 100)}`);
  const v = Number(text);
  if (!Number.isFinite(v)) throw new StarlarkError(`floating-point number too large: ${text.slice(0, 100)}`);
  return v;
}

/** An int as a float, rounded to the nearest; refuses what is too large. */
export function intToFloat(v: number | bigint): number {
  if (typeof v === 'number') return v;
  const out = Number(v);
  if (!Number.isFinite(out)) throw new StarlarkError('int too large to convert to float');
  return out;
}

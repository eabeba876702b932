/** The `%` operator of strings: `%s %r %d %i %o %x %X %e %f %g %c %%` and `%(name)s`, as the language defines it. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import { StarFloat, StarTuple, typeName, type Value } from '../values/objects.ts';
import { OpaqueString, partLength, TextBuilder, type TextPart } from '../values/opaque.ts';
import { StarDict } from '../values/table.ts';
import { floatText, formatFloat, intText, intToFloat } from './number-text.ts';
import { repr, toText } from './repr.ts';

interface Conversion {
  /** Plain text before the conversion. */
  readonly before: string;
  /** The letter, or '' at the end of the template. */
  readonly verb: string;
  /** The dict key of `%(name)s`. */
  readonly key: string | undefined;
}

const CONVERSIONS = 'sridoxXeEfFgGc';

function parseTemplate(template: string): Conversion[] {
  const out: Conversion[] = [];
  let before = '';
  let at = 0;
  for (;;) {
    const percent = template.indexOf('%', at);
    if (percent < 0) break;
    before += template.slice(at, percent);
    at = percent + 1;
    if (template[at] === '%') {
      before += '%';
      at += 1;
      continue;
    }
    let key: string | undefined;
    if (template[at] === '(') {
      const close = template.indexOf(')', at);
      if (close < 0) throw new StarlarkError('incomplete format key');
      key = template.slice(at + 1, close);
      at = close + 1;
    }
    const verb = template[at];
    if (verb === undefined) throw new StarlarkError('incomplete format');
    if (!CONVERSIONS.includes(verb)) throw unknownConversion(template, at);
    out.push({ before, verb, key });
    before = '';
    at += 1;
  }
  out.push({ before: before + template.slice(at), verb: '', key: undefined });
  return out;
}

function unknownConversion(template: string, at: number): StarlarkError {
  const flags = /^[-+ #0-9.*]+/.exec(template.slice(at, at + 20));
  if (flags !== null) {
    return new StarlarkError(
      `% has no flags, width or precision: use format("%${flags[0]}${template[at + flags[0].length] ?? 'd'}", x)`,
    );
  }
  return new StarlarkError(`unknown conversion %${template[at] ?? ''}`);
}

/** `template % args`. A tuple gives one value per conversion, anything else is the only value. */
export function formatPercent(t: Thread, template: string, args: Value): TextPart {
  t.allocateString(template.length);
  const conversions = t.cached('%', template, parseTemplate);
  const values = args instanceof StarTuple ? args.items : [args];
  let out = '';
  let parts: TextBuilder | undefined;
  let used = 0;
  for (let i = 0; i < conversions.length; i += 1) {
    const { before, verb, key } = conversions[i] as Conversion;
    out += before;
    if (verb === '') break;
    let value: Value | undefined;
    if (key !== undefined) value = lookupKey(t, args, key);
    else {
      value = values[used];
      used += 1;
      if (value === undefined) throw new StarlarkError('not enough arguments for format string');
    }
    const text = convert(t, verb, value);
    // Charged as it grows, so that the whole is paid for before it is joined.
    t.allocateString(partLength(text));
    if (typeof text === 'string') out += text;
    else {
      parts ??= new TextBuilder();
      parts.add(out);
      parts.add(text);
      out = '';
    }
  }
  if (used < values.length && !(args instanceof StarDict)) {
    throw new StarlarkError('not all arguments converted during string formatting');
  }
  if (parts === undefined) return out;
  parts.add(out);
  return parts.finish();
}

function lookupKey(t: Thread, args: Value, key: string): Value {
  if (!(args instanceof StarDict)) throw new StarlarkError('format requires a mapping');
  const value = args.lookup(t, key);
  if (value === undefined) throw new StarlarkError(`key not found: ${key}`);
  return value;
}

function convert(t: Thread, verb: string, v: Value): TextPart {
  if (verb === 's') return toText(t, v);
  if (v instanceof OpaqueString) throw v.refuse(`%${verb}`);
  switch (verb) {
    case 'r':
      return repr(t, v);
    case 'c':
      return oneCharacter(v);
    case 'd':
    case 'i':
      return intText(t, integral(v, verb));
    case 'o':
      return intText(t, integral(v, verb), 8);
    case 'x':
      return intText(t, integral(v, verb), 16);
    case 'X':
      return intText(t, integral(v, verb), 16).toUpperCase();
    default:
      return floating(v, verb);
  }
}

/** An int, or a finite float cut to one. */
function integral(v: Value, verb: string): number | bigint {
  if (typeof v === 'number' || typeof v === 'bigint') return v;
  if (!(v instanceof StarFloat))
    throw new StarlarkError(`got ${typeName(v)} for '%${verb}' format, want int or float`);
  if (!Number.isFinite(v.value)) throw new StarlarkError(`got ${floatText(v.value)}, want a finite number`);
  const whole = Math.trunc(v.value);
  return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole);
}

function floating(v: Value, verb: string): string {
  if (typeof v !== 'number' && typeof v !== 'bigint' && !(v instanceof StarFloat)) {
    throw new StarlarkError(`got ${typeName(v)} for '%${verb}' format, want int or float`);
  }
  const value = v instanceof StarFloat ? v.value : intToFloat(v);
  // %g of the language is the shortest text that reads back, as str() has it.
  if (verb === 'g') return floatText(value);
  if (verb === 'G') return floatText(value).toUpperCase();
  return formatFloat(value, verb, 6);
}

/** `%c`: a code point or a string of one character. */
export function oneCharacter(v: Value): string {
  if (typeof v === 'number' || typeof v === 'bigint') {
    if (v < 0 || v > 0x10ffff)
      throw new StarlarkError(`%c format requires a valid Unicode code point, got ${v}`);
    return String.fromCodePoint(Number(v)).toWellFormed();
  }
  if (typeof v === 'string') {
    if (v.length > 0 && v.length <= 2 && String.fromCodePoint(v.codePointAt(0) ?? 0) === v) return v;
    throw new StarlarkError('%c format requires a single-character string');
  }
  throw new StarlarkError(`%c format requires int or single-character string, not ${typeName(v)}`);
}

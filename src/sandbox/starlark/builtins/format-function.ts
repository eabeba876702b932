/** `format(template, ...)`: the verbs of C with flags, width and precision, which `%` does not have. */
import { StarlarkError } from '../errors.ts';
import { oneCharacter } from '../ops/format-percent.ts';
import { formatFloat, intText, intToFloat } from '../ops/number-text.ts';
import { quote, repr, toText } from '../ops/repr.ts';
import { checkNamed, variadic, wantString, wrongType, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import { StarFloat, typeName, type Value } from '../values/objects.ts';
import { OpaqueString, partLength, TextBuilder, type TextPart } from '../values/opaque.ts';

interface Verb {
  readonly before: string;
  readonly flags: string;
  readonly width: number;
  /** -1 when absent. */
  readonly precision: number;
  readonly verb: string;
}

/** The largest width and precision. */
const MOST = 1_000_000;
const MOST_DECIMALS = 100;

function parseTemplate(template: string): Verb[] {
  const out: Verb[] = [];
  let before = '';
  let at = 0;
  const pattern = /%([-+ #0]*)([0-9]*)(?:\.([0-9]*))?(.?)/gsu;
  for (const match of template.matchAll(pattern)) {
    before += template.slice(at, match.index);
    at = match.index + match[0].length;
    const verb = match[4] ?? '';
    if (verb === '%') {
      before += '%';
      continue;
    }
    if (!'sdfvxXqeEgGioc'.includes(verb) || verb === '') {
      throw new StarlarkError(
        `format: unknown verb ${match[0].slice(0, 50)} (known: %s %d %f %e %g %x %o %c %q %v %%)`,
      );
    }
    const width = Number(match[2] === '' ? 0 : match[2]);
    const precision = match[3] === undefined ? -1 : Number(match[3] === '' ? 0 : match[3]);
    if (width > MOST) throw new StarlarkError(`format: width ${width} is too large (the most is ${MOST})`);
    if (precision > (verb === 's' || verb === 'v' || verb === 'q' ? MOST : MOST_DECIMALS)) {
      throw new StarlarkError(`format: precision ${precision} is too large`);
    }
    out.push({ before, flags: match[1] ?? '', width, precision, verb });
    before = '';
  }
  out.push({ before: before + template.slice(at), flags: '', width: 0, precision: -1, verb: '' });
  return out;
}

function mismatch(verb: string, v: Value): StarlarkError {
  return new StarlarkError(
    `format: %${verb} needs ${'dixXo'.includes(verb) ? 'an int' : 'a number'}, got ${typeName(v)}`,
  );
}

/** An int, or a float without a fraction. */
function integral(v: Value, verb: string): number | bigint {
  if (typeof v === 'number' || typeof v === 'bigint') return v;
  if (!(v instanceof StarFloat)) throw mismatch(verb, v);
  if (!Number.isInteger(v.value))
    throw new StarlarkError(`format: %${verb} needs an int, got a float with a fraction (use %f or int(x))`);
  return Number.isSafeInteger(v.value) ? v.value + 0 : BigInt(v.value);
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-') || text.startsWith('+')) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function numberText(t: Thread, f: Verb, v: Value): string {
  switch (f.verb) {
    case 'd':
    case 'i':
      return signed(intText(t, integral(v, f.verb)), f.flags);
    case 'x':
    case 'X':
    case 'o': {
      const text = intText(t, integral(v, f.verb), f.verb === 'o' ? 8 : 16);
      return signed(f.verb === 'X' ? text.toUpperCase() : text, f.flags);
    }
    default: {
      if (typeof v !== 'number' && typeof v !== 'bigint' && !(v instanceof StarFloat))
        throw mismatch(f.verb, v);
      const value = v instanceof StarFloat ? v.value : intToFloat(v);
      return signed(formatFloat(value, f.verb, f.precision < 0 ? 6 : f.precision), f.flags);
    }
  }
}

function hexOfText(text: string): string {
  return [...text].map((char) => (char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')).join('');
}

function plainText(t: Thread, f: Verb, v: Value): string {
  if (f.verb === 's' || f.verb === 'v') return cut(String(toText(t, v)), f.precision);
  if (f.verb === 'q') return quote(cut(typeof v === 'string' ? v : repr(t, v), f.precision));
  if (f.verb === 'c') return oneCharacter(v);
  if (f.verb === 'x' && typeof v === 'string') {
    t.allocateString(4 * v.length);
    return hexOfText(v);
  }
  return numberText(t, f, v);
}

function cut(text: string, precision: number): string {
  return precision < 0 ? text : text.slice(0, precision);
}

function pad(t: Thread, f: Verb, text: string): string {
  if (text.length >= f.width) return text;
  t.allocateString(f.width);
  if (f.flags.includes('-')) return text.padEnd(f.width);
  const number = 'dixXofeEgG'.includes(f.verb) && /\d/.test(text);
  if (!f.flags.includes('0') || !number) return text.padStart(f.width);
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(f.width - sign.length, '0');
}

function one(t: Thread, f: Verb, v: Value): TextPart {
  if (v instanceof OpaqueString) {
    const bare = f.flags === '' && f.width === 0 && f.precision < 0;
    if (bare && (f.verb === 's' || f.verb === 'v')) return v;
    throw v.refuse(bare ? `%${f.verb}` : 'a format with flags, width or precision');
  }
  return pad(t, f, plainText(t, f, v));
}

export const FORMAT: Native = variadic('format', (t, _self, args, named) => {
  checkNamed('format', named, []);
  const template = args[0];
  if (template === undefined) throw new StarlarkError('format() missing 1 required positional argument: fmt');
  if (template instanceof OpaqueString) throw wrongType('format', 'fmt', template, 'string');
  const verbs = t.cached('format', wantString(template, 'format', 'fmt'), parseTemplate);
  const values = args.slice(1);
  const wanted = verbs.length - 1;
  if (values.length !== wanted)
    throw new StarlarkError(
      `format: the template has ${wanted} verbs, but ${values.length} values were given`,
    );
  const out = new TextBuilder();
  verbs.forEach((f, i) => {
    out.add(f.before);
    if (f.verb === '') return;
    const text = one(t, f, values[i] as Value);
    t.allocateString(partLength(text) + f.before.length);
    out.add(text);
  });
  return out.finish();
});

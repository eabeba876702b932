/** Built-in functions about numbers and characters: abs, bool, int, float, hash, ord, chr, min, max. */
import { FLOAT_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import { compare } from '../ops/equality.ts';
import { elements } from '../ops/iterate.ts';
import { floatText, intToFloat, parseFloatText, parseInteger } from '../ops/number-text.ts';
import { checkNamed, native, variadic, wantCallable, wrongType, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import { StarBytes, StarFloat, truth, typeName, type Value } from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';

function toInt(t: Thread, v: Value): number | bigint {
  if (typeof v === 'number' || typeof v === 'bigint') return v;
  if (typeof v === 'boolean') return v ? 1 : 0;
  if (v instanceof StarFloat) {
    if (!Number.isFinite(v.value))
      throw new StarlarkError(`can't convert float ${floatText(v.value)} to int`);
    const whole = Math.trunc(v.value);
    t.allocate(128);
    return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole);
  }
  if (v instanceof OpaqueString) throw v.refuse('int()');
  throw new StarlarkError(`got ${typeName(v)}, want string, int, float, or bool`);
}

function javaHash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i += 1) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return h;
}

function fnv32(data: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const byte of data) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** `min` and `max`: the first of the best. */
function extremum(name: 'min' | 'max'): Native {
  const sign = name === 'min' ? -1 : 1;
  return variadic(name, (t, _self, args, named) => {
    checkNamed(name, named, ['key']);
    const key = named?.get('key');
    const by = key === undefined || key === null ? undefined : wantCallable(key, name, 'key');
    if (args.length === 0) throw new StarlarkError(`${name}: expected at least one item`);
    const items = args.length === 1 ? elements(t, args[0] as Value) : args;
    if (items.length === 0) throw new StarlarkError(`${name}: expected at least one item`);
    let best = items[0] as Value;
    let bestKey = by === undefined ? best : by.call(t, [best], undefined);
    for (let i = 1; i < items.length; i += 1) {
      if (--t.fuel < 0) t.refill();
      const item = items[i] as Value;
      const itemKey = by === undefined ? item : by.call(t, [item], undefined);
      // Compared in the order of the arguments, which errors show.
      if (-compare(t, bestKey, itemKey) * sign > 0) {
        best = item;
        bestKey = itemKey;
      }
    }
    return best;
  });
}

export const NUMBER_FUNCTIONS: readonly Native[] = [
  native('abs(x)', (_t, _self, x: Value) => {
    if (typeof x === 'number') return Math.abs(x);
    if (typeof x === 'bigint') return x < 0n ? -x : x;
    if (x instanceof StarFloat) return new StarFloat(Math.abs(x.value));
    throw wrongType('abs', 'x', x, 'int or float');
  }),
  native('bool(x=)', (_t, _self, x?: Value) => (x === undefined ? false : truth(x))),
  native('chr(i)', (_t, _self, i: Value) => {
    if (typeof i !== 'number' && typeof i !== 'bigint') throw wrongType('chr', 'i', i, 'int');
    if (i < 0) throw new StarlarkError(`Unicode code point ${i} out of range (<0)`);
    if (i > 0x10ffff)
      throw new StarlarkError(
        `Unicode code point U+${i.toString(16).toUpperCase()} out of range (>0x10FFFF)`,
      );
    return String.fromCodePoint(Number(i)).toWellFormed();
  }),
  native('float(x=)', (t, _self, x?: Value) => {
    t.allocate(FLOAT_BYTES);
    if (x === undefined) return new StarFloat(0);
    if (x instanceof StarFloat) return x;
    if (typeof x === 'boolean') return new StarFloat(x ? 1 : 0);
    if (typeof x === 'number' || typeof x === 'bigint') return new StarFloat(intToFloat(x));
    if (typeof x === 'string') {
      t.charge(x.length / 16);
      return new StarFloat(parseFloatText(x));
    }
    throw wrongType('float', 'x', x, 'string, int, float, or bool');
  }),
  native('hash(x)', (t, _self, x: Value) => {
    if (x instanceof StarBytes) {
      t.charge(x.data.length / 16);
      return fnv32(x.data);
    }
    if (typeof x !== 'string') throw wrongType('hash', 'x', x, 'string or bytes');
    t.charge(x.length / 16);
    return javaHash(x);
  }),
  native('int(x, base=)', (t, _self, x: Value, base?: Value) => {
    if (typeof x !== 'string') {
      if (base !== undefined && !(x instanceof OpaqueString))
        throw new StarlarkError("can't convert non-string with explicit base");
      return toInt(t, x);
    }
    t.charge(x.length / 16);
    if (base === undefined) return parseInteger(t, x, 10);
    if (typeof base !== 'number') throw new StarlarkError(`got ${typeName(base)} for base, want int`);
    return parseInteger(t, x, base);
  }),
  extremum('max'),
  extremum('min'),
  native('ord(s)', (_t, _self, s: Value) => {
    if (s instanceof StarBytes) {
      if (s.data.length !== 1) throw new StarlarkError(`ord: bytes has length ${s.data.length}, want 1`);
      return s.data[0] as number;
    }
    if (typeof s !== 'string') throw wrongType('ord', 's', s, 'string or bytes');
    const first = s.codePointAt(0);
    if (first === undefined || String.fromCodePoint(first).length !== s.length) {
      throw new StarlarkError(
        `ord: string encodes ${s.length > 1000 ? 'many' : [...s].length} Unicode code points, want 1`,
      );
    }
    return first >= 0xd800 && first <= 0xdfff ? 0xfffd : first;
  }),
];

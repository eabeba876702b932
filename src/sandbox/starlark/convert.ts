/** Values in and out: plain JSON data of the host to Starlark values and back. */
import { StarlarkError } from './errors.ts';
import { elements, isIterable } from './ops/iterate.ts';
import { intText } from './ops/number-text.ts';
import { repr } from './ops/repr.ts';
import type { Thread } from './thread.ts';
import { StarFloat, StarList, StarStruct, StarTuple, type Value } from './values/objects.ts';
import { OpaqueString } from './values/opaque.ts';
import { newDict, StarDict, StarSet } from './values/table.ts';

/** Plain data. Objects may have any prototype; only own enumerable members are read. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Plain data as a value; numbers without a fraction become ints. Charges what it builds. */
export function fromJson(t: Thread, data: Json, depth = 0): Value {
  if (depth > t.limits.valueDepth) throw new StarlarkError('the data is nested too deeply', 'json_depth');
  t.charge(1);
  switch (typeof data) {
    case 'number':
      return Number.isSafeInteger(data) ? data + 0 : new StarFloat(data);
    case 'bigint':
      return data >= BigInt(Number.MIN_SAFE_INTEGER) && data <= BigInt(Number.MAX_SAFE_INTEGER)
        ? Number(data)
        : data;
    case 'string':
      t.allocateString(data.length);
      return data;
    case 'boolean':
      return data;
    default:
  }
  if (data === null) return null;
  if (Array.isArray(data)) {
    t.allocateList(data.length);
    return new StarList(data.map((item: Json) => fromJson(t, item, depth + 1)));
  }
  const dict = newDict(t);
  for (const [key, value] of Object.entries(data)) dict.put(t, key, fromJson(t, value, depth + 1));
  return dict;
}

/**
 * A value as plain data: None, bool, int and float as they are (ints beyond 2**53 as bigint, floats that are not
 * finite as text), strings with lone surrogates replaced, opaque strings as their marker, lists, tuples and sets as
 * arrays, dicts and structs as objects without a prototype, everything else as its text. Throws for dicts with other
 * keys than strings and for values that are nested too deeply.
 */
export function toJson(t: Thread, v: Value, depth = 0): Json {
  t.charge(1);
  switch (typeof v) {
    case 'string':
      return v.toWellFormed();
    case 'bigint':
      t.charge(intText(t, v).length / 64);
      return v;
    case 'number':
    case 'boolean':
      return v;
    default:
  }
  if (v === null) return null;
  if (v instanceof StarFloat) return Number.isFinite(v.value) ? v.value : repr(t, v);
  if (v instanceof OpaqueString) return v.marker();
  if (depth >= t.limits.valueDepth) throw new StarlarkError('the result is nested too deeply', 'json_depth');
  if (v instanceof StarDict || v instanceof StarStruct) {
    const out = Object.create(null) as Record<string, Json>;
    const entries = v instanceof StarDict ? v.map : v.fields;
    for (const [key, value] of entries) {
      if (typeof key !== 'string')
        throw new StarlarkError(`a dict in the result has the key ${repr(t, key)}, want strings only`);
      out[key.toWellFormed()] = toJson(t, value, depth + 1);
    }
    return out;
  }
  if (v instanceof StarList || v instanceof StarTuple || v instanceof StarSet || isIterable(v)) {
    const items = elements(t, v);
    t.allocateList(items.length);
    return items.map((item) => toJson(t, item, depth + 1));
  }
  return repr(t, v, 'mark');
}

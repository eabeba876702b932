/** `x[i]`, `x[i] = v` and `x[i:j:k]`. */
import { BYTES_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import {
  StarBytes,
  StarIterable,
  StarList,
  StarRange,
  StarTuple,
  typeName,
  type Value,
} from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { StarDict } from '../values/table.ts';
import { quote, repr } from './repr.ts';
import { TextSink } from './text-sink.ts';

/** Whole number for a position; throws for other types. Large ints stop at the ends. */
function wantIndex(v: Value, what: string): number {
  if (typeof v === 'number') return v;
  if (typeof v === 'bigint') return v < 0n ? -Infinity : Infinity;
  if (v instanceof OpaqueString) throw v.refuse(what);
  throw new StarlarkError(`got ${typeName(v)} for ${what}, want int`);
}

function position(index: Value, length: number): number {
  const i = wantIndex(index, 'sequence index');
  const at = i < 0 ? i + length : i;
  if (at < 0 || at >= length) {
    throw new StarlarkError(
      `index out of range (index is ${String(index)}, but sequence has ${length} elements)`,
    );
  }
  return at;
}

/** `x[i]`. */
export function getIndex(t: Thread, x: Value, i: Value): Value {
  if (x instanceof StarDict) {
    const value = x.lookup(t, i);
    if (value === undefined) throw missingKey(t, i);
    return value;
  }
  if (typeof x === 'string') return x.charAt(position(i, x.length));
  if (x instanceof StarList || x instanceof StarTuple) return x.items[position(i, x.items.length)] as Value;
  if (x instanceof StarRange) return x.start + position(i, x.length) * x.step;
  if (x instanceof StarBytes) return x.data[position(i, x.data.length)] as number;
  if (x instanceof StarIterable) {
    const n = x.length();
    if (n !== undefined) return nth(t, x, position(i, n));
  }
  if (x instanceof OpaqueString) throw x.refuse('indexing');
  throw new StarlarkError(
    `type '${typeName(x)}' has no operator [](${typeName(i)})${x === null ? ' (the value is None)' : ''}`,
  );
}

function nth(t: Thread, x: StarIterable, at: number): Value {
  t.charge(at);
  const values = x.iterate();
  for (let i = 0; i < at; i += 1) values.next();
  return values.next().value as Value;
}

/** The error for a key that is not there. */
function missingKey(t: Thread, key: Value): StarlarkError {
  const text = typeof key === 'string' ? quote(key.slice(0, 200)) : repr(t, key).slice(0, 200);
  return new StarlarkError(`key ${text} not found in dictionary (use d.get(key) when it may be missing)`);
}

/** `x[i] = v`. */
export function setIndex(t: Thread, x: Value, i: Value, v: Value): void {
  if (x instanceof StarDict) {
    x.check('insert into');
    x.put(t, i, v);
    return;
  }
  if (x instanceof StarList) {
    x.check('assign to element of');
    x.items[position(i, x.items.length)] = v;
    return;
  }
  if (x instanceof OpaqueString) throw x.refuse('item assignment');
  throw new StarlarkError(
    `${typeName(x)} value does not support item assignment (can only assign an element in a dictionary or a list)`,
  );
}

interface Bounds {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  /** How many elements. */
  readonly count: number;
}

function bound(v: Value, length: number, fallback: number, low: number, high: number, what: string): number {
  if (v === null) return fallback;
  const i = wantIndex(v, what);
  const at = i < 0 ? i + length : i;
  return at < low ? low : at > high ? high : at;
}

function sliceBounds(length: number, start: Value, stop: Value, step: Value): Bounds {
  const by = step === null ? 1 : wantIndex(step, 'slice step');
  if (by === 0) throw new StarlarkError('slice step cannot be zero');
  const forward = by > 0;
  const low = forward ? 0 : -1;
  const high = forward ? length : length - 1;
  const from = bound(start, length, forward ? 0 : length - 1, low, high, 'start index');
  const to = bound(stop, length, forward ? length : -1, low, high, 'stop index');
  return { start: from, stop: to, step: by, count: Math.max(0, Math.ceil((to - from) / by)) };
}

function pick(items: readonly Value[], b: Bounds): Value[] {
  if (b.step === 1) return items.slice(b.start, Math.max(b.start, b.stop));
  const out: Value[] = [];
  for (let i = 0; i < b.count; i += 1) out.push(items[b.start + i * b.step] as Value);
  return out;
}

/** `x[start:stop:step]`; an absent part is None. */
export function getSlice(t: Thread, x: Value, start: Value, stop: Value, step: Value): Value {
  if (typeof x === 'string') {
    const b = sliceBounds(x.length, start, stop, step);
    t.allocateString(b.count);
    if (b.step === 1) return x.slice(b.start, Math.max(b.start, b.stop));
    t.charge(b.count / 4);
    const out = new TextSink();
    for (let i = 0; i < b.count; i += 1) out.add(x.charAt(b.start + i * b.step));
    return out.finish();
  }
  if (x instanceof StarList || x instanceof StarTuple) {
    const b = sliceBounds(x.items.length, start, stop, step);
    t.allocateList(b.count);
    return x instanceof StarList ? new StarList(pick(x.items, b)) : new StarTuple(pick(x.items, b));
  }
  if (x instanceof StarRange) {
    const b = sliceBounds(x.length, start, stop, step);
    const by = Number.isFinite(b.step) ? b.step * x.step : x.step;
    return new StarRange(x.start + b.start * x.step, x.start + b.stop * x.step, by);
  }
  if (x instanceof StarBytes) {
    const b = sliceBounds(x.data.length, start, stop, step);
    t.allocate(BYTES_BYTES + b.count);
    t.charge(b.count / 8);
    return new StarBytes(
      Uint8Array.from({ length: b.count }, (_, i) => x.data[b.start + i * b.step] as number),
    );
  }
  if (x instanceof OpaqueString) throw x.refuse('slicing');
  throw new StarlarkError(
    `type '${typeName(x)}' has no operator [:]${x === null ? ' (the value is None)' : ''}`,
  );
}

/** Loops, membership, length and unpacking: everything that asks a value for its elements. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import {
  HostObject,
  Mutable,
  StarBytes,
  StarIterable,
  StarList,
  StarRange,
  StarTuple,
  typeName,
  type Value,
} from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { Table } from '../values/table.ts';
import { equals } from './equality.ts';

function notIterable(v: Value): StarlarkError {
  if (v instanceof OpaqueString) return v.refuse('iteration');
  const hint =
    typeof v === 'string'
      ? ' (use s.elems() or s.codepoints())'
      : typeof v === 'number'
        ? ' (use range(n))'
        : v instanceof StarBytes
          ? ' (use b.elems())'
          : '';
  return new StarlarkError(`type '${typeName(v)}' is not iterable${hint}`);
}

/** Whether `for x in v` is possible. */
export function isIterable(v: Value): boolean {
  return (
    v instanceof StarList ||
    v instanceof StarTuple ||
    v instanceof Table ||
    v instanceof StarRange ||
    v instanceof StarIterable
  );
}

/**
 * The elements as an array that must not be changed: the list's own where there is one. Charges what it has to
 * build. Throws `type 'x' is not iterable`.
 */
export function elements(t: Thread, v: Value): readonly Value[] {
  if (v instanceof StarList || v instanceof StarTuple) return v.items;
  if (v instanceof Table) {
    t.allocateList(v.map.size);
    return v.keys();
  }
  if (v instanceof StarRange) {
    t.charge(v.length);
    t.allocateList(v.length);
    const out: Value[] = [];
    for (let i = 0; i < v.length; i += 1) out.push(v.start + i * v.step);
    return out;
  }
  if (v instanceof StarIterable) {
    const n = v.length();
    if (n !== undefined) t.allocateList(n);
    const out: Value[] = [];
    const values = v.iterate();
    for (let next = values.next(); next.done !== true; next = values.next()) {
      t.charge(1);
      if (n === undefined) t.allocate(8);
      out.push(next.value);
    }
    return out;
  }
  throw notIterable(v);
}

/** As `elements`, in a new array that the caller owns and that is charged. */
export function copyElements(t: Thread, v: Value): Value[] {
  const items = elements(t, v);
  if (v instanceof StarList || v instanceof StarTuple) {
    t.allocateList(items.length);
    return items.slice();
  }
  return items as Value[];
}

/** Runs `body` for each element until it returns true; `v` can't be changed meanwhile. */
export function forEach(t: Thread, v: Value, body: (item: Value) => boolean): void {
  if (v instanceof StarIterable) {
    const values = v.iterate();
    for (let next = values.next(); next.done !== true; next = values.next()) {
      if (--t.fuel < 0) t.refill();
      if (body(next.value)) return;
    }
    return;
  }
  const items = elements(t, v);
  if (!(v instanceof Mutable)) {
    for (let i = 0; i < items.length; i += 1) {
      if (--t.fuel < 0) t.refill();
      if (body(items[i] as Value)) return;
    }
    return;
  }
  v.iterating += 1;
  try {
    for (let i = 0; i < items.length; i += 1) {
      if (--t.fuel < 0) t.refill();
      if (body(items[i] as Value)) return;
    }
  } finally {
    v.iterating -= 1;
  }
}

/** `len(v)`, or undefined for values without a length. */
export function lengthOf(v: Value): number | undefined {
  if (typeof v === 'string') return v.length;
  if (v instanceof StarList || v instanceof StarTuple) return v.items.length;
  if (v instanceof Table) return v.map.size;
  if (v instanceof StarRange) return v.length;
  if (v instanceof StarBytes) return v.data.length;
  if (v instanceof StarIterable) return v.length();
  return undefined;
}

/** `x in y`. */
export function contains(t: Thread, x: Value, y: Value): boolean {
  if (y instanceof Table) return y.lookup(t, x) !== undefined;
  if (y instanceof StarList || y instanceof StarTuple) {
    t.charge(y.items.length / 4);
    return y.items.some((item) => equals(t, item, x));
  }
  if (x instanceof OpaqueString && typeof y === 'string') throw x.refuse("the operator 'in'");
  if (y instanceof OpaqueString) throw y.refuse("the operator 'in'");
  if (typeof y === 'string') {
    if (typeof x !== 'string')
      throw new StarlarkError(`'in <string>' requires string as left operand, not ${typeName(x)}`);
    t.charge((y.length / 64) * Math.min(8, x.length + 1));
    return y.includes(x);
  }
  if (y instanceof StarRange) return inRange(x, y);
  if (y instanceof StarBytes) return inBytes(t, x, y);
  if (y instanceof StarIterable) {
    let found = false;
    forEach(t, y, (item) => (found = equals(t, item, x)));
    return found;
  }
  if (y instanceof HostObject) {
    const result = y.binary?.('in', x, true);
    if (typeof result === 'boolean') return result;
  }
  throw new StarlarkError(`unsupported binary operation: ${typeName(x)} in ${typeName(y)}`);
}

function inRange(x: Value, range: StarRange): boolean {
  const n = typeof x === 'object' && x !== null && 'value' in x ? x.value : x;
  if (typeof n !== 'number') return false;
  const i = (n - range.start) / range.step;
  return Number.isInteger(i) && i >= 0 && i < range.length;
}

function inBytes(t: Thread, x: Value, y: StarBytes): boolean {
  t.charge(y.data.length / 8);
  if (typeof x === 'number') {
    if (x < 0 || x > 255) throw new StarlarkError(`int in bytes: ${x} out of range`);
    return y.data.includes(x);
  }
  if (!(x instanceof StarBytes))
    throw new StarlarkError(`'in bytes' requires bytes or int as left operand, not ${typeName(x)}`);
  t.charge((y.data.length * Math.min(8, x.data.length)) / 8);
  for (let i = 0; i + x.data.length <= y.data.length; i += 1) {
    if (x.data.every((byte, j) => y.data[i + j] === byte)) return true;
  }
  return false;
}

/** The elements for `a, b = v`; throws unless there are exactly `count`. */
export function unpack(t: Thread, v: Value, count: number): readonly Value[] {
  if (!isIterable(v)) {
    throw new StarlarkError(`got '${typeName(v)}' in sequence assignment (want ${count}-element sequence)`);
  }
  const known = lengthOf(v);
  if (known === undefined || known === count) {
    const items = elements(t, v);
    if (items.length === count) return items;
  }
  const got = known ?? 'more';
  throw new StarlarkError(
    `too ${known !== undefined && known < count ? 'few' : 'many'} values to unpack (got ${got}, want ${count})`,
  );
}

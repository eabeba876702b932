/** `==` and `<`. Charges a step per value visited; follows nested and cyclic values to the value depth only. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import {
  HostObject,
  StarBytes,
  StarFloat,
  StarList,
  StarObject,
  StarRange,
  StarStruct,
  StarTuple,
  typeName,
  type Value,
} from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { StarDict, StarSet } from '../values/table.ts';

function tooDeep(): StarlarkError {
  return new StarlarkError('comparison: values are nested too deeply or contain themselves', 'compare_depth');
}

/** Whether two values are equal. 1 == 1.0, True != 1, NaN == NaN. Never throws but for budgets and opaque text. */
export function equals(t: Thread, a: Value, b: Value, depth = 0): boolean {
  if (typeof a !== 'object' && typeof b !== 'object') {
    if (typeof a === 'string' && typeof b === 'string' && a.length > 256) t.charge(a.length / 256);
    return a === b;
  }
  if (a === null || b === null) return a === b;
  if (a instanceof OpaqueString || b instanceof OpaqueString) return opaqueEquals(a, b);
  if (a instanceof StarFloat || b instanceof StarFloat) return floatEquals(a, b);
  if (!(a instanceof StarObject) || !(b instanceof StarObject)) return false;
  if (--t.fuel < 0) t.refill();
  if (a.constructor !== b.constructor && !(a instanceof StarDict && b instanceof StarDict)) return false;
  return compositeEquals(t, a, b, depth);
}

/** Two texts of which one is opaque can't be compared, not even with themselves; anything else differs. */
function opaqueEquals(a: Value, b: Value): boolean {
  const [opaque, other] = a instanceof OpaqueString ? [a, b] : [b as OpaqueString, a];
  if (other === '') return false;
  if (typeof other === 'string' || other instanceof OpaqueString) throw opaque.refuse('a comparison');
  return false;
}

function floatEquals(a: Value, b: Value): boolean {
  const x = a instanceof StarFloat ? a.value : a;
  const y = b instanceof StarFloat ? b.value : b;
  if (typeof x === 'number' && typeof y === 'number') return x === y || (Number.isNaN(x) && Number.isNaN(y));
  if (typeof x === 'number' && typeof y === 'bigint') return Number.isInteger(x) && BigInt(x) === y;
  if (typeof x === 'bigint' && typeof y === 'number') return Number.isInteger(y) && BigInt(y) === x;
  return false;
}

function compositeEquals(t: Thread, a: StarObject, b: StarObject, depth: number): boolean {
  if (a instanceof StarList) return sequenceEquals(t, a.items, (b as StarList).items, depth);
  if (a instanceof StarTuple) return sequenceEquals(t, a.items, (b as StarTuple).items, depth);
  if (a instanceof StarDict) {
    const other = b as StarDict;
    if (a.map.size !== other.map.size) return false;
    if (depth > t.limits.valueDepth) throw tooDeep();
    for (const [key, value] of a.map) {
      const found = other.lookup(t, a.restore(key));
      if (found === undefined || !equals(t, value, found, depth + 1)) return false;
    }
    return true;
  }
  if (a instanceof StarSet) {
    const other = b as StarSet;
    return a.map.size === other.map.size && a.keys().every((key) => other.lookup(t, key) !== undefined);
  }
  if (a instanceof StarBytes) {
    const other = (b as StarBytes).data;
    t.charge(other.length / 64);
    return a.data.length === other.length && a.data.every((byte, i) => byte === other[i]);
  }
  if (a instanceof StarRange) {
    const other = b as StarRange;
    if (a.length !== other.length) return false;
    return a.length === 0 || (a.start === other.start && (a.length === 1 || a.step === other.step));
  }
  if (a instanceof StarStruct) {
    const other = (b as StarStruct).fields;
    if (depth > t.limits.valueDepth) throw tooDeep();
    if (a.fields.size !== other.size) return false;
    for (const [key, value] of a.fields) {
      const found = other.get(key);
      if (found === undefined || !equals(t, value, found, depth + 1)) return false;
    }
    return true;
  }
  if (a instanceof HostObject) return a.binary?.('==', b, false) === true || a === b;
  return a === b;
}

function sequenceEquals(t: Thread, a: readonly Value[], b: readonly Value[], depth: number): boolean {
  if (a.length !== b.length) return false;
  if (depth > t.limits.valueDepth) throw tooDeep();
  for (let i = 0; i < a.length; i += 1) {
    if (!equals(t, a[i] as Value, b[i] as Value, depth + 1)) return false;
  }
  return true;
}

/** The order of two values: negative, 0 or positive. Throws for pairs without one. NaN is the greatest float. */
export function compare(t: Thread, a: Value, b: Value, depth = 0): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length > 256) t.charge(Math.min(a.length, b.length) / 256);
    return order(a, b);
  }
  if (a instanceof OpaqueString || b instanceof OpaqueString) throw opaqueOrder(a, b);
  const x = a instanceof StarFloat ? a.value : a;
  const y = b instanceof StarFloat ? b.value : b;
  if ((typeof x === 'number' || typeof x === 'bigint') && (typeof y === 'number' || typeof y === 'bigint')) {
    if (typeof x === 'number' && Number.isNaN(x)) return typeof y === 'number' && Number.isNaN(y) ? 0 : 1;
    if (typeof y === 'number' && Number.isNaN(y)) return -1;
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof StarList && b instanceof StarList) return sequenceOrder(t, a.items, b.items, depth);
  if (a instanceof StarTuple && b instanceof StarTuple) return sequenceOrder(t, a.items, b.items, depth);
  if (a instanceof StarBytes && b instanceof StarBytes) return bytesOrder(t, a.data, b.data);
  throw new StarlarkError(`unsupported comparison: ${typeName(a)} <=> ${typeName(b)}${orderHint(a, b)}`);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a === b ? 0 : 1;
}

function opaqueOrder(a: Value, b: Value): StarlarkError {
  const text = (v: Value): boolean => typeof v === 'string' || v instanceof OpaqueString;
  if (text(a) && text(b)) return (a instanceof OpaqueString ? a : (b as OpaqueString)).refuse('a comparison');
  return new StarlarkError(`unsupported comparison: ${typeName(a)} <=> ${typeName(b)}`);
}

function orderHint(a: Value, b: Value): string {
  if (a === null || b === null) return ' (None has no order: compare with == first)';
  return typeof a === 'string' || typeof b === 'string'
    ? ' (convert with int(x), float(x) or str(x) first)'
    : '';
}

function sequenceOrder(t: Thread, a: readonly Value[], b: readonly Value[], depth: number): number {
  if (depth > t.limits.valueDepth) throw tooDeep();
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i += 1) {
    if (--t.fuel < 0) t.refill();
    const x = a[i] as Value;
    const y = b[i] as Value;
    if (typeof x === 'number' && typeof y === 'number') {
      if (x !== y) return x - y;
    } else if (typeof x === 'string' && typeof y === 'string') {
      if (x !== y) return x < y ? -1 : 1;
    } else if (!equals(t, x, y, depth + 1)) return compare(t, x, y, depth + 1);
  }
  return a.length - b.length;
}

function bytesOrder(t: Thread, a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  t.charge(n / 64);
  for (let i = 0; i < n; i += 1) {
    const d = (a[i] as number) - (b[i] as number);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

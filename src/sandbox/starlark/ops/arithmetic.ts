/**
 * The operators, for every pair of types. Compiled code handles two small ints itself and comes here for the rest.
 * Whatever grows is charged before it exists.
 */
import { BYTES_BYTES, FLOAT_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import {
  HostObject,
  StarBytes,
  StarFloat,
  StarList,
  StarTuple,
  typeName,
  type Value,
} from '../values/objects.ts';
import { joinParts, OpaqueString, partLength, type TextPart } from '../values/opaque.ts';
import { StarDict } from '../values/table.ts';
import { intToFloat, limbs, normalize } from './number-text.ts';
import { formatPercent } from './format-percent.ts';
import { setOperation, unionDicts } from './set-operations.ts';

export type BinaryOp = '+' | '-' | '*' | '/' | '//' | '%' | '&' | '|' | '^' | '<<' | '>>';

/** Shifts of this many bits and more are refused, as in the other implementations. */
const MAX_SHIFT = 512;

type Int = number | bigint;

function isInt(v: Value): v is Int {
  return typeof v === 'number' || typeof v === 'bigint';
}

function isNumber(v: Value): v is Int | StarFloat {
  return typeof v === 'number' || typeof v === 'bigint' || v instanceof StarFloat;
}

function toFloat(v: Int | StarFloat): number {
  return v instanceof StarFloat ? v.value : intToFloat(v);
}

/** `a op b`. */
export function binary(t: Thread, op: BinaryOp, a: Value, b: Value): Value {
  if (isNumber(a) && isNumber(b)) {
    if (a instanceof StarFloat || b instanceof StarFloat || op === '/') {
      const result = floatOperation(op, a, b);
      if (result !== undefined) {
        t.allocate(FLOAT_BYTES);
        return new StarFloat(result);
      }
    } else return intOperation(t, op, a, b);
  } else {
    const result = otherOperation(t, op, a, b);
    if (result !== undefined) return result;
    if (a instanceof HostObject) {
      const value = a.binary?.(op, b, false);
      if (value !== undefined) return value;
    }
    if (b instanceof HostObject) {
      const value = b.binary?.(op, a, true);
      if (value !== undefined) return value;
    }
  }
  throw new StarlarkError(
    `unsupported binary operation: ${typeName(a)} ${op} ${typeName(b)}${operandHint(op, a, b)}`,
  );
}

function operandHint(op: BinaryOp, a: Value, b: Value): string {
  const text = typeof a === 'string' || typeof b === 'string';
  if (op === '+' && text) return ' (convert with str(x), int(x) or float(x) first)';
  if (op === '+' && a instanceof StarDict && b instanceof StarDict) return ' (use a | b)';
  if (op === '+' && (a instanceof StarList || a instanceof StarTuple))
    return ' (both sides must be lists, or both tuples)';
  if (a === null || b === null) return ' (one side is None)';
  return '';
}

function floatOperation(op: BinaryOp, a: Int | StarFloat, b: Int | StarFloat): number | undefined {
  const x = toFloat(a);
  const y = toFloat(b);
  switch (op) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      if (y === 0) throw new StarlarkError('floating-point division by zero');
      return x / y;
    case '//':
      if (y === 0) throw new StarlarkError('integer division by zero');
      return Math.floor(x / y) === 0 && x !== 0 && x < 0 !== y < 0
        ? floorOfNegative(x, y)
        : Math.floor(x / y);
    case '%': {
      if (y === 0) throw new StarlarkError('floating-point modulo by zero');
      const r = x % y;
      // The result has the sign of the divisor.
      return r !== 0 && r < 0 !== y < 0 ? r + y : r;
    }
    default:
      return undefined;
  }
}

/** A quotient between -1 and -0 floors to -1, but a finite number by an infinite one is a zero with a sign. */
function floorOfNegative(x: number, y: number): number {
  return Number.isFinite(y) ? -1 : Math.sign(x) === Math.sign(y) ? 0 : -0;
}

function intOperation(t: Thread, op: BinaryOp, a: Int, b: Int): Value {
  if (typeof a === 'number' && typeof b === 'number') {
    const small = smallInts(op, a, b);
    if (small !== undefined) return small;
  }
  const x = BigInt(a);
  const y = BigInt(b);
  // Two small ints make no more than two digits of 64 bits.
  if (typeof a === 'number' && typeof b === 'number' && op !== '<<') t.allocate(32);
  else chargeInts(t, op, x, y);
  switch (op) {
    case '+':
      return normalize(x + y);
    case '-':
      return normalize(x - y);
    case '*':
      return normalize(x * y);
    case '//': {
      const q = x / y;
      return normalize(x % y !== 0n && x < 0n !== y < 0n ? q - 1n : q);
    }
    case '%': {
      const r = x % y;
      return normalize(r !== 0n && r < 0n !== y < 0n ? r + y : r);
    }
    case '&':
      return normalize(x & y);
    case '|':
      return normalize(x | y);
    case '^':
      return normalize(x ^ y);
    case '<<':
      return normalize(x << y);
    case '>>':
      return normalize(x >> y);
    case '/':
      return new StarFloat(intToFloat(a) / intToFloat(b));
  }
}

/** Two small ints; undefined when the exact result may not be small. */
function smallInts(op: BinaryOp, a: number, b: number): number | undefined {
  switch (op) {
    case '+':
      return safe(a + b);
    case '-':
      return safe(a - b);
    case '*':
      return safe(a * b);
    case '//':
      if (b === 0) throw new StarlarkError('integer division by zero');
      return floorDivide(a, b);
    case '%':
      if (b === 0) throw new StarlarkError('integer modulo by zero');
      return modulo(a, b);
    case '<<':
      checkShift(b);
      return b < 53 ? safe(a * 2 ** b) : undefined;
    case '>>':
      if (b < 0) throw new StarlarkError(`negative shift count: ${b}`);
      return b > 60 ? (a < 0 ? -1 : 0) : Math.floor(a / 2 ** b);
    case '&':
      return (a | 0) === a && (b | 0) === b ? a & b : undefined;
    case '|':
      return (a | 0) === a && (b | 0) === b ? a | b : undefined;
    case '^':
      return (a | 0) === a && (b | 0) === b ? a ^ b : undefined;
    case '/':
      return undefined;
  }
}

function safe(v: number): number | undefined {
  // A sum with -0 can't reach here from ints, a product can: 0 * -1.
  return Number.isSafeInteger(v) ? v + 0 : undefined;
}

/** Exact floor of a quotient of safe ints: the remainder is exact, so the division below is too. */
export function floorDivide(a: number, b: number): number {
  return (a - modulo(a, b)) / b + 0;
}

/** The remainder with the sign of the divisor, never -0. */
export function modulo(a: number, b: number): number {
  const r = a % b;
  return (r !== 0 && r < 0 !== b < 0 ? r + b : r) + 0;
}

function checkShift(b: Int): void {
  if (b < 0) throw new StarlarkError(`negative shift count: ${b}`);
  if (b >= MAX_SHIFT) throw new StarlarkError(`shift count too large: ${b} (the most is ${MAX_SHIFT - 1})`);
}

/** Checks and charges an operation of large ints: 64-bit digits are bytes * 8, products are digits times digits. */
function chargeInts(t: Thread, op: BinaryOp, x: bigint, y: bigint): void {
  if ((op === '//' || op === '%') && y === 0n) {
    throw new StarlarkError(`integer ${op === '%' ? 'modulo' : 'division'} by zero`);
  }
  if (op === '<<') checkShift(y);
  if (op === '>>' && y < 0n) throw new StarlarkError(`negative shift count: ${y}`);
  const m = limbs(x);
  const n = limbs(y);
  const product = op === '*' || op === '//' || op === '%';
  t.charge(product ? 1 + (m * n) / 64 : 1 + (m + n) / 64);
  t.allocate(16 + 8 * (op === '*' ? m + n : op === '<<' ? m + 8 : Math.max(m, n) + 1));
}

function isText(v: Value): v is TextPart {
  return typeof v === 'string' || v instanceof OpaqueString;
}

function otherOperation(t: Thread, op: BinaryOp, a: Value, b: Value): Value | undefined {
  switch (op) {
    case '+':
      return add(t, a, b);
    case '*':
      return isInt(b) && !isInt(a) ? repeat(t, a, b) : isInt(a) ? repeat(t, b, a) : undefined;
    case '%':
      if (a instanceof OpaqueString) throw a.refuse('a template');
      return typeof a === 'string' ? formatPercent(t, a, b) : undefined;
    case '|':
      if (a instanceof StarDict && b instanceof StarDict) return unionDicts(t, a, b);
      return setOperation(t, op, a, b);
    case '&':
    case '^':
    case '-':
      return setOperation(t, op, a, b);
    default:
      return undefined;
  }
}

function add(t: Thread, a: Value, b: Value): Value | undefined {
  if (isText(a) && isText(b)) {
    t.allocateString(partLength(a) + partLength(b));
    return typeof a === 'string' && typeof b === 'string' ? a + b : joinParts([a, b]);
  }
  if (a instanceof StarList && b instanceof StarList) {
    t.allocateList(a.items.length + b.items.length);
    return new StarList(a.items.concat(b.items));
  }
  if (a instanceof StarTuple && b instanceof StarTuple) {
    t.allocateList(a.items.length + b.items.length);
    return new StarTuple(a.items.concat(b.items));
  }
  if (a instanceof StarBytes && b instanceof StarBytes) {
    t.allocate(BYTES_BYTES + a.data.length + b.data.length);
    t.charge((a.data.length + b.data.length) / 64);
    const data = new Uint8Array(a.data.length + b.data.length);
    data.set(a.data);
    data.set(b.data, a.data.length);
    return new StarBytes(data);
  }
  return undefined;
}

/** A sequence several times over; charges the result before it is built. */
function repeat(t: Thread, v: Value, count: Int): Value | undefined {
  const n = count <= 0 ? 0 : Number(count);
  if (typeof v === 'string') {
    if (n === 0 || v === '') return '';
    t.allocateString(v.length * n);
    return v.repeat(n);
  }
  if (v instanceof OpaqueString) {
    if (n === 0) return '';
    t.allocateString(v.size * n);
    return joinParts(Array.from({ length: n }, () => v));
  }
  if (v instanceof StarList || v instanceof StarTuple) {
    t.allocateList(v.items.length * n);
    const items = repeatItems(v.items, n);
    return v instanceof StarList ? new StarList(items) : new StarTuple(items);
  }
  if (v instanceof StarBytes) {
    t.allocate(BYTES_BYTES + v.data.length * n);
    t.charge((v.data.length * n) / 64);
    const data = new Uint8Array(v.data.length * n);
    for (let i = 0; i < n && v.data.length > 0; i += 1) data.set(v.data, i * v.data.length);
    return new StarBytes(data);
  }
  return undefined;
}

function repeatItems(items: readonly Value[], n: number): Value[] {
  const out: Value[] = [];
  if (items.length > 0) for (let i = 0; i < n; i += 1) for (const item of items) out.push(item);
  return out;
}

function negated(t: Thread, v: StarFloat): StarFloat {
  t.allocate(FLOAT_BYTES);
  return new StarFloat(-v.value);
}

/** `-x`, `+x`, `~x`. */
export function unary(t: Thread, op: '-' | '+' | '~', v: Value): Value {
  if (isInt(v)) {
    if (op === '+') return v;
    if (op === '-') return typeof v === 'number' ? 0 - v : normalize(-v);
    return typeof v === 'number' ? -1 - v : normalize(~v);
  }
  if (v instanceof StarFloat && op !== '~') return op === '+' ? v : negated(t, v);
  if (v instanceof HostObject) {
    const result = v.binary?.(`unary ${op}`, null, false);
    if (result !== undefined) return result;
  }
  t.charge(1);
  throw new StarlarkError(`unsupported unary operation: ${op}${typeName(v)}`);
}

/** Operators. The pairs that programs use most are handled in line, with exact fall-backs for everything else. */
import type { Site } from '../errors.ts';
import { binary, floorDivide, modulo, unary } from '../ops/arithmetic.ts';
import { compare, equals } from '../ops/equality.ts';
import { contains } from '../ops/iterate.ts';
import { compareSets } from '../ops/set-operations.ts';
import type { ArithmeticOp, Binary, CompareOp, Conditional, Unary } from '../syntax/ast.ts';
import type { Thread } from '../thread.ts';
import type { Cell, Expr, Frame } from '../values/function.ts';
import { truth, type Value } from '../values/objects.ts';
import { StarSet } from '../values/table.ts';
import { rethrow, type Context } from './context.ts';
import { plainSlot } from './names.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/** `a op b` where an error is reported at the site. */
export function arithmetic(t: Thread, op: ArithmeticOp, a: Value, b: Value, site: Site): Value {
  try {
    return binary(t, op, a, b);
  } catch (error) {
    return rethrow(error, site);
  }
}

/** The remainder of two ints of which the second is positive. Small machine ints take the machine's way. */
function remainder(a: number, b: number): number {
  return a >= 0 && a <= 0x7fffffff && b <= 0x7fffffff ? (a | 0) % (b | 0) : remainderOfLarge(a, b);
}

function remainderOfLarge(a: number, b: number): number {
  if (a < 0 || a + b > MAX) return modulo(a, b);
  // The rounded quotient is off by one at most, and everything here is exact below 2**53.
  const r = a - Math.floor(a / b) * b;
  return r < 0 ? r + b : r >= b ? r - b : r;
}

/**
 * Operands that are plain local variables are read from their slot (`ls`, `rs`; 0 for everything else), which saves a
 * call. An unassigned one is found on the slow way, where its closure throws.
 */
type Make = (t: Thread, l: Expr, r: Expr, site: Site, ls: number, rs: number) => Expr;
type MakeConstant = (t: Thread, l: Expr, k: number, site: Site, ls: number) => Expr;

/** The value that was read, or what its own closure says. */
function given(v: Value | Cell | undefined, f: Frame, expr: Expr): Value {
  return v === undefined ? expr(f) : (v as Value);
}

const GENERAL: Readonly<Partial<Record<ArithmeticOp, Make>>> = {
  '+': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    if (typeof a === 'number' && typeof b === 'number') {
      const v = a + b;
      if (v <= MAX && v >= -MAX) return v;
    }
    return arithmetic(t, '+', given(a, f, l), given(b, f, r), site);
  },
  '-': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    if (typeof a === 'number' && typeof b === 'number') {
      const v = a - b;
      if (v <= MAX && v >= -MAX) return v;
    }
    return arithmetic(t, '-', given(a, f, l), given(b, f, r), site);
  },
  '*': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    if (typeof a === 'number' && typeof b === 'number') {
      const v = a * b;
      if (v <= MAX && v >= -MAX) return v + 0;
    }
    return arithmetic(t, '*', given(a, f, l), given(b, f, r), site);
  },
  '%': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    if (typeof a === 'number' && typeof b === 'number' && b > 0) return remainder(a, b);
    return arithmetic(t, '%', given(a, f, l), given(b, f, r), site);
  },
  '//': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    if (typeof a === 'number' && typeof b === 'number' && b !== 0) return floorDivide(a, b);
    return arithmetic(t, '//', given(a, f, l), given(b, f, r), site);
  },
};

/** The right side is a small int literal. */
const CONSTANT: Readonly<Partial<Record<ArithmeticOp, MakeConstant>>> = {
  '+': (t, l, k, site, ls) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    if (typeof a === 'number') {
      const v = a + k;
      if (v <= MAX) return v;
    }
    return arithmetic(t, '+', given(a, f, l), k, site);
  },
  '-': (t, l, k, site, ls) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    if (typeof a === 'number') {
      const v = a - k;
      if (v >= -MAX) return v;
    }
    return arithmetic(t, '-', given(a, f, l), k, site);
  },
  '*': (t, l, k, site, ls) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    if (typeof a === 'number') {
      const v = a * k;
      if (v <= MAX && v >= -MAX) return v + 0;
    }
    return arithmetic(t, '*', given(a, f, l), k, site);
  },
  '%': (t, l, k, site, ls) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    if (typeof a === 'number' && k > 0) return remainder(a, k);
    return arithmetic(t, '%', given(a, f, l), k, site);
  },
};

function order(t: Thread, op: CompareOp, a: Value, b: Value, site: Site): boolean {
  try {
    switch (op) {
      case '==':
        return equals(t, a, b);
      case '!=':
        return !equals(t, a, b);
      case 'in':
        return contains(t, a, b);
      case 'not in':
        return !contains(t, a, b);
      default:
        if (a instanceof StarSet && b instanceof StarSet) return compareSets(t, op, a, b);
        break;
    }
    const c = compare(t, a, b);
    return op === '<' ? c < 0 : op === '<=' ? c <= 0 : op === '>' ? c > 0 : c >= 0;
  } catch (error) {
    return rethrow(error, site);
  }
}

const COMPARE: Readonly<Record<CompareOp, Make>> = {
  '==': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    return typeof a === 'number' && typeof b === 'number'
      ? a === b
      : order(t, '==', given(a, f, l), given(b, f, r), site);
  },
  '!=': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    return typeof a === 'number' && typeof b === 'number'
      ? a !== b
      : order(t, '!=', given(a, f, l), given(b, f, r), site);
  },
  '<': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    return typeof a === 'number' && typeof b === 'number'
      ? a < b
      : order(t, '<', given(a, f, l), given(b, f, r), site);
  },
  '>': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    return typeof a === 'number' && typeof b === 'number'
      ? a > b
      : order(t, '>', given(a, f, l), given(b, f, r), site);
  },
  '<=': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    return typeof a === 'number' && typeof b === 'number'
      ? a <= b
      : order(t, '<=', given(a, f, l), given(b, f, r), site);
  },
  '>=': (t, l, r, site, ls, rs) => (f) => {
    const a = ls > 0 ? f[ls] : l(f);
    const b = rs > 0 ? f[rs] : r(f);
    return typeof a === 'number' && typeof b === 'number'
      ? a >= b
      : order(t, '>=', given(a, f, l), given(b, f, r), site);
  },
  in: (t, l, r, site) => (f) => order(t, 'in', l(f), r(f), site),
  'not in': (t, l, r, site) => (f) => order(t, 'not in', l(f), r(f), site),
};

export function compileBinary(c: Context, node: Binary): Expr {
  const l = c.expr(node.left);
  const r = c.expr(node.right);
  const { t } = c;
  const site = c.site(node.pos);
  const { op, right } = node;
  const ls = plainSlot(node.left);
  const rs = plainSlot(right);
  if (op === 'and') {
    return (f) => {
      const a = l(f);
      return a === false || (a !== true && !truth(a)) ? a : r(f);
    };
  }
  if (op === 'or') {
    return (f) => {
      const a = l(f);
      return a === true || (a !== false && truth(a)) ? a : r(f);
    };
  }
  if (op in COMPARE) return COMPARE[op as CompareOp](t, l, r, site, ls, rs);
  const arithmeticOp = op as ArithmeticOp;
  if (right.kind === 'literal' && typeof right.value === 'number') {
    const make = CONSTANT[arithmeticOp];
    if (make !== undefined) return make(t, l, right.value, site, ls);
  }
  const make = GENERAL[arithmeticOp];
  if (make !== undefined) return make(t, l, r, site, ls, rs);
  return (f) => arithmetic(t, arithmeticOp, l(f), r(f), site);
}

export function compileUnary(c: Context, node: Unary): Expr {
  const { op } = node;
  const operand = c.expr(node.operand);
  if (op === 'not') {
    return (f) => {
      const v = operand(f);
      return v === false || (v !== true && !truth(v));
    };
  }
  const { t } = c;
  const site = c.site(node.pos);
  return (f) => {
    try {
      return unary(t, op, operand(f));
    } catch (error) {
      return rethrow(error, site);
    }
  };
}

export function compileConditional(c: Context, node: Conditional): Expr {
  const test = c.expr(node.test);
  const yes = c.expr(node.yes);
  const no = c.expr(node.no);
  return (f) => {
    const v = test(f);
    return v === true || (v !== false && truth(v)) ? yes(f) : no(f);
  };
}

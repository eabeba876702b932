/** List, tuple and dict displays, and comprehensions. */
import { StarlarkError, type Site } from '../errors.ts';
import { PAIR_BYTES, SLOT_BYTES } from '../meter.ts';
import { forEach } from '../ops/iterate.ts';
import { repr } from '../ops/repr.ts';
import type { Clause, Comprehension, DictDisplay, Sequence } from '../syntax/ast.ts';
import type { Thread } from '../thread.ts';
import { Cell, type Expr, type Frame } from '../values/function.ts';
import { StarList, StarRange, StarTuple, truth, type Value } from '../values/objects.ts';
import { newDict, type StarDict } from '../values/table.ts';
import { rethrow, type Context } from './context.ts';
import { plainSlot } from './names.ts';

export function compileSequence(c: Context, node: Sequence): Expr {
  const items = node.items.map((item) => c.expr(item));
  const { t } = c;
  const isList = node.kind === 'list';
  const [first, second] = items;
  if (!isList && items.length === 2 && first !== undefined && second !== undefined) {
    return (f) => {
      t.allocate(PAIR_BYTES);
      return new StarTuple([first(f), second(f)]);
    };
  }
  const blank: Value[] = items.map(() => null);
  if (items.length === 0) {
    return () => {
      t.allocateList(0);
      return isList ? new StarList([]) : new StarTuple([]);
    };
  }
  return (f) => {
    t.allocateList(items.length);
    // A copy has exactly the room it needs.
    const values = blank.slice();
    for (let i = 0; i < items.length; i += 1) values[i] = (items[i] as Expr)(f);
    return isList ? new StarList(values) : new StarTuple(values);
  };
}

export function compileDict(c: Context, node: DictDisplay): Expr {
  const { t } = c;
  const entries = node.entries.map((entry) => ({
    key: c.expr(entry.key),
    value: c.expr(entry.value),
    site: c.site(entry.pos),
  }));
  return (f) => {
    const dict = newDict(t);
    for (let i = 0; i < entries.length; i += 1) {
      const { key, value, site } = entries[i] as (typeof entries)[0];
      const k = key(f);
      const v = value(f);
      const before = dict.map.size;
      try {
        dict.put(t, k, v);
        if (dict.map.size === before)
          throw new StarlarkError(`dictionary expression has duplicate key: ${repr(t, k)}`);
      } catch (error) {
        rethrow(error, site);
      }
    }
    return dict;
  };
}

/** A part of a comprehension: adds to what is being built. */
type Step<A> = (f: Frame, out: A) => void;

function loopStep<A>(c: Context, clause: Extract<Clause, { kind: 'for' }>, inner: Step<A>): Step<A> {
  const { t } = c;
  const iterable = c.expr(clause.iterable);
  const store = c.store(clause.target);
  const slot = plainSlot(clause.target);
  const site = c.site(clause.pos);
  return (f, out) => {
    const values = iterable(f);
    if (values instanceof StarRange) {
      for (let i = 0, v = values.start; i < values.length; i += 1, v += values.step) {
        if (--t.fuel < 0) t.refill();
        if (slot > 0) f[slot] = v;
        else store(f, v);
        inner(f, out);
      }
      return;
    }
    runLoop(t, values, site, (item) => {
      if (slot > 0) f[slot] = item;
      else store(f, item);
      inner(f, out);
    });
  };
}

/** `forEach` where only the error of the loop itself is placed at the loop. */
function runLoop(t: Thread, values: Value, site: Site, body: (item: Value) => void): void {
  let inside = false;
  try {
    forEach(t, values, (item) => {
      inside = true;
      body(item);
      inside = false;
      return false;
    });
  } catch (error) {
    if (inside) throw error;
    rethrow(error, site);
  }
}

function ifStep<A>(test: Expr, inner: Step<A>): Step<A> {
  return (f, out) => {
    const v = test(f);
    if (v === true || (v !== false && truth(v))) inner(f, out);
  };
}

function clauseSteps<A>(c: Context, node: Comprehension, innermost: Step<A>): Step<A> {
  return node.clauses.reduceRight<Step<A>>(
    (inner, clause) =>
      clause.kind === 'for' ? loopStep(c, clause, inner) : ifStep(c.expr(clause.test), inner),
    innermost,
  );
}

/** Variables of a comprehension begin unassigned each time. */
function resetter(node: Comprehension): (f: Frame) => void {
  const plain = (node.locals ?? []).filter((b) => !b.captured).map((b) => b.slot);
  const cells = (node.locals ?? []).filter((b) => b.captured).map((b) => b.slot);
  return (f) => {
    for (let i = 0; i < plain.length; i += 1) f[plain[i] as number] = undefined;
    for (let i = 0; i < cells.length; i += 1) f[cells[i] as number] = new Cell(undefined);
  };
}

export function compileComprehension(c: Context, node: Comprehension): Expr {
  const { t } = c;
  const reset = resetter(node);
  if ('key' in node.body) {
    const key = c.expr(node.body.key);
    const value = c.expr(node.body.value);
    const site = c.site(node.body.pos);
    const run = clauseSteps<StarDict>(c, node, (f, out) => {
      const k = key(f);
      const v = value(f);
      try {
        out.put(t, k, v);
      } catch (error) {
        rethrow(error, site);
      }
    });
    return (f) => {
      reset(f);
      const out = newDict(t);
      run(f, out);
      return out;
    };
  }
  const body = c.expr(node.body);
  const run = clauseSteps<Value[]>(c, node, (f, out) => {
    t.allocate(SLOT_BYTES);
    out.push(body(f));
  });
  return (f) => {
    t.allocateList(0);
    reset(f);
    const out: Value[] = [];
    run(f, out);
    return new StarList(out);
  };
}

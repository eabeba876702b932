/** Statements. Each returns how it ended; nothing but errors is thrown. */
import { StarlarkError, type Site } from '../errors.ts';
import { extend } from '../builtins/list-methods.ts';
import { forEach, isIterable } from '../ops/iterate.ts';
import type { Assign, For, If, Index, Load, While } from '../syntax/ast.ts';
import type { Thread } from '../thread.ts';
import { BREAK, NEXT, RETURN, type Exec, type Expr, type Frame } from '../values/function.ts';
import { Mutable, StarList, StarRange, StarTuple, truth, type Value } from '../values/objects.ts';
import { StarDict } from '../values/table.ts';
import { getAttr, setAttr } from '../builtins/attributes.ts';
import { load, save } from './access.ts';
import { rethrow, type Context, type Store } from './context.ts';
import { plainSlot } from './names.ts';
import { arithmetic } from './operators.ts';

/** Statements one after the other. A step for each is charged when the block begins. */
export function sequence(t: Thread, steps: readonly Exec[]): Exec {
  const [first, second, third] = steps;
  const n = steps.length;
  if (first === undefined) return () => NEXT;
  if (second === undefined) {
    return (f) => {
      if (--t.fuel < 0) t.refill();
      return first(f);
    };
  }
  if (third === undefined) {
    return (f) => {
      if ((t.fuel -= 2) < 0) t.refill();
      const end = first(f);
      return end === NEXT ? second(f) : end;
    };
  }
  return (f) => {
    if ((t.fuel -= n) < 0) t.refill();
    for (let i = 0; i < n; i += 1) {
      const end = (steps[i] as Exec)(f);
      if (end !== NEXT) return end;
    }
    return NEXT;
  };
}

/** Statements whose steps the caller charges: the body of a loop. */
export function uncharged(steps: readonly Exec[]): Exec {
  const [first, second, third] = steps;
  const n = steps.length;
  if (first === undefined) return () => NEXT;
  if (second === undefined) return first;
  if (third === undefined) {
    return (f) => {
      const end = first(f);
      return end === NEXT ? second(f) : end;
    };
  }
  return (f) => {
    for (let i = 0; i < n; i += 1) {
      const end = (steps[i] as Exec)(f);
      if (end !== NEXT) return end;
    }
    return NEXT;
  };
}

export function compileIf(c: Context, node: If): Exec {
  const tests = node.branches.map((branch) => c.expr(branch.test));
  const bodies = node.branches.map((branch) => c.block(branch.body));
  const otherwise = node.otherwise === undefined ? undefined : c.block(node.otherwise);
  const [test] = tests;
  const [body] = bodies;
  if (tests.length === 1 && test !== undefined && body !== undefined) {
    if (otherwise === undefined) {
      return (f) => {
        const v = test(f);
        return v === true || (v !== false && truth(v)) ? body(f) : NEXT;
      };
    }
    return (f) => {
      const v = test(f);
      return v === true || (v !== false && truth(v)) ? body(f) : otherwise(f);
    };
  }
  return (f) => {
    for (let i = 0; i < tests.length; i += 1) {
      if (truth((tests[i] as Expr)(f))) return (bodies[i] as Exec)(f);
    }
    return otherwise === undefined ? NEXT : otherwise(f);
  };
}

export function compileFor(c: Context, node: For): Exec {
  const iterable = c.expr(node.iterable);
  const store = c.store(node.target);
  const slot = plainSlot(node.target);
  const body = c.loopBody(node.body);
  // A step for the iteration and one for each statement.
  const cost = 1 + node.body.length;
  const site = c.site(node.pos);
  const { t } = c;
  const put: Store =
    slot > 0
      ? (f, v) => {
          f[slot] = v;
        }
      : store;
  return (f) => {
    const values = iterable(f);
    if (values instanceof StarRange) return loopRange(t, f, values, slot, store, body, cost);
    if (values instanceof StarList || values instanceof StarTuple)
      return loopItems(t, f, values, slot, store, body, cost);
    return loopAny(t, f, values, put, body, cost, site);
  };
}

function loopRange(
  t: Thread,
  f: Frame,
  range: StarRange,
  slot: number,
  store: Store,
  body: Exec,
  cost: number,
): number {
  const { length, step } = range;
  let v = range.start;
  for (let i = 0; i < length; i += 1) {
    if ((t.fuel -= cost) < 0) t.refill();
    if (slot > 0) f[slot] = v;
    else store(f, v);
    v += step;
    const end = body(f);
    if (end !== NEXT) {
      if (end === BREAK) return NEXT;
      if (end === RETURN) return RETURN;
    }
  }
  return NEXT;
}

function loopItems(
  t: Thread,
  f: Frame,
  values: StarList | StarTuple,
  slot: number,
  store: Store,
  body: Exec,
  cost: number,
): number {
  const { items } = values;
  if (values instanceof Mutable) values.iterating += 1;
  try {
    for (let i = 0; i < items.length; i += 1) {
      if ((t.fuel -= cost) < 0) t.refill();
      const v = items[i] as Value;
      if (slot > 0) f[slot] = v;
      else store(f, v);
      const end = body(f);
      if (end !== NEXT) {
        if (end === BREAK) return NEXT;
        if (end === RETURN) return RETURN;
      }
    }
  } finally {
    if (values instanceof Mutable) values.iterating -= 1;
  }
  return NEXT;
}

function loopAny(
  t: Thread,
  f: Frame,
  values: Value,
  put: Store,
  body: Exec,
  cost: number,
  site: Site,
): number {
  let end = NEXT;
  let inside = false;
  try {
    forEach(t, values, (item) => {
      inside = true;
      // The iteration itself is charged by forEach.
      if ((t.fuel -= cost - 1) < 0) t.refill();
      put(f, item);
      end = body(f);
      inside = false;
      return end === BREAK || end === RETURN;
    });
  } catch (error) {
    if (inside) throw error;
    rethrow(error, site);
  }
  return end === RETURN ? RETURN : NEXT;
}

export function compileWhile(c: Context, node: While): Exec {
  const test = c.expr(node.test);
  const body = c.block(node.body);
  const { t } = c;
  return (f) => {
    while (truth(test(f))) {
      if (--t.fuel < 0) t.refill();
      const end = body(f);
      if (end === BREAK) return NEXT;
      if (end === RETURN) return RETURN;
    }
    return NEXT;
  };
}

export function compileAssign(c: Context, node: Assign): Exec {
  if (node.op !== undefined) return compileAugmented(c, node);
  const { target, value } = node;
  const slot = plainSlot(target);
  if (slot > 0) {
    const expr = c.expr(value);
    return (f) => {
      f[slot] = expr(f);
      return NEXT;
    };
  }
  if (
    (target.kind === 'tuple' || target.kind === 'list') &&
    value.kind === 'tuple' &&
    value.items.length === target.items.length
  ) {
    return parallel(
      value.items.map((item) => c.expr(item)),
      target.items.map((item) => c.store(item)),
    );
  }
  if (target.kind === 'index') return assignElement(c, target, c.expr(value));
  const store = c.store(target);
  const expr = c.expr(value);
  return (f) => {
    store(f, expr(f));
    return NEXT;
  };
}

/** `x[i] = v`: the value first, then the list or dict, then the index. */
function assignElement(c: Context, target: Index, expr: Expr): Exec {
  const object = c.expr(target.object);
  const index = c.expr(target.index);
  const objectSlot = plainSlot(target.object);
  const indexSlot = plainSlot(target.index);
  const { t } = c;
  const site = c.site(target.pos);
  return (f) => {
    const v = expr(f);
    const x = (objectSlot > 0 ? f[objectSlot] : object(f)) as Value | undefined;
    const i = (indexSlot > 0 ? f[indexSlot] : index(f)) as Value | undefined;
    save(t, x === undefined ? object(f) : x, i === undefined ? index(f) : i, v, site);
    return NEXT;
  };
}

/** `a, b = x, y` makes no tuple: all values first, then all stores. */
function parallel(values: readonly Expr[], stores: readonly Store[]): Exec {
  const [first, second] = values;
  const [storeFirst, storeSecond] = stores;
  if (
    values.length === 2 &&
    first !== undefined &&
    second !== undefined &&
    storeFirst !== undefined &&
    storeSecond !== undefined
  ) {
    return (f) => {
      const a = first(f);
      const b = second(f);
      storeFirst(f, a);
      storeSecond(f, b);
      return NEXT;
    };
  }
  return (f) => {
    const all: Value[] = [];
    for (let i = 0; i < values.length; i += 1) all.push((values[i] as Expr)(f));
    for (let i = 0; i < stores.length; i += 1) (stores[i] as Store)(f, all[i] as Value);
    return NEXT;
  };
}

/** `x op= y`: lists and dicts change in place. */
function augment(c: Context, node: Assign): (a: Value, b: Value) => Value {
  const { t } = c;
  const site = c.site(node.pos);
  const op = node.op as NonNullable<Assign['op']>;
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number' && op === '+') {
      const v = a + b;
      if (v <= Number.MAX_SAFE_INTEGER && v >= -Number.MAX_SAFE_INTEGER) return v;
    }
    if (op === '+' && a instanceof StarList && isIterable(b)) {
      try {
        extend(t, a, b);
      } catch (error) {
        rethrow(error, site);
      }
      return a;
    }
    if (op === '|' && a instanceof StarDict && b instanceof StarDict) {
      try {
        a.check('insert into');
        for (const [key, value] of b.map) a.put(t, b.restore(key), value);
      } catch (error) {
        rethrow(error, site);
      }
      return a;
    }
    return arithmetic(t, op, a, b, site);
  };
}

function compileAugmented(c: Context, node: Assign): Exec {
  const apply = augment(c, node);
  const { target } = node;
  const value = c.expr(node.value);
  const { t } = c;
  const site = c.site(target.pos);
  if (target.kind === 'index') {
    const object = c.expr(target.object);
    const index = c.expr(target.index);
    return (f) => {
      const x = object(f);
      const i = index(f);
      const old = load(t, x, i, site);
      save(t, x, i, apply(old, value(f)), site);
      return NEXT;
    };
  }
  if (target.kind === 'attribute') {
    const object = c.expr(target.object);
    const { name } = target;
    return (f) => {
      const x = object(f);
      try {
        const old = getAttr(t, x, name);
        setAttr(x, name, apply(old, value(f)));
      } catch (error) {
        rethrow(error, site);
      }
      return NEXT;
    };
  }
  const read = c.expr(target);
  const slot = plainSlot(target);
  if (slot > 0 && node.op === '+' && node.value.kind === 'literal' && typeof node.value.value === 'number') {
    const k = node.value.value;
    return (f) => {
      const old = f[slot];
      const sum = typeof old === 'number' ? old + k : Infinity;
      f[slot] = sum <= Number.MAX_SAFE_INTEGER ? sum : apply(read(f), k);
      return NEXT;
    };
  }
  if (slot > 0) {
    return (f) => {
      const old = read(f);
      f[slot] = apply(old, value(f));
      return NEXT;
    };
  }
  const store = c.store(target);
  return (f) => {
    const old = read(f);
    store(f, apply(old, value(f)));
    return NEXT;
  };
}

export function compileLoad(c: Context, node: Load): Exec {
  const stores = node.bindings.map(({ local, remote }) => ({ remote, store: c.store(local) }));
  const site = c.site(node.pos);
  return (f) => {
    try {
      const members = c.load?.(node.module);
      if (members === undefined)
        throw new StarlarkError(`cannot load ${node.module}: there are no modules to load`);
      for (const { remote, store } of stores) {
        const v = members.get(remote);
        if (v === undefined)
          throw new StarlarkError(`load: name ${remote} not found in module ${node.module}`);
        store(f, v);
      }
    } catch (error) {
      rethrow(error, site);
    }
    return NEXT;
  };
}

/** `x.name`, `x[i]`, `x[i:j]`, and assignment to them and to lists of targets. */
import { getAttr, setAttr } from '../builtins/attributes.ts';
import type { Site } from '../errors.ts';
import { getIndex, getSlice, setIndex } from '../ops/indexing.ts';
import { unpack } from '../ops/iterate.ts';
import type { Attribute, Expr as Node, Index, Sequence, Slice } from '../syntax/ast.ts';
import type { Thread } from '../thread.ts';
import type { Expr } from '../values/function.ts';
import { StarList, type Value } from '../values/objects.ts';
import { StarDict } from '../values/table.ts';
import { rethrow, type Context, type Store } from './context.ts';
import { plainSlot, storeName } from './names.ts';

export function compileAttribute(c: Context, node: Attribute): Expr {
  const object = c.expr(node.object);
  const { t } = c;
  const { name } = node;
  const site = c.site(node.pos);
  return (f) => {
    const v = object(f);
    try {
      return getAttr(t, v, name);
    } catch (error) {
      return rethrow(error, site);
    }
  };
}

/** `x[i]` with errors at the site. */
export function load(t: Thread, x: Value, i: Value, site: Site): Value {
  if (x instanceof StarDict) {
    if (typeof i === 'string' || typeof i === 'number') {
      const v = x.map.get(i);
      if (v !== undefined) return v;
    }
  } else if (x instanceof StarList && typeof i === 'number') {
    const { items } = x;
    if (i >= 0 && i < items.length) return items[i] as Value;
  }
  try {
    return getIndex(t, x, i);
  } catch (error) {
    return rethrow(error, site);
  }
}

/** `x[i] = v` with errors at the site. */
export function save(t: Thread, x: Value, i: Value, v: Value, site: Site): void {
  if (x instanceof StarList && typeof i === 'number' && !x.frozen && x.iterating === 0) {
    const { items } = x;
    if (i >= 0 && i < items.length) {
      items[i] = v;
      return;
    }
  }
  try {
    setIndex(t, x, i, v);
  } catch (error) {
    rethrow(error, site);
  }
}

export function compileIndex(c: Context, node: Index): Expr {
  const object = c.expr(node.object);
  const index = c.expr(node.index);
  const { t } = c;
  const site = c.site(node.pos);
  const objectSlot = plainSlot(node.object);
  const indexSlot = plainSlot(node.index);
  return (f) => {
    const x = (objectSlot > 0 ? f[objectSlot] : object(f)) as Value | undefined;
    const i = (indexSlot > 0 ? f[indexSlot] : index(f)) as Value | undefined;
    return load(t, x === undefined ? object(f) : x, i === undefined ? index(f) : i, site);
  };
}

export function compileSlice(c: Context, node: Slice): Expr {
  const object = c.expr(node.object);
  const absent: Expr = () => null;
  const start = node.start === undefined ? absent : c.expr(node.start);
  const stop = node.stop === undefined ? absent : c.expr(node.stop);
  const step = node.step === undefined ? absent : c.expr(node.step);
  const { t } = c;
  const site = c.site(node.pos);
  return (f) => {
    const x = object(f);
    const a = start(f);
    const b = stop(f);
    const d = step(f);
    try {
      return getSlice(t, x, a, b, d);
    } catch (error) {
      return rethrow(error, site);
    }
  };
}

export function compileStore(c: Context, target: Node): Store {
  const { t } = c;
  const site = c.site(target.pos);
  switch (target.kind) {
    case 'name':
      return storeName(c, target);
    case 'index': {
      const object = c.expr(target.object);
      const index = c.expr(target.index);
      return (f, v) => save(t, object(f), index(f), v, site);
    }
    case 'attribute': {
      const object = c.expr(target.object);
      const { name } = target;
      return (f, v) => {
        const x = object(f);
        try {
          setAttr(x, name, v);
        } catch (error) {
          rethrow(error, site);
        }
      };
    }
    case 'list':
    case 'tuple':
      return storeSequence(c, target);
    default:
      throw new TypeError(`cannot store to ${target.kind}`);
  }
}

function storeSequence(c: Context, target: Sequence): Store {
  const stores = target.items.map((item) => c.store(item));
  const { t } = c;
  const site = c.site(target.pos);
  return (f, v) => {
    let items: readonly Value[];
    try {
      items = unpack(t, v, stores.length);
    } catch (error) {
      return rethrow(error, site);
    }
    // A store may change the list that is unpacked.
    if (v instanceof StarList && stores.length > 1) items = items.slice();
    for (let i = 0; i < stores.length; i += 1) stores[i]?.(f, items[i] as Value);
  };
}

/** Methods of dict. */
import { PAIR_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import { elements, isIterable } from '../ops/iterate.ts';
import { repr } from '../ops/repr.ts';
import { native, variadic, wrongType, type Named, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import { StarList, StarTuple, typeName, type Value } from '../values/objects.ts';
import { StarDict } from '../values/table.ts';

/** `dict(x, **named)` and `d.update(x, **named)`: from a dict, or from pairs. */
export function updateDict(
  t: Thread,
  fn: string,
  target: StarDict,
  args: readonly Value[],
  named: Named,
): void {
  if (args.length > 1)
    throw new StarlarkError(`${fn}() accepts no more than 1 positional argument but got ${args.length}`);
  const source = args[0];
  if (source instanceof StarDict) {
    t.charge(source.map.size);
    for (const [key, value] of source.map) target.put(t, source.restore(key), value);
  } else if (source !== undefined) {
    if (!isIterable(source)) throw wrongType(fn, 'x', source, 'dict or iterable');
    const pairs = elements(t, source);
    t.charge(pairs.length);
    for (let i = 0; i < pairs.length; i += 1) {
      const [key, value] = pair(t, fn, pairs[i] as Value, i);
      target.put(t, key, value);
    }
  }
  for (const [key, value] of named ?? []) target.put(t, key, value);
}

function pair(t: Thread, fn: string, v: Value, i: number): readonly [Value, Value] {
  if (!isIterable(v)) {
    throw new StarlarkError(
      `in ${fn}(), element #${i} is a non-pair element (got ${typeName(v)}, which is not iterable)`,
    );
  }
  const items = elements(t, v);
  if (items.length !== 2)
    throw new StarlarkError(
      `in ${fn}(), element #${i} is a non-pair element (it has length ${items.length}, want 2)`,
    );
  return [items[0] as Value, items[1] as Value];
}

export const DICT_METHODS: readonly Native[] = [
  native('clear()', (_t, self: StarDict) => {
    self.check('clear');
    self.clear();
    return null;
  }),
  native('get(key, default=)', (t, self: StarDict, key: Value, fallback?: Value) => {
    const value = self.lookup(t, key);
    return value !== undefined ? value : fallback === undefined ? null : fallback;
  }),
  native('items()', (t, self: StarDict) => {
    t.allocate(self.map.size * PAIR_BYTES);
    t.allocateList(self.map.size);
    const out: Value[] = [];
    for (const [key, value] of self.map) out.push(new StarTuple([self.restore(key), value]));
    return new StarList(out);
  }),
  native('keys()', (t, self: StarDict) => {
    t.allocateList(self.map.size);
    return new StarList(self.keys());
  }),
  native('pop(key, default=)', (t, self: StarDict, key: Value, fallback?: Value) => {
    self.check('delete from');
    const value = self.remove(t, key);
    if (value !== undefined) return value;
    if (fallback === undefined)
      throw new StarlarkError(`KeyError: ${repr(t, key)} (key not found; give a default to allow that)`);
    return fallback;
  }),
  native('popitem()', (t, self: StarDict) => {
    self.check('delete from');
    for (const raw of self.map.keys()) {
      const key = self.restore(raw);
      t.allocateList(2);
      return new StarTuple([key, self.remove(t, key) as Value]);
    }
    throw new StarlarkError('popitem(): dictionary is empty');
  }),
  native('setdefault(key, default=)', (t, self: StarDict, key: Value, fallback?: Value) => {
    const value = self.lookup(t, key);
    if (value !== undefined) return value;
    self.check('insert into');
    const fresh = fallback === undefined ? null : fallback;
    self.put(t, key, fresh);
    return fresh;
  }),
  variadic('update', (t, self, args, named) => {
    const dict = self as StarDict;
    dict.check('insert into');
    updateDict(t, 'update', dict, args, named);
    return null;
  }),
  native('values()', (t, self: StarDict) => {
    t.allocateList(self.map.size);
    return new StarList([...self.map.values()]);
  }),
];

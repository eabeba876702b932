/** Methods of set. */
import { StarlarkError } from '../errors.ts';
import { elements } from '../ops/iterate.ts';
import { repr } from '../ops/repr.ts';
import { combine, isSubset, makeSet } from '../ops/set-operations.ts';
import { checkNamed, native, variadic, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import type { Value } from '../values/objects.ts';
import { StarSet } from '../values/table.ts';

type SetOp = '|' | '&' | '^' | '-';

/** A method that takes any number of iterables and returns a new set. */
function algebra(name: string, op: SetOp): Native {
  return variadic(name, (t, self, args, named) => {
    checkNamed(name, named, []);
    return args.reduce<StarSet>(
      (set, arg) => combine(t, op, set, elements(t, arg)),
      combine(t, '|', self as StarSet, []),
    );
  });
}

/** A method that changes the set to what `op` gives. */
function assignment(name: string, op: SetOp): Native {
  return variadic(name, (t, self, args, named) => {
    checkNamed(name, named, []);
    const set = self as StarSet;
    set.check('change');
    const result = args.reduce<StarSet>((left, arg) => combine(t, op, left, elements(t, arg)), set);
    if (result === set) return null;
    const keys = result.keys();
    set.clear();
    for (const key of keys) set.put(t, key, true);
    return null;
  });
}

function asSet(t: Thread, v: Value): StarSet {
  return v instanceof StarSet ? v : makeSet(t, elements(t, v));
}

export const SET_METHODS: readonly Native[] = [
  native('add(x)', (t, self: StarSet, x: Value) => {
    if (self.lookup(t, x) !== undefined) return null;
    self.check('insert into');
    self.put(t, x, true);
    return null;
  }),
  native('clear()', (_t, self: StarSet) => {
    self.check('clear');
    self.clear();
    return null;
  }),
  algebra('difference', '-'),
  assignment('difference_update', '-'),
  native('discard(x)', (t, self: StarSet, x: Value) => {
    self.check('delete from');
    self.remove(t, x);
    return null;
  }),
  algebra('intersection', '&'),
  assignment('intersection_update', '&'),
  native(
    'isdisjoint(other)',
    (t, self: StarSet, other: Value) => !combine(t, '&', self, elements(t, other)).truth(),
  ),
  native('issubset(other)', (t, self: StarSet, other: Value) => isSubset(t, self, asSet(t, other))),
  native('issuperset(other)', (t, self: StarSet, other: Value) => isSubset(t, asSet(t, other), self)),
  native('pop()', (t, self: StarSet) => {
    self.check('delete from');
    for (const raw of self.map.keys()) {
      const key = self.restore(raw);
      self.remove(t, key);
      return key;
    }
    throw new StarlarkError('pop(): set is empty');
  }),
  native('remove(x)', (t, self: StarSet, x: Value) => {
    self.check('delete from');
    if (self.remove(t, x) === undefined) throw new StarlarkError(`element ${repr(t, x)} not found in set`);
    return null;
  }),
  native('symmetric_difference(other)', (t, self: StarSet, other: Value) =>
    combine(t, '^', self, elements(t, other)),
  ),
  assignment('symmetric_difference_update', '^'),
  algebra('union', '|'),
  assignment('update', '|'),
];

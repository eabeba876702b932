/** Methods of list. */
import { StarlarkError } from '../errors.ts';
import { SLOT_BYTES } from '../meter.ts';
import { equals } from '../ops/equality.ts';
import { elements } from '../ops/iterate.ts';
import { repr } from '../ops/repr.ts';
import { native, wantInt, type Native } from '../values/native.ts';
import type { Thread } from '../thread.ts';
import type { StarList, Value } from '../values/objects.ts';

/** A position for `insert`, `index`: negative ones count from the end, and all stop at the ends. */
function clamp(i: number, length: number): number {
  return Math.min(length, Math.max(0, i < 0 ? i + length : i));
}

function indexOf(t: Thread, list: StarList, v: Value, from: number, to: number): number {
  t.charge((to - from) / 4);
  for (let i = from; i < to; i += 1) if (equals(t, list.items[i] as Value, v)) return i;
  return -1;
}

/** `list.extend(x)` and `list += x`. */
export function extend(t: Thread, list: StarList, values: Value): void {
  const more = elements(t, values);
  list.check('extend');
  t.allocate(SLOT_BYTES * more.length);
  t.charge(more.length / 8);
  const n = more.length;
  for (let i = 0; i < n; i += 1) list.items.push(more[i] as Value);
}

export const LIST_METHODS: readonly Native[] = [
  native('append(x)', (t, self: StarList, x: Value) => {
    if (self.frozen || self.iterating > 0) self.check('append to');
    t.allocate(SLOT_BYTES);
    self.items.push(x);
    return null;
  }),
  native('clear()', (_t, self: StarList) => {
    self.check('clear');
    self.items = [];
    return null;
  }),
  native('extend(x)', (t, self: StarList, x: Value) => {
    extend(t, self, x);
    return null;
  }),
  native('index(x, start=, end=)', (t, self: StarList, x: Value, start?: Value, end?: Value) => {
    const n = self.items.length;
    const from = start === undefined || start === null ? 0 : clamp(wantInt(start, 'index', 'start'), n);
    const to = end === undefined || end === null ? n : clamp(wantInt(end, 'index', 'end'), n);
    const at = indexOf(t, self, x, from, to);
    if (at < 0) throw new StarlarkError(`item ${repr(t, x)} not found in list`);
    return at;
  }),
  native('insert(index, x)', (t, self: StarList, index: Value, x: Value) => {
    self.check('insert into');
    const at = clamp(wantInt(index, 'insert', 'index'), self.items.length);
    t.allocate(SLOT_BYTES);
    t.charge((self.items.length - at) / 64);
    self.items.splice(at, 0, x);
    return null;
  }),
  native('pop(i=)', (t, self: StarList, i?: Value) => {
    self.check('pop from');
    const n = self.items.length;
    const index = i === undefined ? -1 : wantInt(i, 'pop', 'i');
    const at = index < 0 ? index + n : index;
    if (at < 0 || at >= n)
      throw new StarlarkError(`index out of range (index is ${index}, but sequence has ${n} elements)`);
    if (at === n - 1) return self.items.pop() as Value;
    t.charge((n - at) / 64);
    return self.items.splice(at, 1)[0] as Value;
  }),
  native('remove(x)', (t, self: StarList, x: Value) => {
    self.check('remove from');
    const at = indexOf(t, self, x, 0, self.items.length);
    if (at < 0) throw new StarlarkError(`item ${repr(t, x)} not found in list`);
    t.charge((self.items.length - at) / 64);
    self.items.splice(at, 1);
    return null;
  }),
];

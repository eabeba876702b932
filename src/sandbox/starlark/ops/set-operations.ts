/** Set algebra and the union of dicts. Results keep the order of the left operand, then of the right. */
import type { Thread } from '../thread.ts';
import type { Value } from '../values/objects.ts';
import { newDict, newSet, type StarDict, StarSet } from '../values/table.ts';

/** `a | b`: the entries of both, those of `b` winning. */
export function unionDicts(t: Thread, a: StarDict, b: StarDict): StarDict {
  const out = newDict(t);
  for (const source of [a, b]) {
    t.charge(source.map.size);
    for (const [key, value] of source.map) out.put(t, source.restore(key), value);
  }
  return out;
}

/** A set of the given keys; throws for unhashable ones. */
export function makeSet(t: Thread, keys: readonly Value[]): StarSet {
  t.charge(keys.length);
  const out = newSet(t);
  for (const key of keys) out.put(t, key, true);
  return out;
}

/** `a op b` for two sets; undefined when either is not a set. */
export function setOperation(t: Thread, op: '|' | '&' | '^' | '-', a: Value, b: Value): StarSet | undefined {
  return a instanceof StarSet && b instanceof StarSet ? combine(t, op, a, b.keys()) : undefined;
}

/** A set with the elements of an array, without changing it. */
export function combine(t: Thread, op: '|' | '&' | '^' | '-', a: StarSet, others: readonly Value[]): StarSet {
  t.charge(a.map.size + others.length);
  if (op === '|') return makeSet(t, [...a.keys(), ...others]);
  const other = makeSet(t, others);
  const inOther = (key: Value): boolean => other.lookup(t, key) !== undefined;
  if (op === '&') return makeSet(t, a.keys().filter(inOther));
  const left = a.keys().filter((key) => !inOther(key));
  if (op === '-') return makeSet(t, left);
  return makeSet(t, [...left, ...other.keys().filter((key) => a.lookup(t, key) === undefined)]);
}

/** Whether every element of `a` is in `b`. */
export function isSubset(t: Thread, a: StarSet, b: StarSet): boolean {
  t.charge(a.map.size);
  return a.map.size <= b.map.size && a.keys().every((key) => b.lookup(t, key) !== undefined);
}

/** `<`, `<=`, `>`, `>=` of two sets: proper or improper subset. */
export function compareSets(t: Thread, op: string, a: StarSet, b: StarSet): boolean {
  switch (op) {
    case '<':
      return a.map.size < b.map.size && isSubset(t, a, b);
    case '<=':
      return isSubset(t, a, b);
    case '>':
      return b.map.size < a.map.size && isSubset(t, b, a);
    default:
      return isSubset(t, b, a);
  }
}

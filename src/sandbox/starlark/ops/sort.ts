/** Sorting: stable, also in reverse. The order is that of `<`, which may refuse a pair. */
import type { Thread } from '../thread.ts';
import { StarTuple, type Value } from '../values/objects.ts';
import { compare } from './equality.ts';

/** Numbers in the order of the keys: whole, from 0, below `size`. */
interface Ranks {
  readonly codes: Float64Array;
  readonly size: number;
}

const EXACT = 2 ** 53;
const MAX_COLUMNS = 8;

/** Ranks of keys that are all ints, all strings, or all tuples of such columns; undefined for others. */
function ranks(keys: readonly Value[]): Ranks | undefined {
  const [first] = keys;
  if (typeof first === 'number') return intRanks(keys);
  if (typeof first === 'string') return textRanks(keys);
  if (first instanceof StarTuple) return tupleRanks(keys, first.items.length);
  return undefined;
}

function intRanks(keys: readonly Value[]): Ranks | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const key of keys) {
    if (typeof key !== 'number') return undefined;
    if (key < low) low = key;
    if (key > high) high = key;
  }
  const size = high - low + 1;
  if (size > EXACT) return undefined;
  return { codes: Float64Array.from(keys, (key) => (key as number) - low), size };
}

function textRanks(keys: readonly Value[]): Ranks | undefined {
  const rank = new Map<string, number>();
  for (const key of keys) {
    if (typeof key !== 'string') return undefined;
    rank.set(key, 0);
  }
  // Without a function the machine orders strings by UTF-16 units, as the language does.
  // oxlint-disable-next-line require-array-sort-compare
  const distinct = [...rank.keys()].sort();
  distinct.forEach((key, i) => rank.set(key, i));
  return {
    codes: Float64Array.from(keys, (key) => rank.get(key as string) as number),
    size: distinct.length,
  };
}

function tupleRanks(keys: readonly Value[], width: number): Ranks | undefined {
  if (width === 0 || width > MAX_COLUMNS) return undefined;
  if (!keys.every((key) => key instanceof StarTuple && key.items.length === width)) return undefined;
  let total: Ranks | undefined;
  for (let column = 0; column < width; column += 1) {
    const values = keys.map((key) => (key as StarTuple).items[column] as Value);
    if (values[0] instanceof StarTuple) return undefined;
    const next = ranks(values);
    if (next === undefined) return undefined;
    if (total === undefined) {
      total = next;
      continue;
    }
    const { codes, size }: Ranks = total;
    if (size * next.size > EXACT) return undefined;
    total = {
      codes: codes.map((code, i) => code * next.size + (next.codes[i] as number)),
      size: size * next.size,
    };
  }
  return total;
}

/** The indexes of `keys` in order. Charges n log n steps and its memory before it begins. */
export function sortedIndexes(
  t: Thread,
  keys: readonly Value[],
  reverse: boolean,
): Float64Array | Uint32Array {
  const n = keys.length;
  t.charge(n * Math.ceil(Math.log2(n + 1)));
  t.allocate(n * 24);
  const ranked = n > 8 ? ranks(keys) : undefined;
  if (ranked !== undefined && ranked.size * n <= EXACT) {
    // Rank and place in one number: a plain numeric sort is then stable.
    const { codes, size } = ranked;
    const packed = codes.map((code, i) => (reverse ? size - 1 - code : code) * n + i);
    packed.sort();
    return packed.map((code) => code % n);
  }
  const indexes = Uint32Array.from(keys, (_, i) => i);
  const sign = reverse ? -1 : 1;
  // The machine may compare a pair either way; errors show it as it stands in the list.
  return indexes.sort((i, j) => {
    const c =
      i < j
        ? compare(t, keys[i] as Value, keys[j] as Value)
        : -compare(t, keys[j] as Value, keys[i] as Value);
    return sign * c || i - j;
  });
}

/** Built-in functions about sequences and collections. */
import { BYTES_BYTES, OBJECT_BYTES, PAIR_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import { copyElements, elements, forEach, isIterable, lengthOf } from '../ops/iterate.ts';
import { makeSet } from '../ops/set-operations.ts';
import { sortedIndexes } from '../ops/sort.ts';
import { encodeUtf8 } from '../ops/utf8.ts';
import { native, variadic, wantBool, wantCallable, wrongType, type Native } from '../values/native.ts';
import { StarBytes, StarList, StarRange, StarTuple, truth, typeName, type Value } from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { newDict } from '../values/table.ts';
import { updateDict } from './dict-methods.ts';

function wantIterable(v: Value, fn: string): Value {
  if (isIterable(v)) return v;
  const error = wrongType(fn, 'x', v, 'iterable');
  throw typeof v === 'string'
    ? new StarlarkError(`${error.message} (use s.elems() or s.codepoints())`)
    : error;
}

function wantSmallInt(v: Value, what: string): number {
  if (typeof v === 'number') return v;
  if (typeof v === 'bigint') throw new StarlarkError(`range: ${what} ${v} out of range`);
  throw wrongType('range', what, v, 'int');
}

export const SEQUENCE_FUNCTIONS: readonly Native[] = [
  native('all(x)', (t, _self, x: Value) => {
    let result = true;
    forEach(t, x, (item) => !(result = truth(item)));
    return result;
  }),
  native('any(x)', (t, _self, x: Value) => {
    let result = false;
    forEach(t, x, (item) => (result = truth(item)));
    return result;
  }),
  native('bytes(x)', (t, _self, x: Value) => {
    if (x instanceof StarBytes) return x;
    if (typeof x === 'string') {
      t.allocate(BYTES_BYTES + 3 * x.length);
      t.charge(x.length / 8);
      return new StarBytes(encodeUtf8(x));
    }
    if (!isIterable(x)) throw wrongType('bytes', 'x', x, 'string, bytes, or iterable of ints');
    const items = elements(t, x);
    t.allocate(BYTES_BYTES + items.length);
    t.charge(items.length);
    return new StarBytes(
      Uint8Array.from(items, (item, i) => {
        if (typeof item !== 'number')
          throw new StarlarkError(`bytes: at index ${i}, got ${typeName(item)}, want int`);
        if (item < 0 || item > 255)
          throw new StarlarkError(`bytes: at index ${i}, ${item} out of range (want 0 to 255)`);
        return item;
      }),
    );
  }),
  variadic('dict', (t, _self, args, named) => {
    const out = newDict(t);
    updateDict(t, 'dict', out, args, named);
    return out;
  }),
  native('enumerate(x, start=)', (t, _self, x: Value, start?: Value) => {
    if (start !== undefined && typeof start !== 'number') throw wrongType('enumerate', 'start', start, 'int');
    const first = start ?? 0;
    const items = elements(t, x);
    t.charge(items.length);
    t.allocate(items.length * PAIR_BYTES);
    t.allocateList(items.length);
    return new StarList(items.map((item, i) => new StarTuple([first + i, item])));
  }),
  native('len(x)', (_t, _self, x: Value) => {
    const n = lengthOf(x);
    if (n !== undefined) return n;
    if (x instanceof OpaqueString) throw x.refuse('len()');
    throw new StarlarkError(
      `${typeName(x)} is not iterable, so it has no len${x === null ? ' (the value is None)' : ''}`,
    );
  }),
  native('list(x=)', (t, _self, x?: Value) => {
    if (x === undefined) t.allocateList(0);
    return new StarList(x === undefined ? [] : copyElements(t, wantIterable(x, 'list')));
  }),
  native('range(a, b=, step=)', (t, _self, a: Value, b?: Value, step?: Value) => {
    t.allocate(OBJECT_BYTES);
    const by = step === undefined ? 1 : wantSmallInt(step, 'step');
    if (by === 0) throw new StarlarkError('range: step cannot be 0');
    if (b === undefined) return new StarRange(0, wantSmallInt(a, 'stop'), by);
    return new StarRange(wantSmallInt(a, 'start'), wantSmallInt(b, 'stop'), by);
  }),
  native(
    'reversed(x)',
    (t, _self, x: Value) => new StarList(copyElements(t, wantIterable(x, 'reversed')).reverse()),
  ),
  native('set(x=)', (t, _self, x?: Value) =>
    makeSet(t, x === undefined ? [] : elements(t, wantIterable(x, 'set'))),
  ),
  native('sorted(x, key=, reverse=)', (t, _self, x: Value, key?: Value, reverse?: Value) => {
    const items = copyElements(t, wantIterable(x, 'sorted'));
    const descending = reverse === undefined ? false : wantBool(reverse, 'sorted', 'reverse');
    let keys = items;
    if (key !== undefined && key !== null) {
      const by = wantCallable(key, 'sorted', 'key');
      t.allocateList(items.length);
      keys = items.map((item) => by.call(t, [item], undefined));
    }
    const order = sortedIndexes(t, keys, descending);
    const out: Value[] = [];
    for (let i = 0; i < order.length; i += 1) out.push(items[order[i] as number] as Value);
    return new StarList(out);
  }),
  native('tuple(x=)', (t, _self, x?: Value) => {
    if (x instanceof StarTuple) return x;
    if (x === undefined) t.allocateList(0);
    return new StarTuple(x === undefined ? [] : copyElements(t, wantIterable(x, 'tuple')));
  }),
  variadic('zip', (t, _self, args, named) => {
    if (named !== undefined) throw new StarlarkError('zip() got unexpected keyword argument');
    const columns = args.map((arg) => elements(t, arg));
    const n = columns.length === 0 ? 0 : Math.min(...columns.map((column) => column.length));
    t.charge(n * columns.length);
    t.allocate(n * (PAIR_BYTES + 8 * columns.length));
    t.allocateList(n);
    return new StarList(
      Array.from({ length: n }, (_, i) => new StarTuple(columns.map((column) => column[i] as Value))),
    );
  }),
];

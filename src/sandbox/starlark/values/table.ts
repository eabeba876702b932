/**
 * The hash table behind dict and set: insertion order, keys that are equal in the language are one key.
 *
 * A Map does the work. Strings, ints, bools and None are their own keys; a float uses the number it equals
 * (1.0 and 1 are one key, all NaN are one key); functions are keyed by identity; tuples, bytes, ranges and structs
 * are written out exactly as a text that finds the first equal one. Nothing is ever a property of an object.
 */
import { StarlarkError } from '../errors.ts';
import { ENTRY_BYTES, TABLE_BYTES } from '../meter.ts';
import type { Thread } from '../thread.ts';
import { OpaqueString } from './opaque.ts';
import {
  Callable,
  Mutable,
  StarBytes,
  StarFloat,
  StarList,
  StarModule,
  StarRange,
  StarStruct,
  StarTuple,
  typeName,
  type StarObject,
  type Value,
} from './objects.ts';

type Key = null | boolean | number | bigint | string | StarObject;

/** The key of a float: the int that it equals, or the number itself. */
function floatKey(v: number): number | bigint {
  if (!Number.isInteger(v)) return v;
  return Number.isSafeInteger(v) ? (v === 0 ? 0 : v) : BigInt(v);
}

const identities = new WeakMap<StarObject, number>();
let identityCount = 0;

function identity(v: StarObject): number {
  let id = identities.get(v);
  if (id === undefined) identities.set(v, (id = identityCount += 1));
  return id;
}

function unhashable(v: Value): StarlarkError {
  if (v instanceof OpaqueString) return v.refuse('a dict key or set member');
  return new StarlarkError(`unhashable type: '${typeName(v)}'${hashHint(v)}`);
}

function hashHint(v: Value): string {
  return v instanceof StarList ? ' (a tuple can be a key: use tuple(x))' : '';
}

/** An exact text for a composite key; charges its work. Nested tuples count against the value depth. */
function encodeKey(t: Thread, v: Value, depth: number): string {
  if (--t.fuel < 0) t.refill();
  switch (typeof v) {
    case 'string':
      if (v.length > 64) t.charge(v.length / 64);
      return `s${v.length}:${v}`;
    case 'number':
    case 'bigint':
      return `i${v}`;
    case 'boolean':
      return v ? 'T' : 'F';
    default:
  }
  if (v === null) return 'N';
  if (v instanceof StarFloat) {
    const key = floatKey(v.value);
    return Number.isInteger(key) || typeof key === 'bigint' ? `i${key}` : `f${key}`;
  }
  if (depth > t.limits.valueDepth)
    throw new StarlarkError('hash: values are nested too deeply', 'compare_depth');
  if (v instanceof StarTuple) return `(${v.items.map((item) => encodeKey(t, item, depth + 1)).join(',')})`;
  if (v instanceof StarBytes) {
    t.charge(v.data.length / 8);
    return `b${v.data.join('.')}`;
  }
  if (v instanceof StarRange) {
    return v.length === 0 ? 'r' : `r${v.start},${v.length},${v.length === 1 ? 0 : v.step}`;
  }
  if (v instanceof StarStruct) {
    return `{${[...v.fields].map(([k, f]) => encodeKey(t, k, depth + 1) + encodeKey(t, f, depth + 1)).join(',')}}`;
  }
  if (v instanceof Callable || v instanceof StarModule) return `@${identity(v)}`;
  throw unhashable(v);
}

export abstract class Table extends Mutable {
  readonly map = new Map<Key, Value>();
  /** The float that was inserted, by its key, so that it comes back as a float. */
  #floats: Map<Key, StarFloat> | undefined;
  /** The first of equal composite keys, by its text. */
  #composites: Map<string, StarObject> | undefined;

  override truth(): boolean {
    return this.map.size > 0;
  }

  /** The key as the Map knows it; undefined when no equal composite key is in the table. Throws when unhashable. */
  #find(t: Thread, v: Value): Key | undefined {
    if (typeof v !== 'object' || v === null) return v;
    if (v instanceof StarFloat) return floatKey(v.value);
    if (v instanceof Callable || v instanceof StarModule) return v;
    const text = encodeKey(t, v, 0);
    return this.#composites?.get(text);
  }

  /** The value of a key, or undefined. */
  lookup(t: Thread, key: Value): Value | undefined {
    if (typeof key === 'string' || typeof key === 'number') return this.map.get(key);
    const found = this.#find(t, key);
    return found === undefined ? undefined : this.map.get(found);
  }

  /** Inserts or replaces; an existing key keeps its place and its first spelling. Does not check `frozen`. */
  put(t: Thread, key: Value, value: Value): void {
    let raw: Key = key;
    if (typeof key === 'object' && key !== null) {
      if (key instanceof StarFloat) {
        raw = floatKey(key.value);
        if (typeof raw === 'bigint' || Number.isInteger(raw)) {
          if (!this.map.has(raw)) (this.#floats ??= new Map<Key, StarFloat>()).set(raw, key);
        }
      } else if (!(key instanceof Callable || key instanceof StarModule)) {
        const text = encodeKey(t, key, 0);
        this.#composites ??= new Map<string, StarObject>();
        const first = this.#composites.get(text);
        if (first === undefined) {
          t.allocate(2 * text.length);
          this.#composites.set(text, key);
        } else raw = first;
      }
    }
    const before = this.map.size;
    this.map.set(raw, value);
    if (this.map.size !== before) t.allocate(ENTRY_BYTES);
  }

  /** Removes a key and returns its value, or undefined. Does not check `frozen`. */
  remove(t: Thread, key: Value): Value | undefined {
    const raw = this.#find(t, key);
    if (raw === undefined) return undefined;
    const value = this.map.get(raw);
    if (value === undefined) return undefined;
    this.map.delete(raw);
    this.#floats?.delete(raw);
    if (raw instanceof Object && this.#composites !== undefined && !(raw instanceof Callable)) {
      this.#composites.delete(encodeKey(t, raw, 0));
    }
    return value;
  }

  clear(): void {
    this.map.clear();
    this.#floats = undefined;
    this.#composites = undefined;
  }

  /** A key of the Map as the value that was inserted. */
  restore(key: Key): Value {
    if (typeof key === 'number') {
      if (!Number.isInteger(key)) return new StarFloat(key);
      return this.#floats?.get(key) ?? key;
    }
    if (typeof key === 'bigint') return this.#floats?.get(key) ?? key;
    return key;
  }

  /** The keys in order, in a new array. */
  keys(): Value[] {
    const out: Value[] = [];
    for (const key of this.map.keys()) out.push(this.restore(key));
    return out;
  }
}

export class StarDict extends Table {
  get typeName(): string {
    return 'dict';
  }
}

/** A dict whose text keys read as attributes too: what functions of the host return. */
export class StarRecord extends StarDict {}

export class StarSet extends Table {
  get typeName(): string {
    return 'set';
  }
}

/** An empty dict, charged. */
export function newDict(t: Thread): StarDict {
  t.allocate(TABLE_BYTES);
  return new StarDict();
}

/** An empty set, charged. */
export function newSet(t: Thread): StarSet {
  t.allocate(TABLE_BYTES);
  return new StarSet();
}

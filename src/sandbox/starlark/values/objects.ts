/**
 * Values. None is null; bool, string are the machine's own; an int is a number while |v| <= 2**53 - 1 and a bigint
 * beyond, always normalised; everything else is a StarObject. `undefined` is never a value.
 */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';

export type Value = null | boolean | number | bigint | string | StarObject;

export abstract class StarObject {
  /** What `type()` returns. */
  abstract readonly typeName: string;
  /** What `bool()` returns. */
  truth(): boolean {
    return true;
  }
}

/** A float is a box, because 1 and 1.0 differ in type, text and division. */
export class StarFloat extends StarObject {
  get typeName(): string {
    return 'float';
  }
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = value;
  }
  override truth(): boolean {
    return this.value !== 0;
  }
}

export class StarTuple extends StarObject {
  get typeName(): string {
    return 'tuple';
  }
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    super();
    this.items = items;
  }
  override truth(): boolean {
    return this.items.length > 0;
  }
}

/** Shared by list, dict and set: they can be frozen, and are locked while a loop runs over them. */
export abstract class Mutable extends StarObject {
  frozen = false;
  /** How many loops run over it now. */
  iterating = 0;
  /** Throws unless the value may be changed. `verb` reads `append to`, `insert into`. */
  check(verb: string): void {
    if (this.frozen) throw new StarlarkError(`cannot ${verb} frozen ${this.typeName}`);
    if (this.iterating > 0) {
      throw new StarlarkError(`cannot ${verb} ${this.typeName} during iteration (loop over a copy instead)`);
    }
  }
}

export class StarList extends Mutable {
  get typeName(): string {
    return 'list';
  }
  /** Owned by this list: never shared with another. */
  items: Value[];
  constructor(items: Value[]) {
    super();
    this.items = items;
  }
  override truth(): boolean {
    return this.items.length > 0;
  }
}

export class StarBytes extends StarObject {
  get typeName(): string {
    return 'bytes';
  }
  readonly data: Uint8Array;
  constructor(data: Uint8Array) {
    super();
    this.data = data;
  }
  override truth(): boolean {
    return this.data.length > 0;
  }
}

/** start, start + step, ...: `length` numbers, never materialised. */
export class StarRange extends StarObject {
  get typeName(): string {
    return 'range';
  }
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;
  constructor(start: number, stop: number, step: number) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }
  override truth(): boolean {
    return this.length > 0;
  }
}

/** Named values without order: what modules return, and `struct(...)` where a host offers it. */
export class StarStruct extends StarObject {
  get typeName(): string {
    return 'struct';
  }
  /** Sorted by name. */
  readonly fields: ReadonlyMap<string, Value>;
  constructor(fields: ReadonlyMap<string, Value>) {
    super();
    this.fields = new Map([...fields].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** A module: a name and its members. They are looked up in a Map, so no name reaches a prototype. */
export class StarModule extends StarObject {
  get typeName(): string {
    return 'module';
  }
  readonly name: string;
  readonly members: ReadonlyMap<string, Value>;
  constructor(name: string, members: ReadonlyMap<string, Value>) {
    super();
    this.name = name;
    this.members = members;
  }
}

/** Something that can be looped over without being a list: `elems()`, `codepoints()`, or a host's own. */
export abstract class StarIterable extends StarObject {
  /** A fresh iteration. It may be endless: loops charge a step for each element. */
  abstract iterate(): Iterator<Value>;
  /** The number of elements when it is known without iterating. */
  length(): number | undefined {
    return undefined;
  }
  abstract repr(): string;
}

/** A value type of the host with attributes. Absent hooks mean that the language refuses the operation. */
export abstract class HostObject extends StarObject {
  attr(_name: string): Value | undefined {
    return undefined;
  }
  attrNames(): string[] {
    return [];
  }
  /** Undefined when fields can't be assigned. */
  setAttr?(name: string, value: Value): void;
  /** `x op y`, or `y op x` when `reversed`; undefined when the pair has no meaning. */
  binary?(op: string, other: Value, reversed: boolean): Value | undefined;
  freeze?(): void;
  abstract repr(thread: Thread): string;
}

/** Functions of both kinds. */
export abstract class Callable extends StarObject {
  abstract readonly name: string;
  /** Calls it with positional and named arguments. */
  abstract call(thread: Thread, args: readonly Value[], named: ReadonlyMap<string, Value> | undefined): Value;
}

/** What `type()` returns for any value. */
export function typeName(v: Value): string {
  switch (typeof v) {
    case 'string':
      return 'string';
    case 'number':
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    default:
      return v === null ? 'NoneType' : v.typeName;
  }
}

/** What `bool()` returns for any value. */
export function truth(v: Value): boolean {
  switch (typeof v) {
    case 'boolean':
      return v;
    case 'number':
      return v !== 0;
    case 'string':
      return v !== '';
    case 'bigint':
      return true;
    default:
      return v !== null && v.truth();
  }
}

/**
 * Functions written in TypeScript: built-in ones, methods, and those that a host adds. They run synchronously; one
 * that waits for the outside blocks the script, which is how the script sees it.
 */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import { Callable, StarModule, typeName, type Value } from './objects.ts';
import { OpaqueString } from './opaque.ts';

export type Named = ReadonlyMap<string, Value> | undefined;

/** A function or method. `self` is the receiver of a method, None for a function. */
export interface Native {
  readonly name: string;
  readonly params: readonly string[];
  /** How many of the parameters must be given. */
  readonly required: number;
  /** The code for bound parameters; those not given are undefined. */
  run(t: Thread, self: Value, a?: Value, b?: Value, c?: Value, d?: Value, e?: Value): Value;
  /** Instead of `run` for functions that take any arguments. */
  readonly variadic: ((t: Thread, self: Value, args: readonly Value[], named: Named) => Value) | undefined;
}

/**
 * Describes a function. `signature` reads `get(key, default=)`: a name, then parameters, optional ones with `=`.
 * All can be given by name.
 */
export function native(signature: string, run: Native['run']): Native {
  const match = /^(\w+)\((.*)\)$/.exec(signature);
  if (match === null) throw new TypeError(`bad signature ${signature}`);
  const params = (match[2] ?? '')
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '');
  return {
    name: match[1] ?? '',
    params: params.map((p) => p.replace('=', '')),
    required: params.filter((p) => !p.endsWith('=')).length,
    run,
    variadic: undefined,
  };
}

/** Describes a function that takes any arguments. */
export function variadic(name: string, run: NonNullable<Native['variadic']>): Native {
  return {
    name,
    params: [],
    required: 0,
    run: () => {
      throw new TypeError(`${name} is variadic`);
    },
    variadic: run,
  };
}

export class Builtin extends Callable {
  get typeName(): string {
    return 'builtin_function_or_method';
  }
  readonly native: Native;
  readonly self: Value;

  constructor(description: Native, self: Value = null) {
    super();
    this.native = description;
    this.self = self;
  }

  get name(): string {
    return this.native.name;
  }

  override toString(): string {
    if (this.self === null || this.self instanceof StarModule) return `<built-in function ${this.name}>`;
    return `<built-in method ${this.name} of ${typeName(this.self)} value>`;
  }

  call(t: Thread, args: readonly Value[], named: Named): Value {
    return callNative(t, this.native, this.self, args, named);
  }
}

/** Binds the arguments and calls. */
function callNative(t: Thread, fn: Native, self: Value, args: readonly Value[], named: Named): Value {
  if (--t.fuel < 0) t.refill();
  if (fn.variadic !== undefined) return fn.variadic(t, self, args, named);
  const { params } = fn;
  if (args.length > params.length) {
    const most =
      params.length === 0
        ? 'no arguments'
        : `no more than ${params.length} positional argument${params.length === 1 ? '' : 's'}`;
    throw new StarlarkError(`${fn.name}() accepts ${most} but got ${args.length}`);
  }
  const bound: (Value | undefined)[] = [...args];
  for (const [name, value] of named ?? []) {
    const at = params.indexOf(name);
    if (at < 0) throw new StarlarkError(`${fn.name}() got unexpected keyword argument: ${name}`);
    if (bound[at] !== undefined)
      throw new StarlarkError(`${fn.name}() got multiple values for parameter '${name}'`);
    bound[at] = value;
  }
  const missing = params.slice(0, fn.required).filter((_, i) => bound[i] === undefined);
  if (missing.length > 0) throw missingArguments(fn, missing);
  return fn.run(t, self, bound[0], bound[1], bound[2], bound[3], bound[4]);
}

function missingArguments(fn: Native, missing: readonly string[]): StarlarkError {
  return new StarlarkError(
    `${fn.name}() missing ${missing.length} required positional argument${missing.length === 1 ? '' : 's'}: ${missing.join(', ')}`,
  );
}

/** The error for an argument of the wrong type. */
export function wrongType(fn: string, param: string, v: Value, want: string): StarlarkError {
  if (v instanceof OpaqueString) return v.refuse(`${fn}()`);
  return new StarlarkError(
    `in call to ${fn}(), parameter '${param}' got value of type '${typeName(v)}', want '${want}'`,
  );
}

/** A string argument; opaque ones are refused. */
export function wantString(v: Value, fn: string, param: string): string {
  if (typeof v === 'string') return v;
  throw wrongType(fn, param, v, 'string');
}

/** An int argument that fits a number; larger ones stop at infinity, which every caller treats as "too many". */
export function wantInt(v: Value, fn: string, param: string): number {
  if (typeof v === 'number') return v;
  if (typeof v === 'bigint') return v < 0n ? -Infinity : Infinity;
  throw wrongType(fn, param, v, 'int');
}

export function wantBool(v: Value, fn: string, param: string): boolean {
  if (typeof v === 'boolean') return v;
  throw wrongType(fn, param, v, 'bool');
}

export function wantCallable(v: Value, fn: string, param: string): Callable {
  if (v instanceof Callable) return v;
  throw new StarlarkError(`in call to ${fn}(), for ${param}, got ${typeName(v)}, want callable`);
}

/** Refuses named arguments of a variadic function other than the listed ones. */
export function checkNamed(fn: string, named: Named, allowed: readonly string[]): void {
  for (const name of named?.keys() ?? []) {
    if (!allowed.includes(name)) throw new StarlarkError(`${fn}() got unexpected keyword argument: ${name}`);
  }
}

/** Functions that the program defines. Compiled code builds frames; everything else goes through `call`. */
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import { Callable, StarTuple, type Value } from './objects.ts';
import { newDict, type StarDict } from './table.ts';

/** A variable that an inner function shares with an outer one. */
export class Cell {
  value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** Slot 0 is the result; parameters follow, then other locals, then the cells of outer functions. */
export type Frame = (Value | undefined | Cell)[];
export type Expr = (f: Frame) => Value;
/** A statement returns how it ended: one of the completion codes. */
export type Exec = (f: Frame) => number;
export const NEXT = 0;
export const BREAK = 1;
export const CONTINUE = 2;
export const RETURN = 3;

interface Parameter {
  readonly name: string;
  readonly optional: boolean;
}

/** What all closures of one `def` or `lambda` share. */
export interface FunctionCode {
  readonly name: string;
  /** Positional parameters first, then the named-only ones; slots 1, 2, ... in this order. */
  readonly params: readonly Parameter[];
  readonly positional: number;
  /** Slots of `*args` and `**kwargs`, or 0. */
  readonly varargs: number;
  readonly kwargs: number;
  /** When calls need exactly this many positional arguments and nothing else: the fast path. Otherwise -1. */
  readonly plain: number;
  /** All undefined, as long as a frame. */
  readonly blank: Frame;
  /** Slots of this function's own variables that inner functions share. */
  readonly cells: readonly number[];
  /** The first slot of the outer functions' cells. */
  readonly freeBase: number;
  body: Exec;
  /** Instead of the body when it is only `return expr`. */
  result: Expr | undefined;
  /** How much machine stack a call may need; see STACK_WEIGHT. */
  readonly weight: number;
  /** Whether a call is in progress: a second one is recursion. */
  active: boolean;
}

export class StarFunction extends Callable {
  get typeName(): string {
    return 'function';
  }
  readonly code: FunctionCode;
  /** By parameter; undefined where required. */
  readonly defaults: readonly (Value | undefined)[];
  readonly free: readonly Cell[];

  constructor(code: FunctionCode, defaults: readonly (Value | undefined)[], free: readonly Cell[]) {
    super();
    this.code = code;
    this.defaults = defaults;
    this.free = free;
  }

  get name(): string {
    return this.code.name;
  }

  override toString(): string {
    return `<function ${this.code.name}>`;
  }

  call(t: Thread, args: readonly Value[], named: ReadonlyMap<string, Value> | undefined): Value {
    const { code } = this;
    const frame = code.blank.slice();
    if (named === undefined && args.length === code.plain) {
      for (let i = 0; i < args.length; i += 1) frame[i + 1] = args[i];
    } else bind(t, this, frame, args, named);
    return invoke(t, this, frame);
  }
}

function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** Puts the arguments into the frame, as the language says. */
function bind(
  t: Thread,
  fn: StarFunction,
  frame: Frame,
  args: readonly Value[],
  named: ReadonlyMap<string, Value> | undefined,
): void {
  const { code } = fn;
  const { params, positional } = code;
  if (args.length > positional && code.varargs === 0) {
    const most =
      positional === 0
        ? 'no positional arguments'
        : `no more than ${plural(positional, 'positional argument')}`;
    throw new StarlarkError(`${code.name}() accepts ${most} but got ${args.length}`);
  }
  for (let i = 0; i < args.length && i < positional; i += 1) frame[i + 1] = args[i];
  if (code.varargs !== 0) {
    const rest = args.slice(positional);
    t.allocateList(rest.length);
    frame[code.varargs] = new StarTuple(rest);
  }
  const extra = code.kwargs === 0 ? undefined : newDict(t);
  if (named !== undefined) bindNamed(t, code, frame, named, extra);
  if (extra !== undefined) frame[code.kwargs] = extra;
  const missing: string[] = [];
  let missingNamed = 0;
  for (let i = 0; i < params.length; i += 1) {
    if (frame[i + 1] !== undefined) continue;
    const fallback = fn.defaults[i];
    if (fallback !== undefined) frame[i + 1] = fallback;
    else {
      missing.push(params[i]?.name ?? '');
      if (i >= positional) missingNamed += 1;
    }
  }
  if (missing.length > 0) {
    const kind = missingNamed === missing.length ? 'named argument' : 'positional argument';
    throw new StarlarkError(
      `${code.name}() missing ${missing.length} required ${kind}${missing.length === 1 ? '' : 's'}: ${missing.join(', ')}`,
    );
  }
}

function bindNamed(
  t: Thread,
  code: FunctionCode,
  frame: Frame,
  named: ReadonlyMap<string, Value>,
  extra: StarDict | undefined,
): void {
  for (const [name, value] of named) {
    const at = code.params.findIndex((param) => param.name === name);
    if (at >= 0) {
      if (frame[at + 1] !== undefined)
        throw new StarlarkError(`${code.name}() got multiple values for parameter '${name}'`);
      frame[at + 1] = value;
    } else if (extra !== undefined) extra.put(t, name, value);
    else throw new StarlarkError(`${code.name}() got unexpected keyword argument: ${name}`);
  }
}

/** Runs a function whose parameters are in the frame. */
export function invoke(t: Thread, fn: StarFunction, frame: Frame): Value {
  const { code } = fn;
  const wasActive = code.active;
  if (wasActive && !t.recursion) {
    throw new StarlarkError(
      `function '${code.name}' called recursively (Starlark has no recursion: use a loop with a list of work to do)`,
    );
  }
  if (--t.fuel < 0) t.refill();
  t.enter(code.weight);
  code.active = true;
  try {
    const { cells, freeBase } = code;
    for (let i = 0; i < cells.length; i += 1) {
      const slot = cells[i] as number;
      frame[slot] = new Cell(frame[slot] as Value | undefined);
    }
    const { free } = fn;
    for (let i = 0; i < free.length; i += 1) frame[freeBase + i] = free[i];
    if (code.result !== undefined) return code.result(frame);
    code.body(frame);
    const result = frame[0] as Value | undefined;
    return result === undefined ? null : result;
  } finally {
    code.active = wasActive;
    t.leave(code.weight);
  }
}

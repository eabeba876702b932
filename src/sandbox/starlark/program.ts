/** The front door: text to program, program to values. */
import { UNIVERSE } from './builtins/universe.ts';
import type { Loader } from './compile/context.ts';
import { compile } from './compile/compile.ts';
import { Source, StarlarkError, located } from './errors.ts';
import { freeze } from './ops/freeze.ts';
import { parseSource } from './syntax/parser.ts';
import { Resolver, type Resolved } from './syntax/resolver.ts';
import { DIALECT, type Dialect } from './syntax/scopes.ts';
import type { File } from './syntax/ast.ts';
import type { Thread } from './thread.ts';
import { invoke, StarFunction } from './values/function.ts';
import { Callable, typeName, type Value } from './values/objects.ts';

export interface CompileOptions {
  /** What errors call the file. */
  readonly name?: string;
  readonly dialect?: Partial<Dialect>;
  /** Names besides the built-in ones: modules, functions and values that the host adds. */
  readonly predeclared?: ReadonlyMap<string, Value>;
  /** Built-in names to leave out. */
  readonly without?: readonly string[];
}

export interface RunOptions {
  /** Finds modules for `load`, in dialects that have it. */
  readonly load?: Loader;
}

/** A parsed and resolved program. It can run any number of times; runs share nothing that can change. */
export class Program {
  readonly source: Source;
  readonly #file: File;
  readonly #resolved: Resolved;

  constructor(source: Source, file: File, resolved: Resolved) {
    this.source = source;
    this.#file = file;
    this.#resolved = resolved;
  }

  /** Runs the top level. Throws a StarlarkError for everything that goes wrong in the program. */
  run(thread: Thread, options: RunOptions = {}): Module {
    const globals: (Value | undefined)[] = this.#resolved.globals.map(() => undefined);
    const module = new Module(thread, this.#resolved, globals);
    const code = compile(thread, this.source, this.#file, this.#resolved, globals, options.load);
    guarded(this.source, () => invoke(thread, new StarFunction(code, [], []), code.blank.slice()));
    return module;
  }
}

/** What the top level left behind. */
export class Module {
  readonly #thread: Thread;
  readonly #resolved: Resolved;
  readonly #globals: readonly (Value | undefined)[];

  constructor(thread: Thread, resolved: Resolved, globals: readonly (Value | undefined)[]) {
    this.#thread = thread;
    this.#resolved = resolved;
    this.#globals = globals;
  }

  /** A global by name; undefined when it was not assigned. */
  get(name: string): Value | undefined {
    const at = this.#resolved.globals.indexOf(name);
    return at < 0 || this.#resolved.loaded.has(name) ? undefined : this.#globals[at];
  }

  /** The assigned globals, in the order in which the text first assigns them. */
  globals(): Map<string, Value> {
    const out = new Map<string, Value>();
    for (const name of this.#resolved.globals) {
      const value = this.get(name);
      if (value !== undefined) out.set(name, value);
    }
    return out;
  }

  /** Calls a function in the thread of the run; its budgets go on. */
  call(fn: Value, args: readonly Value[] = [], named?: ReadonlyMap<string, Value>): Value {
    return callFunction(this.#thread, fn, args, named);
  }

  /** Makes every global and all that it holds unchangeable. */
  freeze(): void {
    for (const value of this.globals().values()) freeze(value);
  }
}

/** Calls a function value. Throws a StarlarkError, with code `runtime` when it is no function. */
export function callFunction(
  thread: Thread,
  fn: Value,
  args: readonly Value[] = [],
  named?: ReadonlyMap<string, Value>,
): Value {
  if (!(fn instanceof Callable)) throw new StarlarkError(`'${typeName(fn)}' object is not callable`);
  return guarded(undefined, () => fn.call(thread, args, named));
}

/** Lets nothing out but StarlarkErrors and the host's own errors. */
function guarded<T>(source: Source | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const known = located(error, {
      fn: '<toplevel>',
      pos: 0,
      source: source ?? new Source('<host>', ''),
    }) as StarlarkError;
    known.sites.length = 0;
    throw known;
  }
}

/** The static errors of a text, the first hundred; empty when it is a program. */
export function check(text: string, options: CompileOptions = {}): StarlarkError[] {
  const made = build(text, options);
  return made instanceof Program ? [] : made;
}

/**
 * Makes a program of a text. Throws the first static error: code `syntax`, `resolve` or `nesting`, with its place.
 */
export function compileProgram(text: string, options: CompileOptions = {}): Program {
  const made = build(text, options);
  if (made instanceof Program) return made;
  throw made[0] as StarlarkError;
}

function build(text: string, options: CompileOptions): Program | StarlarkError[] {
  const source = new Source(options.name ?? '<script>', text.startsWith('\ufeff') ? text.slice(1) : text);
  let file: File;
  try {
    file = parseSource(source);
  } catch (error) {
    const known = located(error, { fn: '<toplevel>', pos: 0, source });
    if (!(known instanceof StarlarkError)) throw error;
    // A syntax error already had its place, and got a second one above.
    if (known.sites.length > 1) known.sites.pop();
    return [known];
  }
  const environment = new Map([...UNIVERSE, ...(options.predeclared ?? [])]);
  for (const name of options.without ?? []) environment.delete(name);
  const resolver = new Resolver(source, { ...DIALECT, ...options.dialect }, environment);
  const resolved = resolver.resolve(file);
  return resolver.errors.length > 0 ? resolver.errors : new Program(source, file, resolved);
}

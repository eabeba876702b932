/** What the parts of the compiler share. Programs become closures; no text ever becomes code. */
import { located, type Site, type Source } from '../errors.ts';
import type { Expr as Node, Stmt } from '../syntax/ast.ts';
import type { Thread } from '../thread.ts';
import type { Exec, Expr, Frame } from '../values/function.ts';
import type { Value } from '../values/objects.ts';

/** Puts a value into a variable, element or field. */
export type Store = (f: Frame, v: Value) => void;

/** Finds a module for `load`. */
export type Loader = (module: string) => ReadonlyMap<string, Value>;

export interface Context {
  readonly t: Thread;
  readonly source: Source;
  /** The module's globals by index; undefined until assigned. */
  readonly globals: (Value | undefined)[];
  readonly globalNames: readonly string[];
  readonly load: Loader | undefined;
  /** The function that is being compiled. */
  readonly fn: string;
  /** The deepest expression so far, and blocks around it. */
  readonly size: { weight: number; blocks: number };
  expr(node: Node): Expr;
  block(body: readonly Stmt[]): Exec;
  /** As `block`, but the steps are charged by the loop. */
  loopBody(body: readonly Stmt[]): Exec;
  store(target: Node): Store;
  site(pos: number): Site;
  /** The same program, another function. */
  inside(fn: string): Context;
}

/** Throws on: notes the place first. */
export function rethrow(error: unknown, site: Site): never {
  throw located(error, site);
}

/** A resolved program to closures that are bound to one run. */
import type { Site, Source } from '../errors.ts';
import type { Expr as Node, File, Stmt } from '../syntax/ast.ts';
import type { Resolved } from '../syntax/resolver.ts';
import type { Thread } from '../thread.ts';
import {
  BREAK,
  CONTINUE,
  NEXT,
  RETURN,
  type Exec,
  type Expr,
  type FunctionCode,
} from '../values/function.ts';
import type { Value } from '../values/objects.ts';
import { compileAttribute, compileIndex, compileSlice, compileStore } from './access.ts';
import { compileCall } from './calls.ts';
import type { Context, Loader, Store } from './context.ts';
import { compileComprehension, compileDict, compileSequence } from './displays.ts';
import { compileFunction } from './functions.ts';
import { compileName } from './names.ts';
import { compileBinary, compileConditional, compileUnary } from './operators.ts';
import {
  compileAssign,
  compileFor,
  compileIf,
  compileLoad,
  compileWhile,
  sequence,
  uncharged,
} from './statements.ts';

/** Machine stack of a statement with a block, in closures. */
const BLOCK_WEIGHT = 5;

class Compiler implements Context {
  readonly t: Thread;
  readonly source: Source;
  readonly globals: (Value | undefined)[];
  readonly globalNames: readonly string[];
  readonly load: Loader | undefined;
  readonly fn: string;
  readonly size = { weight: 0, blocks: 0 };
  /** Expressions inside this one were measured by it. */
  #insideExpr = false;

  constructor(
    t: Thread,
    source: Source,
    globals: (Value | undefined)[],
    globalNames: readonly string[],
    load: Loader | undefined,
    fn: string,
  ) {
    this.t = t;
    this.source = source;
    this.globals = globals;
    this.globalNames = globalNames;
    this.load = load;
    this.fn = fn;
  }

  inside(fn: string): Context {
    return new Compiler(this.t, this.source, this.globals, this.globalNames, this.load, fn);
  }

  site(pos: number): Site {
    return { fn: this.fn, pos, source: this.source };
  }

  store(target: Node): Store {
    return compileStore(this, target);
  }

  expr(node: Node): Expr {
    if (this.#insideExpr) return this.#compile(node);
    this.size.weight = Math.max(this.size.weight, node.depth + BLOCK_WEIGHT * this.size.blocks);
    this.#insideExpr = true;
    const made = this.#compile(node);
    this.#insideExpr = false;
    return made;
  }

  #compile(node: Node): Expr {
    switch (node.kind) {
      case 'name':
        return compileName(this, node);
      case 'literal': {
        const { value } = node;
        return () => value;
      }
      case 'list':
      case 'tuple':
        return compileSequence(this, node);
      case 'dict':
        return compileDict(this, node);
      case 'comprehension':
        return compileComprehension(this, node);
      case 'unary':
        return compileUnary(this, node);
      case 'binary':
        return compileBinary(this, node);
      case 'conditional':
        return compileConditional(this, node);
      case 'attribute':
        return compileAttribute(this, node);
      case 'index':
        return compileIndex(this, node);
      case 'slice':
        return compileSlice(this, node);
      case 'call':
        return compileCall(this, node);
      case 'lambda': {
        const { params, body, info } = node;
        if (info === undefined) throw new TypeError('unresolved lambda');
        return compileFunction(this, 'lambda', params, info, (inner) => ({ result: inner.expr(body) }));
      }
    }
  }

  block(body: readonly Stmt[]): Exec {
    return sequence(this.t, this.#steps(body));
  }

  loopBody(body: readonly Stmt[]): Exec {
    return uncharged(this.#steps(body));
  }

  #steps(body: readonly Stmt[]): Exec[] {
    this.size.blocks += 1;
    const steps = body.map((stmt) => this.#statement(stmt));
    this.size.blocks -= 1;
    return steps;
  }

  #statement(stmt: Stmt): Exec {
    switch (stmt.kind) {
      case 'expr': {
        const expr = this.expr(stmt.expr);
        return (f) => {
          expr(f);
          return NEXT;
        };
      }
      case 'assign':
        return compileAssign(this, stmt);
      case 'return': {
        if (stmt.value === undefined) return () => RETURN;
        const expr = this.expr(stmt.value);
        return (f) => {
          f[0] = expr(f);
          return RETURN;
        };
      }
      case 'break':
        return () => BREAK;
      case 'continue':
        return () => CONTINUE;
      case 'pass':
        return () => NEXT;
      case 'if':
        return compileIf(this, stmt);
      case 'for':
        return compileFor(this, stmt);
      case 'while':
        return compileWhile(this, stmt);
      case 'load':
        return compileLoad(this, stmt);
      case 'def': {
        const { params, body, info, name } = stmt;
        if (info === undefined) throw new TypeError('unresolved def');
        const [only] = body;
        const make = compileFunction(this, name.name, params, info, (inner) =>
          body.length === 1 && only?.kind === 'return' && only.value !== undefined
            ? { result: inner.expr(only.value) }
            : { body: inner.block(body) },
        );
        const store = this.store(name);
        return (f) => {
          store(f, make(f));
          return NEXT;
        };
      }
    }
  }
}

/** Compiles the top level as a function without parameters; `globals` receives the module's variables. */
export function compile(
  t: Thread,
  source: Source,
  file: File,
  resolved: Resolved,
  globals: (Value | undefined)[],
  load: Loader | undefined,
): FunctionCode {
  const compiler = new Compiler(t, source, globals, resolved.globals, load, '<toplevel>');
  const body = compiler.block(file.body);
  const { locals } = resolved.top;
  return {
    name: '<toplevel>',
    params: [],
    positional: 0,
    varargs: 0,
    kwargs: 0,
    plain: 0,
    blank: Array.from({ length: 1 + locals.length }, () => undefined),
    cells: locals.filter((b) => b.captured).map((b) => b.slot),
    freeBase: 1 + locals.length,
    body,
    result: undefined,
    weight: 6 + compiler.size.weight,
    active: false,
  };
}

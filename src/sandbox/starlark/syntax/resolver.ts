/**
 * Names to places: finds what every name stands for before the program runs, and refuses statements where the
 * dialect does not allow them. Reports all problems, in order.
 */
import { nearest } from '../builtins/method-hints.ts';
import { staticError, type Source, type StarlarkError } from '../errors.ts';
import type { Value } from '../values/objects.ts';
import type {
  Argument,
  Binding,
  Comprehension,
  Def,
  Expr,
  File,
  FunctionInfo,
  Lambda,
  Name,
  Param,
  Ref,
  Stmt,
} from './ast.ts';
import { assignedNames, boundNames, newScope, orderedParams, type Dialect, type Scope } from './scopes.ts';
import { nameHint, TOP_RETURN_MESSAGE, WHILE_MESSAGE } from './habits.ts';

/** What the program's names turned out to be. */
export interface Resolved {
  /** Names of the globals by index. */
  readonly globals: readonly string[];
  /** Globals that `load` bound, which the module does not export. */
  readonly loaded: ReadonlySet<string>;
  /** The frame of the top level. */
  readonly top: FunctionInfo;
}

/** More are not told. */
const MOST_ERRORS = 100;
/** Of so many errors somebody may have meant another name; looking among more names takes too long. */
const MOST_HINTS = 20;
const MOST_NAMES = 1_000;

export class Resolver {
  readonly errors: StarlarkError[] = [];
  readonly #source: Source;
  readonly #dialect: Dialect;
  readonly #environment: ReadonlyMap<string, Value>;
  readonly #globals = new Map<string, number>();
  readonly #assigned = new Set<string>();
  readonly #loaded = new Set<string>();
  #scope: Scope = newScope(undefined);
  #loops = 0;

  /** `environment` holds the names that are there without being defined. */
  constructor(source: Source, dialect: Dialect, environment: ReadonlyMap<string, Value>) {
    this.#source = source;
    this.#dialect = dialect;
    this.#environment = environment;
  }

  resolve(file: File): Resolved {
    for (const name of assignedNames(file.body, [])) {
      if (!this.#globals.has(name.name)) this.#globals.set(name.name, this.#globals.size);
    }
    this.#statements(file.body);
    this.#finish(this.#scope);
    return { globals: [...this.#globals.keys()], loaded: this.#loaded, top: this.#scope.info };
  }

  #error(pos: number, message: string): void {
    // Each costs a stack trace: a text that is nothing but errors must not cost seconds.
    if (this.errors.length >= MOST_ERRORS) return;
    this.errors.push(staticError(message, this.#source, pos, 'resolve'));
  }

  /** Slots: locals from 1, then the cells of outer functions. */
  #finish(scope: Scope): void {
    const { locals, free } = scope.info;
    free.forEach(({ inner }, i) => {
      inner.slot = 1 + locals.length + i;
    });
  }

  #declare(scope: Scope, block: Map<string, Binding>, name: string): Binding {
    const binding: Binding = { name, slot: scope.info.locals.length + 1, captured: false };
    scope.info.locals.push(binding);
    block.set(name, binding);
    return binding;
  }

  get #isTop(): boolean {
    return this.#scope.parent === undefined;
  }

  #statements(body: readonly Stmt[]): void {
    for (const stmt of body) this.#statement(stmt);
  }

  #statement(stmt: Stmt): void {
    switch (stmt.kind) {
      case 'expr':
        return this.#expr(stmt.expr);
      case 'assign':
        this.#expr(stmt.value);
        return this.#target(stmt.target, stmt.op !== undefined);
      case 'return':
        if (this.#isTop) this.#error(stmt.pos, TOP_RETURN_MESSAGE);
        return stmt.value === undefined ? undefined : this.#expr(stmt.value);
      case 'break':
      case 'continue':
        if (this.#loops === 0) this.#error(stmt.pos, `${stmt.kind} not in a loop`);
        return;
      case 'pass':
        return;
      case 'if':
        this.#control(stmt.pos, 'if statement');
        for (const branch of stmt.branches) {
          this.#expr(branch.test);
          this.#statements(branch.body);
        }
        return this.#statements(stmt.otherwise ?? []);
      case 'for':
        this.#control(stmt.pos, 'for loop');
        this.#expr(stmt.iterable);
        this.#target(stmt.target, false);
        return this.#loop(stmt.body);
      case 'while':
        if (!this.#dialect.while) this.#error(stmt.pos, WHILE_MESSAGE);
        this.#control(stmt.pos, 'while loop');
        this.#expr(stmt.test);
        return this.#loop(stmt.body);
      case 'def':
        return this.#def(stmt);
      case 'load':
        return this.#load(stmt);
    }
  }

  #control(pos: number, what: string): void {
    if (this.#isTop && !this.#dialect.topLevelControl) this.#error(pos, `${what} not within a function`);
  }

  #loop(body: readonly Stmt[]): void {
    this.#loops += 1;
    this.#statements(body);
    this.#loops -= 1;
  }

  #load(stmt: Extract<Stmt, { kind: 'load' }>): void {
    if (!this.#dialect.load)
      this.#error(stmt.pos, "'load' is not supported: modules such as json and time are there without it");
    if (!this.#isTop) this.#error(stmt.pos, 'load statement within a function');
    for (const { local, remote } of stmt.bindings) {
      if (remote.startsWith('_'))
        this.#error(local.pos, `load: names with leading underscores are not exported: ${remote}`);
      this.#bind(local, false);
      if (!this.#dialect.loadBindsGlobally) this.#loaded.add(local.name);
    }
  }

  #target(target: Expr, augmented: boolean): void {
    switch (target.kind) {
      case 'name':
        return this.#bind(target, augmented);
      case 'list':
      case 'tuple':
        for (const item of target.items) this.#target(item, false);
        return;
      default:
        return this.#expr(target);
    }
  }

  /** A name that is assigned here. */
  #bind(name: Name, augmented: boolean): void {
    const local = this.#find(this.#scope, name.name);
    const own = local !== undefined && this.#scope.blocks.some((block) => block.get(name.name) === local);
    if (own) {
      name.ref = { kind: 'local', binding: local };
      return;
    }
    const index = this.#globals.get(name.name);
    if (index === undefined) throw new TypeError(`unbound ${name.name}`);
    name.ref = { kind: 'global', index };
    if (!this.#dialect.globalReassign && this.#assigned.has(name.name)) {
      this.#error(name.pos, `cannot reassign global '${name.name}'`);
    } else if (!this.#dialect.globalReassign && augmented) {
      this.#error(name.pos, `cannot reassign global '${name.name}' (an augmented assignment)`);
    }
    this.#assigned.add(name.name);
  }

  #find(scope: Scope, name: string): Binding | undefined {
    for (let i = scope.blocks.length - 1; i >= 0; i -= 1) {
      const found = scope.blocks[i]?.get(name);
      if (found !== undefined) return found;
    }
    if (scope.parent === undefined) return undefined;
    const outer = this.#find(scope.parent, name);
    if (outer === undefined) return undefined;
    let inner = scope.freeBy.get(outer);
    if (inner === undefined) {
      outer.captured = true;
      inner = { name, slot: 0, captured: true };
      scope.freeBy.set(outer, inner);
      scope.info.free.push({ outer, inner });
    }
    return inner;
  }

  #use(name: Name): void {
    name.ref = this.#lookup(name);
  }

  #lookup(name: Name): Ref {
    const binding = this.#find(this.#scope, name.name);
    if (binding !== undefined) return { kind: 'local', binding };
    const index = this.#globals.get(name.name);
    if (index !== undefined) return { kind: 'global', index };
    const value = this.#environment.get(name.name);
    if (value === undefined)
      this.#error(name.pos, `name '${name.name}' is not defined${this.#hint(name.name)}`);
    return { kind: 'constant', value: value ?? null };
  }

  #hint(name: string): string {
    const hint = nameHint(name);
    if (hint !== undefined) return ` (${hint})`;
    if (this.errors.length >= MOST_HINTS) return '';
    const known: string[] = [...this.#globals.keys(), ...this.#environment.keys()];
    for (let scope: Scope | undefined = this.#scope; scope !== undefined; scope = scope.parent) {
      for (const block of scope.blocks) known.push(...block.keys());
    }
    const near = known.length > MOST_NAMES ? undefined : nearest(name, known);
    return near === undefined ? '' : ` (did you mean '${near}'?)`;
  }

  #expr(expr: Expr): void {
    switch (expr.kind) {
      case 'name':
        return this.#use(expr);
      case 'literal':
        return;
      case 'list':
      case 'tuple':
        return expr.items.forEach((item) => this.#expr(item));
      case 'dict':
        return expr.entries.forEach(({ key, value }) => {
          this.#expr(key);
          this.#expr(value);
        });
      case 'comprehension':
        return this.#comprehension(expr);
      case 'unary':
        return this.#expr(expr.operand);
      case 'binary':
        this.#expr(expr.left);
        return this.#expr(expr.right);
      case 'conditional':
        this.#expr(expr.test);
        this.#expr(expr.yes);
        return this.#expr(expr.no);
      case 'attribute':
        return this.#expr(expr.object);
      case 'index':
        this.#expr(expr.object);
        return this.#expr(expr.index);
      case 'slice':
        for (const part of [expr.object, expr.start, expr.stop, expr.step])
          if (part !== undefined) this.#expr(part);
        return;
      case 'call':
        this.#expr(expr.callee);
        return this.#arguments(expr.args);
      case 'lambda':
        return this.#lambda(expr);
    }
  }

  #arguments(args: readonly Argument[]): void {
    const seen = new Set<string>();
    let stage = 0;
    for (const arg of args) {
      const order = { positional: 0, named: 1, '*': 2, '**': 3 }[arg.kind];
      if (arg.kind === 'positional' && stage > 0) {
        this.#error(
          arg.pos,
          `positional argument may not follow ${['', 'named', '*args', '**kwargs'][stage] ?? ''}`,
        );
      } else if (stage === 3)
        this.#error(
          arg.pos,
          `${arg.kind === 'named' ? 'keyword argument' : arg.kind} may not follow **kwargs`,
        );
      else if (arg.kind === '*' && stage === 2) this.#error(arg.pos, 'multiple *args not allowed');
      if (arg.kind === 'named') {
        if (seen.has(arg.name)) this.#error(arg.pos, `keyword argument '${arg.name}' is repeated`);
        seen.add(arg.name);
      }
      stage = Math.max(stage, order);
      this.#expr(arg.value);
    }
  }

  /** One block for all clauses; only the first iterable belongs to the outside. */
  #comprehension(expr: Comprehension): void {
    const first = expr.clauses[0];
    if (first?.kind === 'for') this.#expr(first.iterable);
    const block = new Map<string, Binding>();
    for (const clause of expr.clauses) {
      if (clause.kind !== 'for') continue;
      for (const name of boundNames(clause.target, [])) {
        if (!block.has(name.name)) this.#declare(this.#scope, block, name.name);
      }
    }
    this.#scope.blocks.push(block);
    expr.clauses.forEach((clause, i) => {
      if (clause.kind === 'if') return this.#expr(clause.test);
      if (i > 0) this.#expr(clause.iterable);
      return this.#target(clause.target, false);
    });
    if ('key' in expr.body) {
      this.#expr(expr.body.key);
      this.#expr(expr.body.value);
    } else this.#expr(expr.body);
    this.#scope.blocks.pop();
    expr.locals = [...block.values()];
  }

  #def(stmt: Def): void {
    this.#defaults(stmt.params);
    this.#bind(stmt.name, false);
    const loops = this.#loops;
    this.#loops = 0;
    stmt.info = this.#function(stmt.params, assignedNames(stmt.body, []), () => this.#statements(stmt.body));
    this.#loops = loops;
  }

  #lambda(expr: Lambda): void {
    this.#defaults(expr.params);
    expr.info = this.#function(expr.params, [], () => this.#expr(expr.body));
  }

  #defaults(params: readonly Param[]): void {
    for (const param of params) if (param.default !== undefined) this.#expr(param.default);
  }

  #function(params: readonly Param[], assigned: readonly Name[], body: () => void): FunctionInfo {
    const scope = newScope(this.#scope);
    const block = scope.blocks[0] as Map<string, Binding>;
    this.#checkParams(params);
    for (const param of orderedParams(params)) {
      if (block.has(param.name)) this.#error(param.pos, `duplicate parameter '${param.name}'`);
      else this.#declare(scope, block, param.name);
    }
    for (const name of assigned) if (!block.has(name.name)) this.#declare(scope, block, name.name);
    const outer = this.#scope;
    this.#scope = scope;
    body();
    this.#scope = outer;
    this.#finish(scope);
    return scope.info;
  }

  #checkParams(params: readonly Param[]): void {
    let optional = false;
    let star = false;
    let rest = false;
    params.forEach((param, i) => {
      if (rest) this.#error(param.pos, 'no parameter may follow **kwargs');
      if (param.kind === '*') {
        if (star) this.#error(param.pos, 'multiple * parameters not allowed');
        star = true;
        if (param.name === '' && params[i + 1]?.kind !== 'plain')
          this.#error(param.pos, 'bare * must be followed by keyword-only parameters');
      } else if (param.kind === '**') rest = true;
      else if (!star) {
        if (param.default !== undefined) optional = true;
        else if (optional) this.#error(param.pos, 'required parameter may not follow optional');
      }
    });
  }
}

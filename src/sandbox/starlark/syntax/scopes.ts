/** Dialects, and the names that pieces of a program bind. */
import type { Binding, Expr, FunctionInfo, Name, Param, Stmt } from './ast.ts';

/** Which statements are allowed. The dialect of the product is DIALECT. */
export interface Dialect {
  /** `if`, `for` and `while` outside functions. */
  readonly topLevelControl: boolean;
  /** Assigning a global more than once. */
  readonly globalReassign: boolean;
  readonly while: boolean;
  readonly load: boolean;
  /** Whether names from `load` are globals of the module. */
  readonly loadBindsGlobally: boolean;
}

export const DIALECT: Dialect = {
  topLevelControl: true,
  globalReassign: true,
  while: false,
  load: false,
  loadBindsGlobally: false,
};

export interface Scope {
  readonly parent: Scope | undefined;
  readonly info: FunctionInfo;
  /** Open blocks, the function's own first. */
  readonly blocks: Map<string, Binding>[];
  readonly freeBy: Map<Binding, Binding>;
}

export function newScope(parent: Scope | undefined): Scope {
  return { parent, info: { locals: [], free: [] }, blocks: [new Map<string, Binding>()], freeBy: new Map() };
}

/** The names that an assignment to `target` binds. */
export function boundNames(target: Expr, out: Name[]): Name[] {
  if (target.kind === 'name') out.push(target);
  else if (target.kind === 'list' || target.kind === 'tuple')
    for (const item of target.items) boundNames(item, out);
  return out;
}

/** The names that statements bind, without looking into functions. */
export function assignedNames(body: readonly Stmt[], out: Name[]): Name[] {
  for (const stmt of body) {
    switch (stmt.kind) {
      case 'assign':
        boundNames(stmt.target, out);
        break;
      case 'def':
        out.push(stmt.name);
        break;
      case 'for':
        boundNames(stmt.target, out);
        assignedNames(stmt.body, out);
        break;
      case 'while':
        assignedNames(stmt.body, out);
        break;
      case 'if':
        for (const branch of stmt.branches) assignedNames(branch.body, out);
        if (stmt.otherwise !== undefined) assignedNames(stmt.otherwise, out);
        break;
      case 'load':
        for (const binding of stmt.bindings) out.push(binding.local);
        break;
      default:
    }
  }
  return out;
}

/** Parameters in the order of their slots: positional and named-only ones, then `*args`, then `**kwargs`. */
export function orderedParams(params: readonly Param[]): Param[] {
  return [
    ...params.filter((p) => p.kind === 'plain'),
    ...params.filter((p) => p.kind === '*' && p.name !== ''),
    ...params.filter((p) => p.kind === '**'),
  ];
}

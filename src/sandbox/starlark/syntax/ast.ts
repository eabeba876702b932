/**
 * The tree of a program. `pos` is where an error in the node is reported: the operator of a binary expression, the
 * bracket of a call or index. `depth` counts the longest way down, which bounds every recursion over the tree.
 */
import type { Value } from '../values/objects.ts';

export interface Node {
  readonly pos: number;
}

interface ExprNode extends Node {
  readonly depth: number;
}

/** A variable as the resolver sees it; shared by all its uses. */
export interface Binding {
  readonly name: string;
  /** Where in the frame. */
  slot: number;
  /** Whether an inner function uses it, so that it lives in a cell. */
  captured: boolean;
}

/** What a name stands for; set by the resolver. */
export type Ref =
  | { readonly kind: 'local'; readonly binding: Binding }
  | { readonly kind: 'global'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: Value };

export interface Name extends ExprNode {
  readonly kind: 'name';
  readonly name: string;
  ref?: Ref;
}

interface Literal extends ExprNode {
  readonly kind: 'literal';
  readonly value: Value;
}

export interface Sequence extends ExprNode {
  readonly kind: 'list' | 'tuple';
  readonly items: readonly Expr[];
}

export interface DictEntry extends Node {
  readonly key: Expr;
  readonly value: Expr;
}

export interface DictDisplay extends ExprNode {
  readonly kind: 'dict';
  readonly entries: readonly DictEntry[];
}

export type Clause =
  | { readonly kind: 'for'; readonly pos: number; readonly target: Expr; readonly iterable: Expr }
  | { readonly kind: 'if'; readonly pos: number; readonly test: Expr };

export interface Comprehension extends ExprNode {
  readonly kind: 'comprehension';
  /** An expression for a list, an entry for a dict. */
  readonly body: Expr | DictEntry;
  readonly clauses: readonly Clause[];
  /** The variables of the clauses; set by the resolver. */
  locals?: readonly Binding[];
}

export type UnaryOp = '-' | '+' | '~' | 'not';
export type CompareOp = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | 'not in';
export type ArithmeticOp = '+' | '-' | '*' | '/' | '//' | '%' | '&' | '|' | '^' | '<<' | '>>';
export type BinaryOp = ArithmeticOp | CompareOp | 'and' | 'or';

export interface Unary extends ExprNode {
  readonly kind: 'unary';
  readonly op: UnaryOp;
  readonly operand: Expr;
}

export interface Binary extends ExprNode {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
}

export interface Conditional extends ExprNode {
  readonly kind: 'conditional';
  readonly test: Expr;
  readonly yes: Expr;
  readonly no: Expr;
}

export interface Attribute extends ExprNode {
  readonly kind: 'attribute';
  readonly object: Expr;
  readonly name: string;
}

export interface Index extends ExprNode {
  readonly kind: 'index';
  readonly object: Expr;
  readonly index: Expr;
}

export interface Slice extends ExprNode {
  readonly kind: 'slice';
  readonly object: Expr;
  readonly start: Expr | undefined;
  readonly stop: Expr | undefined;
  readonly step: Expr | undefined;
}

export interface Argument extends Node {
  readonly kind: 'positional' | 'named' | '*' | '**';
  /** Of a named argument; '' otherwise. */
  readonly name: string;
  readonly value: Expr;
}

export interface Call extends ExprNode {
  readonly kind: 'call';
  readonly callee: Expr;
  readonly args: readonly Argument[];
}

export interface Param extends Node {
  /** `/` does not exist; a bare `*` has no name. */
  readonly kind: 'plain' | '*' | '**';
  readonly name: string;
  readonly default: Expr | undefined;
}

/** What the resolver finds out about a function. */
export interface FunctionInfo {
  /** All variables of the frame in the order of their slots, which begin at 1. */
  readonly locals: Binding[];
  /** Variables of outer functions, in the order of their slots after the locals. */
  readonly free: { readonly outer: Binding; readonly inner: Binding }[];
}

export interface Lambda extends ExprNode {
  readonly kind: 'lambda';
  readonly params: readonly Param[];
  readonly body: Expr;
  info?: FunctionInfo;
}

export type Expr =
  | Name
  | Literal
  | Sequence
  | DictDisplay
  | Comprehension
  | Unary
  | Binary
  | Conditional
  | Attribute
  | Index
  | Slice
  | Call
  | Lambda;

interface ExprStmt extends Node {
  readonly kind: 'expr';
  readonly expr: Expr;
}

export interface Assign extends Node {
  readonly kind: 'assign';
  readonly target: Expr;
  /** Of an augmented assignment. */
  readonly op: ArithmeticOp | undefined;
  readonly value: Expr;
}

interface Return extends Node {
  readonly kind: 'return';
  readonly value: Expr | undefined;
}

interface Simple extends Node {
  readonly kind: 'break' | 'continue' | 'pass';
}

export interface If extends Node {
  readonly kind: 'if';
  readonly branches: readonly { readonly test: Expr; readonly body: readonly Stmt[] }[];
  readonly otherwise: readonly Stmt[] | undefined;
}

export interface For extends Node {
  readonly kind: 'for';
  readonly target: Expr;
  readonly iterable: Expr;
  readonly body: readonly Stmt[];
}

export interface While extends Node {
  readonly kind: 'while';
  readonly test: Expr;
  readonly body: readonly Stmt[];
}

export interface Def extends Node {
  readonly kind: 'def';
  readonly name: Name;
  readonly params: readonly Param[];
  readonly body: readonly Stmt[];
  info?: FunctionInfo;
}

export interface Load extends Node {
  readonly kind: 'load';
  readonly module: string;
  readonly bindings: readonly { readonly local: Name; readonly remote: string }[];
}

export type Stmt = ExprStmt | Assign | Return | Simple | If | For | While | Def | Load;

export interface File {
  readonly body: readonly Stmt[];
}

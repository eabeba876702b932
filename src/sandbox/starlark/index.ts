/**
 * Starlark: the language, without an opinion on what scripts may do. See README.md for examples.
 *
 * Guarantees: a program sees nothing but its own values, the built-in names and what the host predeclares; it stops
 * within its budgets; the same program with the same inputs does the same. Program text never becomes code.
 * Does not: watch the clock or the machine's memory, or hold secrets. Everything in a program is hostile input.
 */
export {
  callFunction,
  check,
  compileProgram,
  Module,
  Program,
  type CompileOptions,
  type RunOptions,
} from './program.ts';
export { Thread, type ThreadOptions } from './thread.ts';
export { DEFAULT_LIMITS, Meter, type Limits } from './meter.ts';
export {
  HostError,
  Source,
  StarlarkError,
  type Position,
  type StackEntry,
  type StarlarkErrorCode,
} from './errors.ts';
export { DIALECT, type Dialect } from './syntax/scopes.ts';
export { parse } from './syntax/parser.ts';
export { printFile } from './syntax/printer.ts';
export type { File } from './syntax/ast.ts';
export {
  Callable,
  HostObject,
  StarBytes,
  StarFloat,
  StarIterable,
  StarList,
  StarModule,
  StarObject,
  StarRange,
  StarStruct,
  StarTuple,
  truth,
  typeName,
  type Value,
} from './values/objects.ts';
export { newDict, StarDict, StarRecord, StarSet } from './values/table.ts';
export { StarFunction } from './values/function.ts';
export { OpaqueString, joinParts, type Derivation, type TextPart } from './values/opaque.ts';
export {
  Builtin,
  native,
  variadic,
  wantBool,
  wantInt,
  wantString,
  wrongType,
  type Named,
  type Native,
} from './values/native.ts';
export { defineModule, extendModule } from './modules/define.ts';
export { createTimeModule } from './modules/time.ts';
export { standardModules } from './modules/standard.ts';
export { UNIVERSE } from './builtins/universe.ts';
export { equals } from './ops/equality.ts';
export { freeze } from './ops/freeze.ts';
export { repr, shown } from './ops/repr.ts';
export { fromJson, toJson, type Json } from './convert.ts';

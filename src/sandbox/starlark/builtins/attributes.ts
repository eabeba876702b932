/** `x.name`: methods of the built-in types, fields of structs and modules, attributes of host values. */
import { OBJECT_BYTES } from '../meter.ts';
import { StarlarkError } from '../errors.ts';
import type { Thread } from '../thread.ts';
import {
  HostObject,
  StarBytes,
  StarList,
  StarModule,
  StarStruct,
  typeName,
  type Value,
} from '../values/objects.ts';
import { Builtin, native, variadic, type Native } from '../values/native.ts';
import { OpaqueString } from '../values/opaque.ts';
import { StarDict, StarRecord, StarSet } from '../values/table.ts';
import { BYTES_METHODS } from './bytes-methods.ts';
import { DICT_METHODS } from './dict-methods.ts';
import { LIST_METHODS } from './list-methods.ts';
import { methodHint } from './method-hints.ts';
import { SET_METHODS } from './set-methods.ts';
import { STRING_CASE } from './string-case.ts';
import { STRING_EDIT } from './string-edit.ts';
import { STRING_SEARCH } from './string-search.ts';
import { join, STRING_SPLIT } from './string-split.ts';

type Methods = ReadonlyMap<string, Native>;

function table(...groups: (readonly Native[])[]): Methods {
  return new Map(groups.flat().map((method) => [method.name, method]));
}

export const STRING_TABLE = table(STRING_CASE, STRING_EDIT, STRING_SEARCH, STRING_SPLIT);
export const LIST_TABLE = table(LIST_METHODS);
export const DICT_TABLE = table(DICT_METHODS);
const SET_TABLE = table(SET_METHODS);
const BYTES_TABLE = table(BYTES_METHODS);

/** What an opaque string can do: be joined, and be stripped without arguments (the vault holds it trimmed). */
const OPAQUE_TABLE = table([
  native('join(elements)', (t, self: OpaqueString, values: Value) => join(t, self, values)),
  variadic('strip', (_t, self, args, named) => {
    if (args.length > 0 || (named?.size ?? 0) > 0)
      throw (self as OpaqueString).refuse('strip() with arguments');
    return (self as OpaqueString).stripped();
  }),
]);

/** The methods of a value's type, or undefined. */
function methodsOf(v: Value): Methods | undefined {
  if (typeof v === 'string') return STRING_TABLE;
  if (v instanceof StarList) return LIST_TABLE;
  if (v instanceof StarDict) return DICT_TABLE;
  if (v instanceof StarSet) return SET_TABLE;
  if (v instanceof StarBytes) return BYTES_TABLE;
  if (v instanceof OpaqueString) return OPAQUE_TABLE;
  return undefined;
}

/** A field that is not a method, or undefined. */
function fieldOf(v: Value, name: string): Value | undefined {
  if (v instanceof StarModule) return v.members.get(name);
  if (v instanceof StarStruct) return v.fields.get(name);
  if (v instanceof HostObject) return v.attr(name);
  if (v instanceof StarRecord) return v.map.get(name);
  return undefined;
}

/** `x.name`, or undefined when there is no such attribute. */
export function findAttr(t: Thread, v: Value, name: string): Value | undefined {
  const method = methodsOf(v)?.get(name);
  if (method === undefined) return fieldOf(v, name);
  t.allocate(OBJECT_BYTES);
  return new Builtin(method, v);
}

/** `x.name`; throws for unknown names, with the way to say it when there is one. */
export function getAttr(t: Thread, v: Value, name: string): Value {
  const found = findAttr(t, v, name);
  if (found === undefined) throw noAttribute(v, name);
  return found;
}

/** The error for a name that a value does not have. */
function noAttribute(v: Value, name: string): StarlarkError {
  if (v instanceof OpaqueString) return v.refuse(`the method ${name}()`);
  const what = v instanceof StarModule ? `module '${v.name}'` : `'${typeName(v)}' value`;
  return new StarlarkError(`${what} has no field or method '${name}'${methodHint(v, name, attrNames(v))}`);
}

/** `x.name = v`. */
export function setAttr(v: Value, name: string, value: Value): void {
  if (v instanceof HostObject && v.setAttr !== undefined) {
    v.setAttr(name, value);
    return;
  }
  if (v instanceof OpaqueString) throw v.refuse('field assignment');
  throw new StarlarkError(`${typeName(v)} value does not support field assignment`);
}

/** `dir(x)`: sorted. */
export function attrNames(v: Value): string[] {
  const names = [...(methodsOf(v)?.keys() ?? [])];
  if (v instanceof StarModule) names.push(...v.members.keys());
  if (v instanceof StarStruct) names.push(...v.fields.keys());
  if (v instanceof HostObject) names.push(...v.attrNames());
  if (v instanceof StarRecord) names.push(...v.keys().filter((key) => typeof key === 'string'));
  return names.sort();
}

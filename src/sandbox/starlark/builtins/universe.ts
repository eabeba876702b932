/** The names that every program knows. */
import { StarlarkError } from '../errors.ts';
import { repr, shown, toText } from '../ops/repr.ts';
import {
  Builtin,
  checkNamed,
  native,
  variadic,
  wantString,
  type Named,
  type Native,
} from '../values/native.ts';
import type { Thread } from '../thread.ts';
import { StarList, typeName, type Value } from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { attrNames, findAttr, getAttr } from './attributes.ts';
import { FORMAT } from './format-function.ts';
import { NUMBER_FUNCTIONS } from './numbers.ts';
import { SEQUENCE_FUNCTIONS } from './sequences.ts';

/** The line of `print` and `fail`: values as text with markers where text is opaque. */
function line(t: Thread, fn: string, args: readonly Value[], named: Named): string {
  checkNamed(fn, named, ['sep']);
  const separator = named?.get('sep');
  const between = separator === undefined ? ' ' : wantString(separator, fn, 'sep');
  const parts = args.map((arg) => shown(t, arg));
  t.allocateString(parts.reduce((n, part) => n + part.length + between.length, 0));
  return parts.join(between);
}

const OBJECT_FUNCTIONS: readonly Native[] = [
  native('dir(x)', (t, _self, x: Value) => {
    if (x instanceof OpaqueString) throw x.refuse('dir()');
    const names = attrNames(x);
    t.charge(names.length);
    t.allocateList(names.length);
    return new StarList(names);
  }),
  variadic('fail', (t, _self, args, named) => {
    throw new StarlarkError(line(t, 'fail', args, named), 'fail');
  }),
  native('getattr(x, name, default=)', (t, _self, x: Value, name: Value, fallback?: Value) => {
    const key = wantString(name, 'getattr', 'name');
    return fallback === undefined ? getAttr(t, x, key) : (findAttr(t, x, key) ?? fallback);
  }),
  native(
    'hasattr(x, name)',
    (t, _self, x: Value, name: Value) => findAttr(t, x, wantString(name, 'hasattr', 'name')) !== undefined,
  ),
  variadic('print', (t, _self, args, named) => {
    t.print(line(t, 'print', args, named));
    return null;
  }),
  native('repr(x)', (t, _self, x: Value) => {
    if (x instanceof OpaqueString) throw x.refuse('repr()');
    return repr(t, x);
  }),
  native('str(x=)', (t, _self, x?: Value) => (x === undefined ? '' : toText(t, x))),
  native('type(x)', (_t, _self, x: Value) => typeName(x)),
];

/** None, True, False and the built-in functions, by name. */
export const UNIVERSE: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['None', null],
  ['True', true],
  ['False', false],
  ...[...NUMBER_FUNCTIONS, ...SEQUENCE_FUNCTIONS, ...OBJECT_FUNCTIONS, FORMAT].map((fn): [string, Value] => [
    fn.name,
    new Builtin(fn),
  ]),
]);

/** Calls. Those with a few positional arguments build no argument list. */
import { DICT_TABLE, getAttr, LIST_TABLE, STRING_TABLE } from '../builtins/attributes.ts';
import { located, StarlarkError, type Site } from '../errors.ts';
import { elements, isIterable } from '../ops/iterate.ts';
import type { Argument, Attribute, Call } from '../syntax/ast.ts';
import type { Thread } from '../thread.ts';
import { invoke, StarFunction, type Expr, type Frame } from '../values/function.ts';
import { Builtin, type Named, type Native } from '../values/native.ts';
import { Callable, StarList, typeName, type Value } from '../values/objects.ts';
import { OpaqueString } from '../values/opaque.ts';
import { StarDict } from '../values/table.ts';
import type { Context } from './context.ts';

/** The error of a call with its place; one that a built-in function raised itself gets its name. */
function failed(error: unknown, site: Site, fn: Value): unknown {
  const known = located(error, site);
  if (known instanceof StarlarkError && known.sites.length === 1 && fn instanceof Builtin)
    known.builtin = fn.name;
  return known;
}

function failedMethod(error: unknown, site: Site, method: Native): unknown {
  const known = located(error, site);
  if (known instanceof StarlarkError && known.sites.length === 1) known.builtin = method.name;
  return known;
}

/** Calls any value. Throws when it can't be called. */
function callValue(t: Thread, fn: Value, args: readonly Value[], named: Named): Value {
  if (fn instanceof Callable) return fn.call(t, args, named);
  if (fn instanceof OpaqueString) throw fn.refuse('a call');
  const hint =
    typeof fn === 'string' || fn === null
      ? ''
      : fn instanceof StarDict
        ? ' (use d[key])'
        : fn instanceof StarList
          ? ' (use x[i])'
          : '';
  throw new StarlarkError(`'${typeName(fn)}' object is not callable${hint}`);
}

/** Whether a native function can be called with `n` positional arguments without binding. */
function takes(fn: Native, n: number): boolean {
  return fn.variadic === undefined && n >= fn.required && n <= fn.params.length && n <= 3;
}

function general(t: Thread, fn: Value, args: readonly Value[], site: Site): Value {
  try {
    return callValue(t, fn, args, undefined);
  } catch (error) {
    throw failed(error, site, fn);
  }
}

function call0(t: Thread, callee: Expr, site: Site): Expr {
  return (f) => {
    const fn = callee(f);
    try {
      if (fn instanceof StarFunction && fn.code.plain === 0) return invoke(t, fn, fn.code.blank.slice());
      return callValue(t, fn, [], undefined);
    } catch (error) {
      throw failed(error, site, fn);
    }
  };
}

function call1(t: Thread, callee: Expr, arg: Expr, site: Site): Expr {
  return (f) => {
    const fn = callee(f);
    const a = arg(f);
    try {
      if (fn instanceof StarFunction && fn.code.plain === 1) {
        const frame: Frame = fn.code.blank.slice();
        frame[1] = a;
        return invoke(t, fn, frame);
      }
      if (fn instanceof Builtin && takes(fn.native, 1)) {
        if (--t.fuel < 0) t.refill();
        return fn.native.run(t, fn.self, a);
      }
      return callValue(t, fn, [a], undefined);
    } catch (error) {
      throw failed(error, site, fn);
    }
  };
}

function call2(t: Thread, callee: Expr, first: Expr, second: Expr, site: Site): Expr {
  return (f) => {
    const fn = callee(f);
    const a = first(f);
    const b = second(f);
    try {
      if (fn instanceof StarFunction && fn.code.plain === 2) {
        const frame: Frame = fn.code.blank.slice();
        frame[1] = a;
        frame[2] = b;
        return invoke(t, fn, frame);
      }
      if (fn instanceof Builtin && takes(fn.native, 2)) {
        if (--t.fuel < 0) t.refill();
        return fn.native.run(t, fn.self, a, b);
      }
      return callValue(t, fn, [a, b], undefined);
    } catch (error) {
      throw failed(error, site, fn);
    }
  };
}

function callMany(t: Thread, callee: Expr, args: readonly Expr[], site: Site): Expr {
  return (f) => {
    const fn = callee(f);
    const values: Value[] = [];
    for (let i = 0; i < args.length; i += 1) values.push((args[i] as Expr)(f));
    return general(t, fn, values, site);
  };
}

/** `x.name(args)` on a string, list or dict finds the method without making a value of it. */
function methodCall(c: Context, node: Attribute, args: readonly Expr[], callSite: Site): Expr {
  const { t } = c;
  const { name } = node;
  const object = c.expr(node.object);
  const attrSite = c.site(node.pos);
  const n = args.length;
  const usable = (method: Native | undefined): Native | undefined =>
    method !== undefined && takes(method, n) ? method : undefined;
  const ofString = usable(STRING_TABLE.get(name));
  const ofList = usable(LIST_TABLE.get(name));
  const ofDict = usable(DICT_TABLE.get(name));
  const [first, second, third] = args;
  const pick = (x: Value): Native | undefined =>
    typeof x === 'string'
      ? ofString
      : x instanceof StarDict
        ? ofDict
        : x instanceof StarList
          ? ofList
          : undefined;
  const slow = (f: Frame, x: Value): Value => {
    let fn: Value;
    try {
      fn = getAttr(t, x, name);
    } catch (error) {
      throw located(error, attrSite);
    }
    const values = args.map((arg) => arg(f));
    return general(t, fn, values, callSite);
  };
  if (n === 1 && first !== undefined) {
    return (f) => {
      const x = object(f);
      const method = pick(x);
      if (method === undefined) return slow(f, x);
      const a = first(f);
      if (--t.fuel < 0) t.refill();
      try {
        return method.run(t, x, a);
      } catch (error) {
        throw failedMethod(error, callSite, method);
      }
    };
  }
  return (f) => {
    const x = object(f);
    const method = pick(x);
    if (method === undefined) return slow(f, x);
    const a = first?.(f);
    const b = second?.(f);
    const d = third?.(f);
    if (--t.fuel < 0) t.refill();
    try {
      return method.run(t, x, a, b, d);
    } catch (error) {
      throw failedMethod(error, callSite, method);
    }
  };
}

/** Named, `*` and `**` arguments; evaluated from left to right. */
function fullCall(c: Context, callee: Expr, args: readonly Argument[], site: Site): Expr {
  const { t } = c;
  const parts = args.map((arg) => ({ kind: arg.kind, name: arg.name, value: c.expr(arg.value) }));
  const hasNamed = args.some((arg) => arg.kind === 'named' || arg.kind === '**');
  return (f) => {
    const fn = callee(f);
    const positional: Value[] = [];
    const named = hasNamed ? new Map<string, Value>() : undefined;
    for (const part of parts) {
      const v = part.value(f);
      if (part.kind === 'positional') positional.push(v);
      else if (part.kind === 'named') named?.set(part.name, v);
      else {
        try {
          if (part.kind === '*') spread(t, v, positional);
          else spreadNamed(t, v, named as Map<string, Value>);
        } catch (error) {
          throw located(error, site);
        }
      }
    }
    try {
      return callValue(t, fn, positional, named);
    } catch (error) {
      throw failed(error, site, fn);
    }
  };
}

function spread(t: Thread, v: Value, out: Value[]): void {
  if (!isIterable(v))
    throw new StarlarkError(
      `argument after * must be iterable, not ${typeName(v)} (type '${typeName(v)}' is not iterable)`,
    );
  const items = elements(t, v);
  t.allocateList(items.length);
  for (let i = 0; i < items.length; i += 1) out.push(items[i] as Value);
}

function spreadNamed(t: Thread, v: Value, out: Map<string, Value>): void {
  if (!(v instanceof StarDict))
    throw new StarlarkError(`argument after ** must be a mapping, not ${typeName(v)}`);
  t.allocateList(v.map.size);
  for (const [key, value] of v.map) {
    if (typeof key !== 'string')
      throw new StarlarkError(`keywords must be strings, not ${typeName(v.restore(key))}`);
    if (out.has(key))
      throw new StarlarkError(`got multiple values for keyword argument '${key}' (duplicate keyword)`);
    out.set(key, value);
  }
}

export function compileCall(c: Context, node: Call): Expr {
  const { t } = c;
  const site = c.site(node.pos);
  const plain = node.args.every((arg) => arg.kind === 'positional');
  if (!plain) return fullCall(c, c.expr(node.callee), node.args, site);
  const args = node.args.map((arg) => c.expr(arg.value));
  if (node.callee.kind === 'attribute' && args.length <= 3) return methodCall(c, node.callee, args, site);
  const callee = c.expr(node.callee);
  const [first, second] = args;
  if (first === undefined) return call0(t, callee, site);
  if (second === undefined) return call1(t, callee, first, site);
  if (args.length === 2) return call2(t, callee, first, second, site);
  return callMany(t, callee, args, site);
}

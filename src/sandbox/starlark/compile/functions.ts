/** `def` and `lambda`. */
import { OBJECT_BYTES } from '../meter.ts';
import type { Binding, FunctionInfo, Param } from '../syntax/ast.ts';
import { orderedParams } from '../syntax/scopes.ts';
import {
  NEXT,
  StarFunction,
  type Cell,
  type Exec,
  type Expr,
  type FunctionCode,
} from '../values/function.ts';
import type { Context } from './context.ts';

/** Machine stack of a call besides its own expressions. */
const CALL_WEIGHT = 6;

/** Makes what runs when a `def` or `lambda` is evaluated: defaults now, body later. */
export function compileFunction(
  c: Context,
  name: string,
  params: readonly Param[],
  info: FunctionInfo,
  build: (inner: Context) => { readonly body?: Exec; readonly result?: Expr },
): Expr {
  const ordered = orderedParams(params);
  const plain = ordered.filter((p) => p.kind === 'plain');
  const star = params.findIndex((p) => p.kind === '*');
  const positional = star < 0 ? plain.length : params.slice(0, star).length;
  const slotOf = (kind: Param['kind']): number => ordered.findIndex((p) => p.kind === kind) + 1;
  const varargs = slotOf('*');
  const kwargs = slotOf('**');
  const inner = c.inside(name);
  const built = build(inner);
  const code: FunctionCode = {
    name,
    params: plain.map((p) => ({ name: p.name, optional: p.default !== undefined })),
    positional,
    varargs,
    kwargs,
    plain: varargs === 0 && kwargs === 0 && positional === plain.length ? positional : -1,
    blank: Array.from({ length: 1 + info.locals.length + info.free.length }, () => undefined),
    cells: info.locals.filter((b) => b.captured).map((b) => b.slot),
    freeBase: 1 + info.locals.length,
    body: built.body ?? (() => NEXT),
    result: built.result,
    weight: CALL_WEIGHT + inner.size.weight,
    active: false,
  };
  const { t } = c;
  const defaults = plain.map((p) => (p.default === undefined ? undefined : c.expr(p.default)));
  const outers: readonly Binding[] = info.free.map(({ outer }) => outer);
  return (f) => {
    t.allocate(OBJECT_BYTES + 8 * (outers.length + defaults.length));
    const values = defaults.map((value) => value?.(f));
    return new StarFunction(
      code,
      values,
      outers.map((outer) => f[outer.slot] as Cell),
    );
  };
}

/** Reading and writing variables. */
import { StarlarkError } from '../errors.ts';
import type { Name } from '../syntax/ast.ts';
import type { Cell, Expr } from '../values/function.ts';
import type { Value } from '../values/objects.ts';
import { rethrow, type Context, type Store } from './context.ts';

/** The slot of a plain local variable, or 0 for everything else. */
export function plainSlot(node: { readonly kind: string }): number {
  const { ref } = node as Name;
  return node.kind === 'name' && ref?.kind === 'local' && !ref.binding.captured ? ref.binding.slot : 0;
}

export function compileName(c: Context, node: Name): Expr {
  const { ref } = node;
  if (ref === undefined) throw new TypeError('unresolved name');
  const site = c.site(node.pos);
  const unassigned = (scope: string): never =>
    rethrow(new StarlarkError(`${scope} variable '${node.name}' is referenced before assignment`), site);
  if (ref.kind === 'constant') {
    const { value } = ref;
    return () => value;
  }
  if (ref.kind === 'global') {
    const { globals } = c;
    const { index } = ref;
    return () => {
      const v = globals[index];
      return v === undefined ? unassigned('global') : v;
    };
  }
  const { slot, captured } = ref.binding;
  if (captured) {
    return (f) => {
      const v = (f[slot] as Cell).value;
      return v === undefined ? unassigned('local') : v;
    };
  }
  return (f) => {
    const v = f[slot] as Value | undefined;
    return v === undefined ? unassigned('local') : v;
  };
}

export function storeName(c: Context, node: Name): Store {
  const { ref } = node;
  if (ref === undefined || ref.kind === 'constant') throw new TypeError('unresolved name');
  if (ref.kind === 'global') {
    const { globals } = c;
    const { index } = ref;
    return (_f, v) => {
      globals[index] = v;
    };
  }
  const { slot, captured } = ref.binding;
  if (captured) {
    return (f, v) => {
      (f[slot] as Cell).value = v;
    };
  }
  return (f, v) => {
    f[slot] = v;
  };
}

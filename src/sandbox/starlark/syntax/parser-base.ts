/** What all parts of the parser share: expecting tokens, bounding depth, and what can be assigned to. */
import type { StarlarkError } from '../errors.ts';
import type { Expr, Name } from './ast.ts';
import { SLICE_TARGET_MESSAGE, WALRUS_MESSAGE } from './habits.ts';
import { MAX_NESTING, Scanner } from './scanner.ts';

/** The longest way down a tree: a long chain `a + b + c` is deep on its left. */
const MAX_DEPTH = 400;

/** The depth of a node above these. */
export function deepest(items: readonly { readonly depth: number }[]): number {
  let depth = 0;
  for (let i = 0; i < items.length; i += 1) {
    const item = items[i] as { readonly depth: number };
    if (item.depth > depth) depth = item.depth;
  }
  return depth + 1;
}

export abstract class ParserBase extends Scanner {
  #nesting = 0;

  unexpected(want?: string): StarlarkError {
    const got =
      this.kind === 'name'
        ? `identifier '${this.text.slice(0, 50)}'`
        : this.kind === 'literal'
          ? 'literal'
          : this.kind === 'eof'
            ? 'end of file'
            : `'${this.kind}'`;
    const what =
      this.kind === 'newline' || this.kind === 'indent' || this.kind === 'outdent' ? this.kind : got;
    if (this.source.text.startsWith(':=', this.kind === '=' ? this.start - 1 : this.start))
      return this.fail(WALRUS_MESSAGE, this.start);
    return this.fail(`syntax error: got ${what}${want === undefined ? '' : `, want ${want}`}`, this.start);
  }

  expect(kind: string): void {
    if (this.kind !== kind) throw this.unexpected(`'${kind}'`);
    this.next();
  }

  name(): Name {
    if (this.kind !== 'name') throw this.unexpected('identifier');
    const node: Name = { kind: 'name', pos: this.start, depth: 1, name: this.text };
    this.next();
    return node;
  }

  checked<E extends Expr>(node: E): E {
    if (node.depth > MAX_DEPTH) throw this.fail('expression is nested too deeply', node.pos, 'nesting');
    return node;
  }

  /** Runs a part that may contain itself. */
  nested<T>(part: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > 2 * MAX_NESTING)
      throw this.fail('expression is nested too deeply', this.start, 'nesting');
    const result = part();
    this.#nesting -= 1;
    return result;
  }

  /** Only names, elements, fields, and lists and tuples of them can be assigned. */
  checkTarget(target: Expr): void {
    switch (target.kind) {
      case 'name':
      case 'index':
      case 'attribute':
        return;
      case 'list':
      case 'tuple':
        for (const item of target.items) this.checkTarget(item);
        return;
      case 'slice':
        throw this.fail(SLICE_TARGET_MESSAGE, target.pos);
      default:
        throw this.fail(`cannot assign to ${describe(target)}`, target.pos);
    }
  }
}

function describe(target: Expr): string {
  switch (target.kind) {
    case 'call':
      return 'a function call';
    case 'literal':
      return 'a literal';
    case 'lambda':
      return 'a lambda';
    default:
      return 'this expression';
  }
}

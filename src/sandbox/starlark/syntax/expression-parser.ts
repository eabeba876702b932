/** Tokens to a tree: expressions, by precedence. */
import type { Argument, BinaryOp, Clause, DictEntry, Expr, Param, UnaryOp } from './ast.ts';
import {
  ANNOTATION_MESSAGE,
  CHAIN_MESSAGE,
  CONCAT_MESSAGE,
  DICT_STAR_MESSAGE,
  POWER_MESSAGE,
  SET_DISPLAY_MESSAGE,
  STAR_DISPLAY_MESSAGE,
  STAR_TARGET_MESSAGE,
} from './habits.ts';
import { deepest, ParserBase } from './parser-base.ts';

const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ['or', 1],
  ['and', 2],
  ['==', 4],
  ['!=', 4],
  ['<', 4],
  ['>', 4],
  ['<=', 4],
  ['>=', 4],
  ['in', 4],
  ['not', 4],
  ['|', 5],
  ['^', 6],
  ['&', 7],
  ['<<', 8],
  ['>>', 8],
  ['+', 9],
  ['-', 9],
  ['*', 10],
  ['/', 10],
  ['//', 10],
  ['%', 10],
]);
const NOT = 3;
const COMPARISON = 4;

const CLAUSE_DEPTH = 6;

export abstract class ExpressionParser extends ParserBase {
  /** `a` or the tuple `a, b`. */
  expression(starMessage: string = STAR_DISPLAY_MESSAGE): Expr {
    const pos = this.start;
    const first = this.test();
    if (this.kind !== ',') return first;
    const items = [first];
    while (this.kind === ',') {
      this.next();
      if (this.kind === '*') throw this.fail(starMessage, this.start);
      if (this.#endsExpression())
        throw this.fail('a tuple with a trailing comma needs parentheses', this.start);
      items.push(this.test());
    }
    return this.checked({ kind: 'tuple', pos, depth: deepest(items), items });
  }

  #endsExpression(): boolean {
    return (
      this.kind === 'newline' ||
      this.kind === 'eof' ||
      this.kind === '=' ||
      this.kind === ';' ||
      this.kind === ')' ||
      this.kind === ':'
    );
  }

  /** The variables of a loop: no comparison, for `in` ends them. */
  loopVariables(): Expr {
    const pos = this.start;
    if (this.kind === '*') throw this.fail(STAR_TARGET_MESSAGE, pos);
    const first = this.#binary(COMPARISON + 1);
    if (this.kind !== ',') return first;
    const items = [first];
    while (this.kind === ',') {
      this.next();
      if (this.kind === 'in') break;
      if (this.kind === '*') throw this.fail(STAR_TARGET_MESSAGE, this.start);
      items.push(this.#binary(COMPARISON + 1));
    }
    return this.checked({ kind: 'tuple', pos, depth: deepest(items), items });
  }

  /** A single expression. */
  test(): Expr {
    return this.nested(() => {
      if (this.kind === 'lambda') return this.#lambda(true);
      const yes = this.#binary(1);
      if (this.kind !== 'if') return yes;
      const pos = this.start;
      this.next();
      const test = this.#binary(1);
      if (this.kind !== 'else')
        throw this.fail("conditional expression without else clause: write 'a if test else b'", this.start);
      this.next();
      const no = this.test();
      return this.checked({ kind: 'conditional', pos, depth: deepest([test, yes, no]), test, yes, no });
    });
  }

  /** In comprehensions `if` does not begin a conditional. */
  #testWithoutIf(): Expr {
    return this.kind === 'lambda' ? this.nested(() => this.#lambda(false)) : this.#binary(1);
  }

  #lambda(conditional: boolean): Expr {
    const pos = this.start;
    this.next();
    const params = this.kind === ':' ? [] : this.params(':');
    this.expect(':');
    const body = conditional ? this.test() : this.#testWithoutIf();
    const defaults = params.flatMap((param) => (param.default === undefined ? [] : [param.default]));
    return this.checked({ kind: 'lambda', pos, depth: deepest([body, ...defaults]), params, body });
  }

  /** Parameters up to `end`, which is not consumed. */
  params(end: ')' | ':'): Param[] {
    const out: Param[] = [];
    while (this.kind !== end) {
      const pos = this.start;
      if (this.kind === '*' || this.kind === '**') {
        const kind: Param['kind'] = this.kind === '*' ? '*' : '**';
        this.next();
        const name = this.kind === 'name' ? this.text : '';
        if (name === '' && kind === '**') throw this.unexpected('identifier');
        if (name !== '') this.next();
        out.push({ kind, pos, name, default: undefined });
      } else {
        const { name } = this.name();
        if (this.kind === ':' && end === ')') throw this.fail(ANNOTATION_MESSAGE, this.start);
        let value: Expr | undefined;
        if (this.kind === '=') {
          this.next();
          value = this.test();
        }
        out.push({ kind: 'plain', pos, name, default: value });
      }
      if (this.kind !== ',') break;
      this.next();
    }
    return out;
  }

  /** Operators of at least this precedence. */
  #binary(precedence: number): Expr {
    if (precedence <= NOT && this.kind === 'not') {
      const pos = this.start;
      this.next();
      const operand = this.nested(() => this.#binary(NOT));
      return this.#operators(
        { kind: 'unary', pos, depth: operand.depth + 1, op: 'not', operand },
        precedence,
      );
    }
    return this.#operators(this.#unary(), precedence);
  }

  #operators(first: Expr, precedence: number): Expr {
    let left = first;
    let compared = false;
    for (;;) {
      const found = PRECEDENCE.get(this.kind);
      if (found === undefined || found < precedence) {
        if (this.kind === '**') throw this.fail(POWER_MESSAGE, this.start);
        return left;
      }
      if (found === COMPARISON && compared) throw this.fail(CHAIN_MESSAGE, this.start);
      compared = found === COMPARISON;
      const pos = this.start;
      let op = this.kind as BinaryOp;
      this.next();
      if ((op as string) === 'not') {
        if (this.kind !== 'in') throw this.unexpected("'in' after 'not'");
        op = 'not in';
        this.next();
      }
      const right = this.nested(() => this.#binary(found + 1));
      left = this.checked({ kind: 'binary', pos, depth: deepest([left, right]), op, left, right });
    }
  }

  #unary(): Expr {
    if (this.kind !== '-' && this.kind !== '+' && this.kind !== '~') return this.#postfix();
    const pos = this.start;
    const op = this.kind as UnaryOp;
    this.next();
    const operand = this.nested(() => this.#unary());
    return this.checked({ kind: 'unary', pos, depth: operand.depth + 1, op, operand });
  }

  #postfix(): Expr {
    let object = this.#operand();
    for (;;) {
      const pos = this.start;
      if (this.kind === '.') {
        this.next();
        const { name } = this.name();
        object = { kind: 'attribute', pos, depth: object.depth + 1, object, name };
      } else if (this.kind === '(') {
        this.next();
        const args = this.#arguments();
        this.expect(')');
        object = {
          kind: 'call',
          pos,
          depth: deepest([object, ...args.map((arg) => arg.value)]),
          callee: object,
          args,
        };
      } else if (this.kind === '[') {
        this.next();
        object = this.#subscript(object, pos);
      } else return object;
      this.checked(object);
    }
  }

  #subscript(object: Expr, pos: number): Expr {
    const start = this.kind === ':' ? undefined : this.expression();
    if (this.kind === ']' && start !== undefined) {
      this.next();
      return { kind: 'index', pos, depth: deepest([object, start]), object, index: start };
    }
    this.expect(':');
    const stop = this.kind === ':' || this.kind === ']' ? undefined : this.test();
    let step: Expr | undefined;
    if (this.kind === ':') {
      this.next();
      if (this.kind !== ']') step = this.test();
    }
    this.expect(']');
    const parts = [object, start, stop, step].filter((part) => part !== undefined);
    return { kind: 'slice', pos, depth: deepest(parts), object, start, stop, step };
  }

  #arguments(): Argument[] {
    const out: Argument[] = [];
    while (this.kind !== ')') {
      const pos = this.start;
      const kind = this.kind;
      if (kind === '*' || kind === '**') {
        this.next();
        out.push({ kind: kind === '*' ? '*' : '**', pos, name: '', value: this.test() });
      } else {
        const value = this.test();
        if (this.kind === '=') {
          if (value.kind !== 'name') throw this.fail('keyword argument must have form name=expr', pos);
          this.next();
          out.push({ kind: 'named', pos, name: value.name, value: this.test() });
        } else if (this.kind === 'for') {
          throw this.fail('there are no generators: put the comprehension in [brackets]', this.start);
        } else out.push({ kind: 'positional', pos, name: '', value });
      }
      if (this.kind !== ',') break;
      this.next();
    }
    return out;
  }

  #operand(): Expr {
    const pos = this.start;
    switch (this.kind) {
      case 'name':
        return this.name();
      case 'literal': {
        const { value } = this;
        this.next();
        if (typeof value === 'string' && this.kind === 'literal' && typeof this.value === 'string') {
          throw this.fail(CONCAT_MESSAGE, this.start);
        }
        return { kind: 'literal', pos, depth: 1, value };
      }
      case '(':
        return this.#parenthesized(pos);
      case '[':
        return this.#list(pos);
      case '{':
        return this.#dict(pos);
      case 'while':
      case 'for':
      case 'if':
      case 'def':
        throw this.unexpected('an expression');
      default:
        throw this.unexpected('primary expression');
    }
  }

  #parenthesized(pos: number): Expr {
    this.next();
    if (this.kind === ')') {
      this.next();
      return { kind: 'tuple', pos, depth: 1, items: [] };
    }
    if (this.kind === '*') throw this.fail(STAR_DISPLAY_MESSAGE, this.start);
    const first = this.test();
    if (this.kind === 'for')
      throw this.fail('there are no generators: use a list comprehension [...]', this.start);
    if (this.kind !== ',') {
      this.expect(')');
      return first;
    }
    const items = this.#items(first, ')');
    return this.checked({ kind: 'tuple', pos, depth: deepest(items), items });
  }

  /** The rest of a display after its first item, with the closing bracket. */
  #items(first: Expr, close: string): Expr[] {
    const items = [first];
    while (this.kind === ',') {
      this.next();
      if (this.kind === close) break;
      if (this.kind === '*') throw this.fail(STAR_DISPLAY_MESSAGE, this.start);
      items.push(this.test());
    }
    this.expect(close);
    return items;
  }

  #list(pos: number): Expr {
    this.next();
    if (this.kind === ']') {
      this.next();
      return { kind: 'list', pos, depth: 1, items: [] };
    }
    if (this.kind === '*') throw this.fail(STAR_DISPLAY_MESSAGE, this.start);
    const first = this.test();
    if (this.kind === 'for') return this.#comprehension(pos, first, ']');
    const items = this.#items(first, ']');
    return this.checked({ kind: 'list', pos, depth: deepest(items), items });
  }

  #dict(pos: number): Expr {
    this.next();
    const entries: DictEntry[] = [];
    while (this.kind !== '}') {
      if (this.kind === '**') throw this.fail(DICT_STAR_MESSAGE, this.start);
      const key = this.test();
      const colon = this.start;
      if (this.kind === ',' || this.kind === '}') throw this.fail(SET_DISPLAY_MESSAGE, pos);
      this.expect(':');
      const entry: DictEntry = { pos: colon, key, value: this.test() };
      if (this.kind === 'for' && entries.length === 0) return this.#comprehension(pos, entry, '}');
      entries.push(entry);
      if (this.kind !== ',') break;
      this.next();
    }
    this.expect('}');
    const depth = deepest(entries.flatMap((entry) => [entry.key, entry.value]));
    return this.checked({ kind: 'dict', pos, depth, entries });
  }

  #comprehension(pos: number, body: Expr | DictEntry, close: string): Expr {
    const clauses: Clause[] = [];
    const parts: Expr[] = 'key' in body ? [body.key, body.value] : [body];
    while (this.kind === 'for' || this.kind === 'if') {
      const at = this.start;
      if (this.kind === 'for') {
        this.next();
        const target = this.loopVariables();
        this.checkTarget(target);
        this.expect('in');
        const iterable = this.#testWithoutIf();
        clauses.push({ kind: 'for', pos: at, target, iterable });
        parts.push(iterable, target);
      } else {
        this.next();
        const test = this.#testWithoutIf();
        clauses.push({ kind: 'if', pos: at, test });
        parts.push(test);
      }
    }
    this.expect(close);
    // Each clause is a loop inside the one before it, and a loop takes as much stack as several operators.
    return this.checked({
      kind: 'comprehension',
      pos,
      depth: deepest(parts) + CLAUSE_DEPTH * clauses.length,
      body,
      clauses,
    });
  }
}

/** Tokens to a tree: statements. Expressions are in expression-parser.ts. */
import { Source } from '../errors.ts';
import type { ArithmeticOp, Assign, Def, Expr, File, Load, Name, Stmt } from './ast.ts';
import { ExpressionParser } from './expression-parser.ts';
import { ANNOTATION_MESSAGE, ASSERT_MESSAGE, LOOP_ELSE_MESSAGE, STAR_TARGET_MESSAGE } from './habits.ts';

const AUGMENTED = new Set(['+=', '-=', '*=', '/=', '//=', '%=', '&=', '|=', '^=', '<<=', '>>=']);

/**
 * Parses a program. Throws a StarlarkError with code `syntax` (or `nesting`) at the first problem; never anything
 * else, and always ends.
 */
export function parse(text: string, name = '<script>'): File {
  return new Parser(new Source(name, text)).file();
}

/** As `parse`, for a source that is known already. */
export function parseSource(source: Source): File {
  return new Parser(source).file();
}

class Parser extends ExpressionParser {
  file(): File {
    const body: Stmt[] = [];
    this.next();
    while (this.kind !== 'eof') {
      if (this.kind === 'newline') this.next();
      else this.#statement(body);
    }
    return { body };
  }

  #statement(out: Stmt[]): void {
    switch (this.kind) {
      case 'def':
        out.push(this.#def());
        return;
      case 'if':
        out.push(this.#if());
        return;
      case 'for':
        out.push(this.#for());
        return;
      case 'while': {
        const pos = this.start;
        this.next();
        const test = this.test();
        out.push({ kind: 'while', pos, test, body: this.#suite() });
        this.#noElse();
        return;
      }
      case 'indent':
        throw this.fail('unexpected indentation', this.start);
      default:
        this.#simpleLine(out);
    }
  }

  /** Small statements between semicolons, to the end of the line. */
  #simpleLine(out: Stmt[]): void {
    for (;;) {
      out.push(this.#small());
      if (this.kind !== ';') break;
      this.next();
      if (this.kind === 'newline' || this.kind === 'eof') break;
    }
    if (this.kind === 'newline') this.next();
    else if (this.kind !== 'eof') throw this.unexpected('newline');
  }

  #suite(): Stmt[] {
    this.expect(':');
    const out: Stmt[] = [];
    if (this.kind !== 'newline') {
      this.#simpleLine(out);
      return out;
    }
    this.next();
    if (this.kind !== 'indent') throw this.fail('expected an indented block', this.start);
    this.next();
    while (this.kind !== 'outdent' && this.kind !== 'eof') {
      if (this.kind === 'newline') this.next();
      else this.#statement(out);
    }
    if (this.kind === 'outdent') this.next();
    return out;
  }

  #def(): Def {
    const pos = this.start;
    this.next();
    const name = this.name();
    this.expect('(');
    const params = this.params(')');
    this.expect(')');
    if (this.kind === '-') throw this.fail(ANNOTATION_MESSAGE, this.start);
    return { kind: 'def', pos, name, params, body: this.#suite() };
  }

  #if(): Stmt {
    const pos = this.start;
    const branches: { test: Expr; body: Stmt[] }[] = [];
    let otherwise: Stmt[] | undefined;
    while (this.kind === 'if' || this.kind === 'elif') {
      this.next();
      const test = this.test();
      branches.push({ test, body: this.#suite() });
      if (this.kind !== 'elif') break;
    }
    if (this.kind === 'else') {
      this.next();
      otherwise = this.#suite();
    }
    return { kind: 'if', pos, branches, otherwise };
  }

  #for(): Stmt {
    const pos = this.start;
    this.next();
    const target = this.loopVariables();
    this.checkTarget(target);
    this.expect('in');
    const iterable = this.expression();
    const body = this.#suite();
    this.#noElse();
    return { kind: 'for', pos, target, iterable, body };
  }

  #noElse(): void {
    if (this.kind === 'else') throw this.fail(LOOP_ELSE_MESSAGE, this.start);
  }

  #small(): Stmt {
    const pos = this.start;
    switch (this.kind) {
      case 'pass':
      case 'break':
      case 'continue': {
        const kind = this.kind as 'pass' | 'break' | 'continue';
        this.next();
        return { kind, pos };
      }
      case 'return': {
        this.next();
        const ends = this.kind;
        const value = ends === 'newline' || ends === ';' || ends === 'eof' ? undefined : this.expression();
        return { kind: 'return', pos, value };
      }
      case 'load':
        return this.#load();
      case '*':
        throw this.fail(STAR_TARGET_MESSAGE, pos);
      default:
        return this.#assignmentOrExpression();
    }
  }

  #assignmentOrExpression(): Stmt {
    const pos = this.start;
    const left = this.expression(STAR_TARGET_MESSAGE);
    const opPos = this.start;
    if (this.kind === '=') {
      this.checkTarget(left);
      this.next();
      const value = this.expression();
      if (this.kind === '=')
        throw this.fail('assignments cannot be chained: write a = x and b = a', this.start);
      return { kind: 'assign', pos: opPos, target: left, op: undefined, value };
    }
    if (AUGMENTED.has(this.kind)) return this.#augmented(left, opPos);
    if (this.kind === ':' && left.kind === 'name') throw this.fail(ANNOTATION_MESSAGE, this.start);
    if (left.kind === 'name' && left.name === 'assert' && this.kind !== 'newline')
      throw this.fail(ASSERT_MESSAGE, pos);
    return { kind: 'expr', pos, expr: left };
  }

  #augmented(target: Expr, pos: number): Assign {
    if (target.kind === 'list' || target.kind === 'tuple') {
      throw this.fail(`cannot perform augmented assignment on a ${target.kind} expression`, pos);
    }
    this.checkTarget(target);
    const op = this.kind.slice(0, -1) as ArithmeticOp;
    this.next();
    return { kind: 'assign', pos, target, op, value: this.expression() };
  }

  #load(): Load {
    const pos = this.start;
    this.next();
    this.expect('(');
    const module = this.#stringLiteral('the first operand of a load statement must be a string literal');
    const bindings: { local: Name; remote: string }[] = [];
    while (this.kind === ',') {
      this.next();
      if (this.kind === ')') break;
      if (this.kind === 'name') {
        const local = this.name();
        this.expect('=');
        bindings.push({
          local,
          remote: this.#stringLiteral('original name of loaded symbol must be quoted'),
        });
        continue;
      }
      const at = this.start;
      const remote = this.#stringLiteral('load operand must be "name" or local="name"');
      bindings.push({ local: { kind: 'name', pos: at, depth: 1, name: remote }, remote });
    }
    if (bindings.length === 0) throw this.fail('load statement must import at least 1 symbol', pos);
    this.expect(')');
    return { kind: 'load', pos, module, bindings };
  }

  #stringLiteral(message: string): string {
    const { value } = this;
    if (this.kind !== 'literal' || typeof value !== 'string') throw this.fail(message, this.start);
    this.next();
    return value;
  }
}

/** A tree back to text: parsing the text gives the same tree. Every compound operand gets parentheses. */
import { floatText } from '../ops/number-text.ts';
import { quote } from '../ops/repr.ts';
import { StarBytes, StarFloat, type Value } from '../values/objects.ts';
import type { Argument, Clause, Comprehension, Expr, File, Param, Stmt } from './ast.ts';

/** The program as text, with four spaces for each block. */
export function printFile(file: File): string {
  return file.body.map((stmt) => statement(stmt, '')).join('');
}

function block(body: readonly Stmt[], indent: string): string {
  return body.map((stmt) => statement(stmt, `${indent}    `)).join('');
}

function statement(stmt: Stmt, indent: string): string {
  switch (stmt.kind) {
    case 'expr':
      return `${indent}${expression(stmt.expr)}\n`;
    case 'assign':
      return `${indent}${expression(stmt.target)} ${stmt.op ?? ''}= ${expression(stmt.value)}\n`;
    case 'return':
      return `${indent}return${stmt.value === undefined ? '' : ` ${expression(stmt.value)}`}\n`;
    case 'break':
    case 'continue':
    case 'pass':
      return `${indent}${stmt.kind}\n`;
    case 'if': {
      const branches = stmt.branches.map(
        (b, i) => `${indent}${i === 0 ? 'if' : 'elif'} ${expression(b.test)}:\n${block(b.body, indent)}`,
      );
      const rest = stmt.otherwise === undefined ? '' : `${indent}else:\n${block(stmt.otherwise, indent)}`;
      return branches.join('') + rest;
    }
    case 'for':
      return `${indent}for ${expression(stmt.target)} in ${expression(stmt.iterable)}:\n${block(stmt.body, indent)}`;
    case 'while':
      return `${indent}while ${expression(stmt.test)}:\n${block(stmt.body, indent)}`;
    case 'def':
      return `${indent}def ${stmt.name.name}(${params(stmt.params)}):\n${block(stmt.body, indent)}`;
    case 'load': {
      const bindings = stmt.bindings.map(({ local, remote }) =>
        local.name === remote ? quote(remote) : `${local.name} = ${quote(remote)}`,
      );
      return `${indent}load(${[quote(stmt.module), ...bindings].join(', ')})\n`;
    }
  }
}

function params(list: readonly Param[]): string {
  return list
    .map(
      (p) =>
        `${p.kind === 'plain' ? '' : p.kind}${p.name}${p.default === undefined ? '' : `=${operand(p.default)}`}`,
    )
    .join(', ');
}

/** An expression inside another. */
function operand(expr: Expr): string {
  switch (expr.kind) {
    case 'unary':
    case 'binary':
    case 'conditional':
    case 'lambda':
      return `(${expression(expr)})`;
    case 'literal':
      // `1.x` would be read as a float.
      return typeof expr.value === 'number' || typeof expr.value === 'bigint'
        ? `(${literal(expr.value)})`
        : literal(expr.value);
    default:
      return expression(expr);
  }
}

function literal(v: Value): string {
  if (typeof v === 'string') return quote(v);
  if (v instanceof StarFloat) return floatText(v.value);
  if (v instanceof StarBytes)
    return `b"${Array.from(v.data, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
  return String(v);
}

function expression(expr: Expr): string {
  switch (expr.kind) {
    case 'name':
      return expr.name;
    case 'literal':
      return literal(expr.value);
    case 'list':
      return `[${expr.items.map(operand).join(', ')}]`;
    case 'tuple':
      return `(${expr.items.map(operand).join(', ')}${expr.items.length === 1 ? ',' : ''})`;
    case 'dict':
      return `{${expr.entries.map(({ key, value }) => `${operand(key)}: ${operand(value)}`).join(', ')}}`;
    case 'comprehension':
      return comprehension(expr);
    case 'unary':
      return `${expr.op}${expr.op === 'not' ? ' ' : ''}${operand(expr.operand)}`;
    case 'binary':
      return `${operand(expr.left)} ${expr.op} ${operand(expr.right)}`;
    case 'conditional':
      return `${operand(expr.yes)} if ${operand(expr.test)} else ${operand(expr.no)}`;
    case 'attribute':
      return `${operand(expr.object)}.${expr.name}`;
    case 'index':
      return `${operand(expr.object)}[${operand(expr.index)}]`;
    case 'slice': {
      const [start, stop, step] = [expr.start, expr.stop, expr.step].map((part) =>
        part === undefined ? '' : operand(part),
      );
      return `${operand(expr.object)}[${start ?? ''}:${stop ?? ''}${step === '' ? '' : `:${step ?? ''}`}]`;
    }
    case 'call':
      return `${operand(expr.callee)}(${expr.args.map(argument).join(', ')})`;
    case 'lambda':
      return `lambda ${params(expr.params)}: ${operand(expr.body)}`;
  }
}

function argument(arg: Argument): string {
  const lead = arg.kind === 'named' ? `${arg.name}=` : arg.kind === 'positional' ? '' : arg.kind;
  return lead + operand(arg.value);
}

function comprehension(expr: Comprehension): string {
  const body =
    'key' in expr.body ? `${operand(expr.body.key)}: ${operand(expr.body.value)}` : operand(expr.body);
  const clauses = expr.clauses.map(clause).join('');
  return 'key' in expr.body ? `{${body}${clauses}}` : `[${body}${clauses}]`;
}

function clause(c: Clause): string {
  return c.kind === 'if' ? ` if ${operand(c.test)}` : ` for ${operand(c.target)} in ${operand(c.iterable)}`;
}

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  check,
  compileProgram,
  fromJson,
  parse,
  printFile,
  standardModules,
  StarlarkError,
  StarFloat,
  StarList,
  Thread,
  toJson,
  type Json,
  type Value,
} from './index.ts';
import { sortedIndexes } from './ops/sort.ts';
import { compare } from './ops/equality.ts';
import { show } from './testing.ts';

const NAMES = ['a', 'b', 'xs', 'f'];
const name = fc.constantFrom(...NAMES);

/** Expressions as text; the printer is judged by the tree, so spelling does not matter. */
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const e = tie('expression');
  const two = fc.tuple(e, e);
  return {
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      name,
      fc.nat().map(String),
      fc.bigInt({ min: 0n }).map(String),
      fc
        .double({ min: 0, noNaN: true, noDefaultInfinity: true })
        .map((v) => new StarFloat(v))
        .map((v) => (Number.isInteger(v.value) ? `${BigInt(v.value)}.0` : v.value.toExponential())),
      fc.string({ unit: 'binary' }).map((s) =>
        JSON.stringify(s.toWellFormed())
          .replace(/\\u([0-9a-f]{4})/g, '\\u$1')
          .replaceAll('\\/', '/')
          .replaceAll('\u2028', ' '),
      ),
      two.map(([a, b]) => `(${a}, ${b})`),
      two.map(([a, b]) => `[${a}, ${b}]`),
      two.map(([a, b]) => `{${a}: ${b}}`),
      fc
        .tuple(e, fc.constantFrom('+', '-', '*', '/', '//', '%', '|', '&', '^', '<<', '>>', 'and', 'or'), e)
        .map(([a, op, b]) => `(${a} ${op} (${b}))`),
      fc
        .tuple(e, fc.constantFrom('==', '<', '>=', 'in', 'not in'), e)
        .map(([a, op, b]) => `((${a}) ${op} (${b}))`),
      e.map((a) => `(not ${a})`),
      e.map((a) => `(-(${a}))`),
      fc.tuple(e, e, e).map(([a, b, c]) => `((${a}) if (${b}) else (${c}))`),
      two.map(([a, b]) => `(${a})[${b}]`),
      two.map(([a, b]) => `(${a})[${b}:][::2]`),
      two.map(([a, b]) => `f(${a}, *(${b}))`),
      two.map(([a, b]) => `(${a}).m(k=${b}, **a)`),
      two.map(([a, b]) => `[${a} for x, y in (${b}) if (x) for z in y]`),
      two.map(([a, b]) => `{(${a}): z for z in (${b})}`),
      two.map(([a, b]) => `(lambda p, *q, r=${a}: ${b})`),
    ),
  };
});

const statement = fc.oneof(
  fc.tuple(name, expression).map(([n, e]) => `${n} = ${e}\n`),
  expression.map((e) => `a, [b, xs[0]] = ${e}\n`),
  expression.map((e) => `xs[1] += ${e}\n`),
  fc.tuple(expression, expression).map(([c, e]) => `if ${c}:\n  pass\nelif ${e}:\n  b = 1\nelse:\n  f()\n`),
  fc
    .tuple(expression, expression)
    .map(([c, e]) => `for i, j in ${c}:\n  if i:\n    continue\n  break\nf(${e})\n`),
  fc
    .tuple(expression, expression)
    .map(([d, e]) => `def g(a, b=${d}, *, c, **k):\n  def h():\n    return\n  return ${e}\n`),
);

/** The tree without positions. */
function shape(text: string): string {
  return JSON.stringify(parse(text), (key, value: unknown) =>
    key === 'pos' ? undefined : typeof value === 'bigint' ? `${value}n` : value,
  );
}

describe('the parser', () => {
  test('reads back what the printer wrote', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 4 }), (statements) => {
        const text = statements.join('');
        expect(shape(printFile(parse(text)))).toBe(shape(text));
      }),
      { numRuns: 300 },
    );
  });

  test('answers every text with a tree or a StarlarkError', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ':',
      ',',
      '"',
      "'",
      '"""',
      '\\',
      '\n',
      '\n  ',
      '\t',
      '#',
      ' ',
      'def ',
      'if ',
      'for ',
      'in ',
      'lambda ',
      'x',
      '1',
      '0x',
      '1e',
      '.',
      '=',
      '+=',
      '*',
      '**',
      'not ',
      'load',
      'r"',
      'b"',
      '\\x',
      '\\u12',
      '\r',
      '\ud800',
      'é',
      '\0',
      'else',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const errors = check(source);
        expect(errors.every((error) => error instanceof StarlarkError && error.position !== undefined)).toBe(
          true,
        );
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('int arithmetic', () => {
  const size = fc.oneof(
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
    fc.bigInt({ min: -9n, max: 9n }),
    fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }),
  );
  const floor = (a: bigint, b: bigint): bigint => a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
  const operations: Record<string, (a: bigint, b: bigint) => bigint | boolean> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '//': floor,
    '%': (a, b) => a - floor(a, b) * b,
    '&': (a, b) => a & b,
    '|': (a, b) => a | b,
    '^': (a, b) => a ^ b,
    '<': (a, b) => a < b,
    '==': (a, b) => a === b,
    '>=': (a, b) => a >= b,
  };
  const truthOf = (v: bigint | boolean): string =>
    typeof v === 'boolean' ? (v ? 'True' : 'False') : String(v);

  test('agrees with exact integers, with literals and with variables', () => {
    fc.assert(
      fc.property(size, size, fc.constantFrom(...Object.keys(operations)), (a, b, op) => {
        fc.pre(b !== 0n || (op !== '//' && op !== '%'));
        const want = truthOf(operations[op]?.(a, b) ?? 0n);
        expect(show(`(${a}) ${op} (${b})`)).toBe(want);
        expect(show(`(lambda x, y: x ${op} y)(${a}, ${b})`)).toBe(want);
      }),
      { numRuns: 500 },
    );
  });

  test('shifts like exact integers', () => {
    fc.assert(
      fc.property(size, fc.nat(511), (a, n) => {
        expect(show(`((${a}) << ${n}, (${a}) >> ${n})`)).toBe(`(${a << BigInt(n)}, ${a >> BigInt(n)})`);
      }),
      { numRuns: 300 },
    );
  });
});

describe('sorting', () => {
  const thread = new Thread({ limits: { steps: 2 ** 40, memory: 2 ** 40 } });
  const text = fc.string({ maxLength: 2 });
  const keys: fc.Arbitrary<Value[]> = fc.oneof(
    fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 60 }),
    fc.array(fc.maxSafeInteger(), { maxLength: 60 }),
    fc.array(text, { maxLength: 60 }),
    fc
      .array(fc.tuple(text, fc.integer({ min: 0, max: 3 })), { maxLength: 60 })
      .map((rows) => rows.map((row) => new StarList([...row]))),
    fc.array(
      fc.oneof(
        fc.integer({ min: -3, max: 3 }),
        fc.double().map((v) => new StarFloat(v)),
      ),
      { maxLength: 60 },
    ),
  );

  test('is ordered and stable in both directions', () => {
    fc.assert(
      fc.property(keys, fc.boolean(), (list, reverse) => {
        const order = [...sortedIndexes(thread, list, reverse)];
        expect(order.toSorted((x, y) => x - y)).toEqual(list.map((_, i) => i));
        for (let i = 1; i < order.length; i += 1) {
          const [x, y] = [order[i - 1] as number, order[i] as number];
          const c = compare(thread, list[x] as Value, list[y] as Value) * (reverse ? -1 : 1);
          expect(c < 0 || (c === 0 && x < y)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('JSON', () => {
  const encode = compileProgram(
    'def f(x): return json.decode(json.encode(x)), json.decode(json.indent(json.encode(x)))',
    {
      predeclared: standardModules(0),
    },
  );

  test('survives the way there and back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const thread = new Thread();
        const module = encode.run(thread);
        const data = value as Json;
        const result = toJson(thread, module.call(module.get('f') ?? null, [fromJson(thread, data)]));
        const want = JSON.parse(
          JSON.stringify(value, (_, v: unknown) =>
            typeof v === 'string' ? v.toWellFormed() : Object.is(v, -0) ? 0 : v,
          ),
        ) as Json;
        expect(JSON.parse(JSON.stringify(result))).toEqual([want, want]);
      }),
      { numRuns: 300 },
    );
  });
});

/** The names that the public suites expect: assertions that count, and a few host values. */
import {
  equals,
  freeze,
  fromJson,
  HostObject,
  native,
  repr,
  StarFloat,
  StarIterable,
  StarlarkError,
  StarList,
  StarStruct,
  standardModules,
  toJson,
  truth,
  variadic,
  Builtin,
  Callable,
  defineModule,
  type Native,
  type Thread,
  type Value,
} from '../../src/sandbox/starlark/index.ts';
import { compare } from '../../src/sandbox/starlark/ops/equality.ts';
import { contains } from '../../src/sandbox/starlark/ops/iterate.ts';

export interface Tally {
  /** How many assertions ran. */
  ran: number;
  readonly failures: { readonly at: number; readonly msg: string }[];
  /** The assertion, counted from 1, that throws when it fails: the way to find the line of a failed one. */
  readonly throwAt: number;
}

class HasFields extends HostObject {
  readonly typeName: string;
  readonly #fields: Map<string, Value>;
  #frozen = false;

  constructor(typeName: string, fields: Map<string, Value>) {
    super();
    this.typeName = typeName;
    this.#fields = fields;
  }

  override attr(name: string): Value | undefined {
    return this.#fields.get(name);
  }

  override attrNames(): string[] {
    return [...this.#fields.keys()].sort();
  }

  override setAttr(name: string, value: Value): void {
    if (this.#frozen) throw new StarlarkError(`cannot set field on a frozen ${this.typeName}`);
    if (name.startsWith('no')) throw new StarlarkError(`no .${name} field`);
    if (this.typeName === 'mutablestruct' && value === 'bad') throw new StarlarkError('bad field value');
    this.#fields.set(name, value);
  }

  override binary(op: string, other: Value, reversed: boolean): Value | undefined {
    return op === '+' && reversed && other instanceof StarList ? 42 : undefined;
  }

  override freeze(): void {
    this.#frozen = true;
    for (const value of this.#fields.values()) freeze(value);
  }

  repr(t: Thread): string {
    return `${this.typeName}(${this.attrNames()
      .map((name) => `${name} = ${repr(t, this.#fields.get(name) ?? null)}`)
      .join(', ')})`;
  }
}

class Fibonacci extends StarIterable {
  readonly typeName = 'fibonacci';
  *iterate(): Iterator<Value> {
    for (let [x, y] = [0, 1]; ; [x, y] = [y, x + y]) yield x;
  }
  repr(): string {
    return 'fibonacci';
  }
}

/** A Go regular expression as near as this language has it. */
function goRegExp(pattern: string): RegExp {
  const flags = pattern.startsWith('(?i)') ? 'i' : '';
  return new RegExp(pattern.replace(/^\(\?i\)/, '').replace(/\\[zZ]$/, '$'), flags);
}

function assertions(tally: Tally): Native[] {
  const check = (ok: boolean, msg: () => string): null => {
    tally.ran += 1;
    if (!ok) {
      tally.failures.push({ at: tally.ran, msg: msg() });
      if (tally.ran === tally.throwAt) throw new StarlarkError('assertion failed');
    }
    return null;
  };
  const text = (t: Thread, v: Value | undefined): string => (v === undefined ? '' : repr(t, v).slice(0, 300));
  const fails = (t: Thread, f: Value, pattern: Value): null => {
    if (!(f instanceof Callable)) throw new StarlarkError('fails: want a function');
    try {
      f.call(t, [], undefined);
    } catch (error) {
      if (!(error instanceof StarlarkError)) throw error;
      const message = error.headline;
      return check(
        goRegExp(String(pattern)).test(message),
        () => `regular expression ${String(pattern)} did not match error: ${message}`,
      );
    }
    return check(false, () => 'evaluation succeeded unexpectedly');
  };
  const eq = (t: Thread, _self: Value, x?: Value, y?: Value): null =>
    check(equals(t, x ?? null, y ?? null), () => `${text(t, x)} != ${text(t, y)}`);
  const ne = (t: Thread, _self: Value, x?: Value, y?: Value): null =>
    check(!equals(t, x ?? null, y ?? null), () => `${text(t, x)} == ${text(t, y)}`);
  const isTrue = (t: Thread, _self: Value, cond?: Value, msg?: Value): null =>
    check(truth(cond ?? null), () => (msg === undefined ? 'assertion failed' : text(t, msg)));
  return [
    native('assert_eq(x, y)', eq),
    native('assert_ne(x, y)', ne),
    native('assert_(cond, msg=)', isTrue),
    native('assert_fails(f, pattern)', (t, _self, f: Value, pattern: Value) => fails(t, f, pattern)),
    native('eq(x, y)', eq),
    native('ne(x, y)', ne),
    native('true(cond, msg=)', isTrue),
    native('lt(x, y)', (t, _self, x: Value, y: Value) =>
      check(compare(t, x, y) < 0, () => `${text(t, x)} is not less than ${text(t, y)}`),
    ),
    native('contains(x, y)', (t, _self, x: Value, y: Value) =>
      check(contains(t, y, x), () => `${text(t, x)} does not contain ${text(t, y)}`),
    ),
    native('fails(f, pattern)', (t, _self, f: Value, pattern: Value) => fails(t, f, pattern)),
    native('fail(msg)', (t, _self, msg: Value) => check(false, () => text(t, msg))),
  ];
}

const FREEZE = native('freeze(x)', (_t, _self, x: Value) => {
  freeze(x);
  return x;
});

/** Functions of one number, as a Go program has them. */
const MATH = defineModule(
  'math',
  (['ceil', 'floor', 'sqrt', 'exp', 'log', 'sin', 'cos', 'tan', 'fabs'] as const).map((name) =>
    native(`${name}(x)`, (t, _self, x: Value) => {
      const v = toJson(t, x);
      if (typeof v !== 'number') throw new StarlarkError(`${name}: want float or int`);
      const y = name === 'fabs' ? Math.abs(v) : Math[name](v);
      return name === 'ceil' || name === 'floor' ? fromJson(t, y) : new StarFloat(y);
    }),
  ),
  [
    ['pi', new StarFloat(Math.PI)],
    ['e', new StarFloat(Math.E)],
  ],
);

/** What a chunk sees, and what it can load. */
export function suiteNames(tally: Tally): {
  names: Map<string, Value>;
  load: (module: string) => ReadonlyMap<string, Value>;
} {
  const all = new Map(assertions(tally).map((fn): [string, Native] => [fn.name, fn]));
  const names = new Map<string, Value>([
    ['json', standardModules(0).get('json') ?? null],
    [
      'struct',
      new Builtin(
        variadic('struct', (_t, _self, _args, named) => new StarStruct(named ?? new Map<string, Value>())),
      ),
    ],
    [
      'mutablestruct',
      new Builtin(
        variadic(
          'mutablestruct',
          (_t, _self, _args, named) => new HasFields('mutablestruct', new Map(named)),
        ),
      ),
    ],
    [
      'hasfields',
      new Builtin(native('hasfields()', () => new HasFields('hasfields', new Map<string, Value>()))),
    ],
    ['fibonacci', new Fibonacci()],
  ]);
  for (const name of ['assert_eq', 'assert_ne', 'assert_', 'assert_fails']) {
    const fn = all.get(name);
    if (fn !== undefined) names.set(name, new Builtin(fn));
  }
  const inModule = ['eq', 'ne', 'true', 'lt', 'contains', 'fails', 'fail'].flatMap(
    (name) => all.get(name) ?? [],
  );
  const assertModule: Value = defineModule('assert', inModule);
  const modules = new Map<string, ReadonlyMap<string, Value>>([
    [
      'assert.star',
      new Map<string, Value>([
        ['assert', assertModule],
        ['freeze', new Builtin(FREEZE)],
      ]),
    ],
    [
      'asserts.star',
      new Map<string, Value>([
        ['assert', assertModule],
        ['asserts', assertModule],
        ['freeze', new Builtin(FREEZE)],
      ]),
    ],
    ['json.star', new Map<string, Value>([['json', names.get('json') ?? null]])],
    ['math.star', new Map<string, Value>([['math', MATH]])],
  ]);
  return {
    names,
    load: (module) => {
      const found = modules.get(module);
      if (found === undefined) throw new StarlarkError(`no such module: ${module}`);
      return found;
    },
  };
}

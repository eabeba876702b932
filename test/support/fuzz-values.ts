/** Values for fuzzing: what a schema takes, what it was not made for, and texts that are no JSON at all. */
import * as fc from 'fast-check';
import { z } from 'zod';

/**
 * The seed of a run: OPENPACT_FUZZ_SEED repeats one, otherwise each run is another. It stands in the message of a failure.
 * CI takes the same each time: a change must not fail there for a fault that it did not make.
 */
const FUZZ_SEED = Number(
  process.env['OPENPACT_FUZZ_SEED'] ??
    (process.env['OPENPACT_CI'] === '1' ? 20_261_122 : Date.now() % 2_147_483_647),
);
/** How much longer than usual to look, such as 20 for a night. */
const FACTOR = Number(process.env['OPENPACT_FUZZ_FACTOR'] ?? 1);

/** Milliseconds for a test, as much longer. */
export const fuzzTime = (ms: number): number => ms * Math.max(1, FACTOR);

/** Runs a property; a failure names the seed, the path to the smallest example, and the example. */
export function fuzz<Ts>(property: fc.IAsyncProperty<Ts>, runs: number): Promise<void> {
  return fc.assert(property, {
    seed: FUZZ_SEED,
    numRuns: Math.ceil(runs * FACTOR),
    // Smaller examples are for a person; a fault is reported though shrinking takes long.
    interruptAfterTimeLimit: 30_000 * Math.max(1, FACTOR),
    markInterruptAsFailure: false,
  });
}

/** Values that reach deeper than chance would, by the name of the field. */
export type Hints = Readonly<Record<string, readonly unknown[]>>;

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** What a zod schema takes, or nearly: refinements that JSON Schema can't say are left to chance and hints. */
export function validFor(schema: z.ZodType, io: 'input' | 'output', hints: Hints): fc.Arbitrary<unknown> {
  return fromSchema(z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema, hints, '');
}

function fromSchema(schema: JsonSchema, hints: Hints, name: string): fc.Arbitrary<unknown> {
  const known = hints[name];
  const made = plainFor(schema, hints);
  return known === undefined || known.length === 0
    ? made
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: made });
}

function plainFor(schema: JsonSchema, hints: Hints): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return fc.oneof(...several.map((one) => fromSchema(one, hints, '')));
  switch (schema.type) {
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(
        ([name, field]) => [name, fromSchema(field, hints, name)] as const,
      );
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
    }
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}, hints, ''), { maxLength: 5 });
    case 'string':
      return schema.pattern === undefined
        ? fc.string({
            unit: 'binary',
            minLength: Math.min(schema.minLength ?? 0, 64),
            maxLength: Math.min(schema.maxLength ?? 64, 64),
          })
        : fc.stringMatching(new RegExp(schema.pattern));
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? -(2 ** 31), -(2 ** 31)),
        max: Math.min(schema.maximum ?? 2 ** 31 - 1, 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

const nested = (depth: number): unknown => {
  let value: unknown = 'x';
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

/** What no schema of ours was made for. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    -0,
    1.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    'x\udfff\ud800y',
    '\u202e\u2066',
    '\r\nSet-Cookie: a=b',
    '../../secure/config.yaml',
    "'; DROP TABLE users; --",
    '${7*7}{{7*7}}%s%n',
    '__proto__',
    'x'.repeat(70_000),
    '\u{1f600}'.repeat(20_000),
    [],
    {},
    nested(500),
    Array.from({ length: 20_000 }, () => 7),
    Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, i])),
    Object.fromEntries([
      ['__proto__', { isAdmin: true }],
      ['constructor', { prototype: { isAdmin: true } }],
      ['toString', 1],
    ]),
  ),
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
);

/** A good value with one place of it spoiled. */
export function spoiled(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(valid, fc.nat(), hostileValue, fc.constantFrom('replace', 'add', 'remove', 'wrap'))
    .map(([value, at, hostile, how]) => spoil(value, at, hostile, how));
}

function spoil(value: unknown, at: number, hostile: unknown, how: string): unknown {
  if (how === 'wrap') return [value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return hostile;
  const fields = Object.entries(value);
  const chosen = fields.length === 0 ? undefined : fields[at % fields.length];
  if (how === 'add' || chosen === undefined) {
    const extra = ['__proto__', 'constructor', 'extra', '', 'x'.repeat(10_000), '\0'][at % 6] ?? 'extra';
    return Object.fromEntries([...fields, [extra, hostile]]);
  }
  const [name, inner] = chosen;
  const rest = fields.filter(([other]) => other !== name);
  if (how === 'remove') return Object.fromEntries(rest);
  const spoiledInner =
    typeof inner === 'object' && inner !== null && !Array.isArray(inner) && at % 2 === 0
      ? spoil(inner, at >>> 1, hostile, 'replace')
      : hostile;
  return Object.fromEntries([...rest, [name, spoiledInner]]);
}

/** Bytes that are no JSON, or JSON that says a thing twice. */
export function brokenText(valid: fc.Arbitrary<unknown>): fc.Arbitrary<string | Buffer> {
  const text = valid.map((value) => JSON.stringify(value) ?? '');
  return fc.oneof(
    fc.tuple(text, fc.nat()).map(([good, at]) => good.slice(0, at % (good.length + 1))),
    text.map((good) => `${good.slice(0, -1)},${good.slice(1)}`),
    text.map((good) => `\ufeff${good}`),
    text.map((good) => `${good}\0`),
    text.map((good) => `${good}${good}`),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom<string | Buffer>(
      '[',
      '['.repeat(100_000),
      '['.repeat(50_000) + ']'.repeat(50_000),
      '{"a":'.repeat(50_000),
      'NaN',
      '{"a":Infinity}',
      "{'a':1}",
      '"\\ud800"',
      '1e999999',
      Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
      Buffer.from('{"a":"\xc3\x28"}', 'latin1'),
      Buffer.alloc(1024 * 1024 + 1, 0x20),
    ),
  );
}

/** Programs that nobody thought of: whatever they do, no rendering holds a secret, and two secrets look the same. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderRope, type WireNode, type WireRope } from '../../../src/sandbox/wire/index.ts';
import { runInBox } from '../../support/script-box.ts';
import { hostsOf } from './hosts.ts';

const GRANT = {
  secrets: { API_KEY: ['api.test'] },
  hosts: ['api.test', 'other.test'],
  methods: ['GET', 'POST'],
};

/** Expressions in which K stands somewhere. */
const expression: fc.Arbitrary<string> = fc.letrec<{ text: string; any: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant('K'),
    fc.constantFrom('"a"', '""', '" x "', '"%s"', '"é"'),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(${a} + ${b})`),
    fc.tuple(tie('text'), fc.integer({ min: 0, max: 3 })).map(([a, n]) => `(${a} * ${n})`),
    fc.tuple(tie('text'), tie('text'), tie('text')).map(([a, b, c]) => `${a}.join([${b}, ${c}])`),
    tie('text').map((a) => `("<%s>" % ${a})`),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `"{}-{}".format(${a}, ${b})`),
    fc
      .tuple(
        fc.constantFrom(
          'str',
          'json.encode',
          'base64.encode',
          'hashing.sha256',
          'url.encode',
          'type',
          'url.decode',
          'json.decode',
          'base64.decode',
        ),
        tie('text'),
      )
      .map(([f, a]) => `${f}(${a})`),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `hashing.hmac_sha256(${a}, ${b})`),
    fc
      .tuple(
        tie('text'),
        fc.constantFrom('strip()', 'upper()', 'lower()', 'split("_")[0]', 'replace("s", "t")', 'title()'),
      )
      .map(([a, m]) => `${a}.${m}`),
    fc.tuple(tie('text'), fc.integer({ min: -5, max: 5 })).map(([a, i]) => `${a}[${i}]`),
    tie('text').map((a) => `http.post("https://api.test/echo", body = ${a}).body`),
    tie('text').map((a) => `http.get("https://api.test/plain", headers = {"X-Key": ${a}})["body"]`),
    tie('text').map((a) => `http.get("https://api.test/base64?k=" + ${a}, headers = {"X-Key": K})["body"]`),
    tie('text').map((a) => `http.get("https://other.test/" + ${a})["body"]`),
  ),
  any: fc.oneof(
    tie('text'),
    fc
      .tuple(tie('text'), fc.constantFrom('==', '!=', '<', 'in'), tie('text'))
      .map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(1 if ${a} else ${b})`),
    tie('text').map((a) => `len(${a})`),
    tie('text').map((a) => `[${a}, {"k": ${a}}]`),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `sorted([${a}, ${b}])`),
  ),
})).any;

function observed(source: string, secret: string): string {
  const run = runInBox(
    source,
    { secrets: { API_KEY: secret }, grant: GRANT, hosts: hostsOf(secret) },
    { steps: 1_000_000, memory: 4 * 1024 * 1024 },
  );
  const elsewhere = run.sent.filter(({ url }) => !url.startsWith('https://api.test/'));
  return JSON.stringify([run.outcome, run.notices, run.records, elsewhere]);
}

test('any program shows the same under any two strong secrets, and neither of them', () => {
  const character = fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789+/=_-.~');
  // A tail that no estimate calls weak.
  const secret = fc
    .string({ unit: character, minLength: 1, maxLength: 40 })
    .map((text) => `${text}Zq8Xw2Lm5Tv9Rk3B`);
  fc.assert(
    fc.property(fc.array(expression, { minLength: 1, maxLength: 3 }), secret, secret, (parts, a, b) => {
      const source = `K = secrets.get("API_KEY")\nprint("start", K)\nresult = [${parts.join(', ')}]\n`;
      const first = observed(source, a);
      expect(observed(source, b)).toBe(first);
      expect(first).not.toContain(a);
    }),
    { numRuns: 300 },
  );
});

const node: fc.Arbitrary<WireNode> = fc.letrec<{ rope: WireRope; node: WireNode }>((tie) => ({
  rope: fc.array(tie('node'), { maxLength: 4 }),
  node: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.constantFrom('API_KEY', 'OTHER@3').map((id): WireNode => ['ref', id]),
    fc
      .tuple(fc.constantFrom('b64', 'b64url', 'sha256', 'url', 'json'), tie('rope'))
      .map(([kind, rope]): WireNode => [kind, rope]),
    fc.tuple(tie('rope'), tie('rope')).map(([key, message]): WireNode => ['hmac', key, message]),
  ),
})).node;

test('a rendering is public text and markers', () => {
  fc.assert(
    fc.property(fc.array(node, { maxLength: 6 }), (rope) => {
      const shown = renderRope(rope);
      const names = [...shown.matchAll(/\[REDACTED:([A-Z_]+)\]/g)].map(([, name]) => name);
      expect(names.every((name) => name === 'API_KEY' || name === 'OTHER')).toBe(true);
      expect(shown).not.toContain('@3');
    }),
  );
});

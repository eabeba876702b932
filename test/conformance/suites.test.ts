import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runChunk } from './run-chunk.ts';
import { judge, readSuite, type Verdict } from './suites.ts';

const root = fileURLToPath(new URL('../../../shared/starlark', import.meta.url));

function count(
  suites: readonly Parameters<typeof readSuite>[1][],
  baseline: ReadonlyMap<string, number>,
): Record<Verdict, number> {
  const out = { pass: 0, kind: 0, fail: 0 };
  for (const suite of suites) {
    for (const chunk of readSuite(`${root}/suite`, suite))
      out[judge(chunk, baseline.get(chunk.key) ?? 0).verdict] += 1;
  }
  return out;
}

interface BaselineEntry {
  readonly key: string;
  readonly verdict: string;
  readonly asserts: number;
}

/** How many assertions another implementation ran in each chunk that it passes. */
function readBaseline(): Map<string, number> {
  const entries = JSON.parse(readFileSync(`${root}/baseline.json`, 'utf8')) as BaselineEntry[];
  return new Map(
    entries.filter((entry) => entry.verdict !== 'fail').map(({ key, asserts }) => [key, asserts]),
  );
}

if (existsSync(`${root}/suite`)) {
  describe('the public suites', () => {
    test("the specification's suite: at least 424 of 430 chunks by kind, 95 % with the message", () => {
      const { pass, kind, fail } = count(['spec/go', 'spec/java', 'spec/rust'], readBaseline());
      console.log(`spec-suite: ${pass} pass, ${kind} differ in the message only, ${fail} fail`);
      expect(pass + kind + fail).toBe(430);
      expect(pass + kind).toBeGreaterThanOrEqual(424);
      expect(pass / 430).toBeGreaterThanOrEqual(0.95);
    });

    test('the suite of the Java implementation: at least 276 of 294 chunks by kind', () => {
      const { pass, kind, fail } = count(['bazel-java'], readBaseline());
      console.log(`bazel-java: ${pass} pass, ${kind} differ in the message only, ${fail} fail`);
      expect(pass + kind + fail).toBe(294);
      expect(pass + kind).toBeGreaterThanOrEqual(276);
    });
  });
} else {
  test('the public suites are not here', () => {
    console.warn(
      `SKIPPED: the public Starlark suites are not at ${root}; the language is covered by the project's own tests only`,
    );
    expect(existsSync(`${root}/suite`)).toBe(false);
  });
}

describe('the adapter', () => {
  test('reports failed assertions with their line and goes on', () => {
    expect(
      runChunk('assert_eq(1, 2)\nassert_(True)\ndef f(): assert_eq(3, 4)\nf()', {
        mode: 'exec',
        options: [],
      }),
    ).toEqual([
      { kind: 'assert', line: 1, msg: '1 != 2' },
      { kind: 'assert', line: 3, msg: '3 != 4' },
      { kind: 'done', asserts: 3 },
    ]);
  });

  test('reports dynamic and static errors', () => {
    expect(runChunk('x = 1\nassert_(1)\n1 // 0', { mode: 'exec', options: [] })).toEqual([
      { kind: 'error', line: 3, msg: 'integer division by zero' },
      { kind: 'done', asserts: 1 },
    ]);
    expect(
      runChunk('x = y\nx = z', { mode: 'resolve', options: [] }).map((e) =>
        e.kind === 'done' ? 'done' : `${e.kind} ${e.line}`,
      ),
    ).toEqual(['static 1', 'static 2', 'static 2', 'done']);
    expect(runChunk('x = (', { mode: 'parse', options: [] }).map((e) => e.kind)).toEqual(['static', 'done']);
  });

  test('offers what the suites load, and the options of a chunk', () => {
    const text =
      'load("assert.star", "assert", "freeze")\nx = freeze([1])\nassert.fails(lambda: x.append(1), "cannot append to frozen list")\nassert.eq([1] + hasfields(), 42)\nassert.lt(1, 2)';
    expect(runChunk(text, { mode: 'exec', options: [] })).toEqual([{ kind: 'done', asserts: 3 }]);
    expect(
      runChunk('x = 0\nwhile x < 3: x += 1\nassert_eq(x, 3)', {
        mode: 'exec',
        options: ['while', 'toplevelcontrol', 'globalreassign'],
      }),
    ).toEqual([{ kind: 'done', asserts: 1 }]);
  });
});

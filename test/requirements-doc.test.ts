/**
 * docs/requirements.md says row by row what holds at three doors. Here its tables are read: no row is missing or new, every
 * row names tests that are there and run, and what holds otherwise than it was required has a reason.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { namedTests, problemOf } from './support/named-tests.ts';

const DOCUMENT = readFileSync(resolve(import.meta.dirname, '..', 'docs', 'requirements.md'), 'utf8');

const numbered = (letter: string, last: number): string[] =>
  Array.from({ length: last }, (_, i) => `${letter}-${String(i + 1).padStart(2, '0')}`);

const SECTIONS: readonly (readonly string[])[] = [
  [
    'initialize',
    'notifications',
    'ping',
    'tools/list',
    'tools/call',
    'tool failure',
    'unknown tool',
    'params not object',
    'invalid JSON',
    'wrong jsonrpc or no method',
    'unknown method',
    'internal error',
    'rate limit',
    'batch',
    'M-06',
    'M-07',
  ],
  numbered('A', 16),
  numbered('X', 7),
];

interface Row {
  readonly id: string;
  readonly what: string;
  readonly status: string;
  readonly tests: string;
  readonly note: string;
}

const sections: readonly (readonly Row[])[] = DOCUMENT.split(/^## /m)
  .slice(1)
  .map((text) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) => {
        const cells = line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim());
        if (cells.length !== 5) throw new Error(`a row of ${cells.length} cells: ${line}`);
        const [id = '', what = '', status = '', tests = '', note = ''] = cells;
        return { id, what, status, tests, note };
      }),
  );
const rows = sections.flat();

const words = (text: string): number => text.split(/\s+/).filter((word) => /\p{L}{2,}/u.test(word)).length;

test('every row of the three sections stands in the document, in order, and no other', () => {
  expect(sections.map((section) => section.map(({ id }) => id))).toEqual(SECTIONS);
});

test('every row says what holds and whether that is what was required; a deviation says why', () => {
  const wrong = rows.filter(
    ({ what, status, note }) =>
      what === '' ||
      !(status === 'in force' || (status === 'deviation' && words(note) >= 8)) ||
      (note !== '' && !note.endsWith('.')),
  );
  expect(wrong.map(({ id }) => id)).toEqual([]);
});

test('every row names a test, and every test that is named exists and runs', () => {
  const problems = rows.flatMap(({ id, tests }) => {
    const named = namedTests(tests);
    return [
      ...(named.length > 0 ? [] : [`${id}: no test is named`]),
      ...named.flatMap((one) => problemOf(one) ?? []).map((problem) => `${id}: ${problem}`),
    ];
  });
  expect(problems).toEqual([]);
});

test('a document that the tables name is there', () => {
  for (const [name] of DOCUMENT.matchAll(/docs\/[\w-]+\.md/g)) {
    expect(() => readFileSync(join(import.meta.dirname, '..', name)), name).not.toThrow();
  }
});

/**
 * docs/security.md says what is in force. Here its tables are read: every promise once, every named file there and part of
 * the program that runs, every named test there and not switched off. A test that was renamed or removed fails this one.
 */
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import { namedTests, problemOf, testsOf } from './support/named-tests.ts';

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENT = readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8');
const IDS = [...Array.from({ length: 92 }, (_, i) => `S-${String(i + 1).padStart(2, '0')}`), 'S-25a'];
/** Where processes of the product begin, and the page. */
const ENTRIES = [
  'bin/openpact.js',
  'src/main.ts',
  'src/agent/main.ts',
  'src/host/files/child/main.ts',
  'src/sandbox/worker/main.ts',
  'web/src/main.tsx',
  // What a container is made of, and what stands in front of it.
  'container/Dockerfile',
  'container/entrypoint.sh',
  'container/compose.yaml',
  'container/nginx.conf',
];
const LEAST_WORDS = 4;

interface Row {
  readonly id: string;
  readonly promise: string;
  readonly status: string;
  readonly where: string;
  readonly test: string;
  readonly note: string;
}

function section(number: number): string {
  const text = DOCUMENT.split(/^## /m).find((part) => part.startsWith(`${number}. `));
  if (text === undefined) throw new Error(`docs/security.md has no section ${number}`);
  return text;
}

/** The cells of a table's rows, without its head. */
function cells(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const rows: readonly Row[] = cells(section(4)).map((row) => {
  const [id = '', promise = '', status = '', where = '', name = '', note = ''] = row;
  if (row.length !== 6) throw new Error(`a row of ${row.length} cells: ${row.join('|')}`);
  return { id, promise, status, where: where.replaceAll('`', ''), test: name, note };
});

/** Every file that is part of a running process, by the imports from its beginning. */
function runningFiles(): ReadonlySet<string> {
  const reached = new Set<string>();
  const queue = [...ENTRIES];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file) || !existsSync(join(ROOT, file))) continue;
    reached.add(file);
    if (!/\.(tsx?|m?js)$/.test(file)) continue;
    const { module } = parseSync(file, readFileSync(join(ROOT, file), 'utf8'));
    const targets = [
      ...module.staticImports
        .filter((entry) => entry.entries.length === 0 || entry.entries.some((name) => !name.isType))
        .map((entry) => entry.moduleRequest.value),
      ...module.staticExports.flatMap((entry) =>
        entry.entries.flatMap((name) =>
          name.moduleRequest && !name.isType ? [name.moduleRequest.value] : [],
        ),
      ),
    ];
    for (const target of targets.filter((path) => path.startsWith('.'))) {
      queue.push(relative(ROOT, resolve(ROOT, dirname(file), target)));
    }
  }
  return reached;
}

const words = (text: string): number => text.split(/\s+/).filter((word) => /\p{L}{2,}/u.test(word)).length;

test('every promise stands in the table once, and no other', () => {
  expect(rows.map((row) => row.id).toSorted()).toEqual(IDS.toSorted());
});

test('every row says what is promised and whether it holds', () => {
  const wrong = rows.filter(
    (row) => !['in force', 'later', 'deviation'].includes(row.status) || words(row.promise) < 3,
  );
  expect(wrong.map((row) => `${row.id} ${row.status}: ${row.promise}`)).toEqual([]);
});

test('what is in force names a file of the running program and a test that runs', () => {
  const running = runningFiles();
  const problems = rows
    .filter((row) => row.status === 'in force')
    .flatMap((row) => {
      const tests = namedTests(row.test);
      return [
        ...(existsSync(join(ROOT, row.where)) ? [] : [`${row.where} does not exist`]),
        ...(running.has(row.where) ? [] : [`${row.where} is no part of the running program`]),
        ...(tests.length > 0 ? [] : ['no test is named']),
        ...tests.map(problemOf).filter((problem) => problem !== undefined),
      ].map((problem) => `${row.id}: ${problem}`);
    });
  expect(problems).toEqual([]);
});

test('what is not in force has a reason, and what a deviation names is there', () => {
  const problems = rows
    .filter((row) => row.status !== 'in force')
    .flatMap((row) => [
      ...(words(row.note) >= LEAST_WORDS ? [] : [`${row.id}: no reason`]),
      ...(row.where === '' || existsSync(join(ROOT, row.where)) ? [] : [`${row.id}: ${row.where} is gone`]),
      ...namedTests(row.test)
        .map(problemOf)
        .filter((problem) => problem !== undefined)
        .map((problem) => `${row.id}: ${problem}`),
    ]);
  expect(problems).toEqual([]);
});

test('every file of the attack tests is in the table of attacks or named below it, and every test named there runs', () => {
  const text = section(5);
  const files = readdirSync(join(ROOT, 'test', 'attacks'), { recursive: true })
    .map((name) => `test/attacks/${String(name)}`)
    .filter((file) => /\.\w+$/.test(file));
  // Programs are as many as the channels they try: their folder is named, and one test runs all that is in it.
  const place = (file: string): string => (file.endsWith('.star') ? `${dirname(file)}/` : file);
  expect(files.filter((file) => !text.includes(`\`${place(file)}\``))).toEqual([]);
  const named = cells(text).flatMap((row) => {
    if (row.length !== 5 || row.includes(''))
      throw new Error(`an attack of ${row.length} cells: ${row.join('|')}`);
    return namedTests(row[4] ?? '');
  });
  const attacked = new Set(named.map(({ file }) => file));
  expect(files.filter((file) => file.endsWith('.test.ts') && !attacked.has(file))).toEqual([]);
  expect(named.map(problemOf).filter((problem) => problem !== undefined)).toEqual([]);
});

test('the reader of tests sees every form in which the tests of this repository are written', () => {
  const files = globSync('{src,test}/**/*.test.ts', { cwd: ROOT });
  const found = files.map((file) => [file, testsOf(file).size] as const);
  expect(found.filter(([, size]) => size === 0).map(([file]) => file)).toEqual([]);
});

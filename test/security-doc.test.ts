/**
 * docs/security.md says what is in force. Here its tables are read: every promise once, every named file there and part of
 * the program that runs, every named test there and not switched off. A test that was renamed or removed fails this one.
 */
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, matchesGlob, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import config from '../vitest.config.ts';

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

interface NamedTest {
  readonly file: string;
  /** With its groups, joined by ` > `. */
  readonly name: string;
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

/** `file`: "name", several joined by semicolons. What is left over is a mistake in the document. */
function namedTests(cell: string): NamedTest[] {
  const pattern = /`([^`]+)`: "([^"]+)"(?:; |$)/g;
  const found = [...cell.matchAll(pattern)].map(([, file = '', name = '']) => ({ file, name }));
  const rest = cell.replaceAll(pattern, '');
  if (rest !== '') throw new Error(`this names no test: ${rest}`);
  return found;
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode));
}

/** `describe.skipIf(x)` is `['describe', 'skipIf']`, `it.each(table)` is `['it', 'each']`; undefined for another call. */
function chainOf(callee: unknown): string[] | undefined {
  if (!isNode(callee)) return undefined;
  if (callee.type === 'Identifier') return [String(callee['name'])];
  if (callee.type === 'CallExpression' || callee.type === 'TaggedTemplateExpression') {
    return chainOf(callee['callee'] ?? callee['tag']);
  }
  if (callee.type !== 'MemberExpression' || !isNode(callee['property'])) return undefined;
  const before = chainOf(callee['object']);
  return before && [...before, String(callee['property']['name'] ?? callee['property']['value'])];
}

/** A title as it stands in the source: placeholders of tables and templates stay what they are. */
function titleOf(node: unknown, source: string): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node.type === 'TemplateLiteral')
    return source.slice(Number(node['start']) + 1, Number(node['end']) - 1);
  return undefined;
}

const OFF = new Set(['skip', 'todo', 'only', 'fails', 'skipIf', 'runIf']);
const MAY_SKIP = new Set(['skipIf', 'runIf']);

/** Whether somebody switches it off by a modifier, an option or from inside. */
function isSwitchedOff(chain: readonly string[], call: Node): boolean {
  // On a machine that can't fence a suite may step back; under OPENPACT_CI=1 that is a failure (scripts/test.ts).
  if (chain.some((part) => OFF.has(part) && !MAY_SKIP.has(part))) return true;
  const inside = (node: Node): boolean => {
    if (node.type === 'Property' && isNode(node['key']) && OFF.has(String(node['key']['name']))) return true;
    if (node.type === 'CallExpression' && isNode(node['callee'])) {
      const { callee } = node;
      if (isNode(callee) && callee.type === 'MemberExpression' && isNode(callee['property'])) {
        if (callee['property']['name'] === 'skip') return true;
      }
    }
    return childrenOf(node).some(inside);
  };
  const isTest = chain[0] === 'test' || chain[0] === 'it';
  const args = (call['arguments'] as readonly unknown[]).filter(isNode);
  // A group is searched by its options only: what is in it answers for itself.
  return args.some((arg) => (isTest || arg.type === 'ObjectExpression' ? inside(arg) : false));
}

/** The tests of a file by their full name; false for one that is switched off. */
function testsOf(file: string): ReadonlyMap<string, boolean> {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} can't be parsed: ${errors[0]?.message}`);
  const found = new Map<string, boolean>();
  const visit = (node: Node, groups: readonly string[], on: boolean): void => {
    const chain = node.type === 'CallExpression' ? chainOf(node['callee']) : undefined;
    const [first] = chain ?? [];
    const args = node.type === 'CallExpression' ? (node['arguments'] as readonly unknown[]) : [];
    const title = titleOf(args[0], source);
    const isTest = first === 'test' || first === 'it';
    const isGroup = first === 'describe' || first === 'suite';
    if (chain && title !== undefined && (isTest || isGroup)) {
      const runs = on && !isSwitchedOff(chain, node);
      if (isTest) {
        const name = [...groups, title].join(' > ');
        if (found.has(name)) throw new Error(`${file} has two tests named ${name}`);
        found.set(name, runs);
      } else {
        for (const child of childrenOf(node)) visit(child, [...groups, title], runs);
      }
      return;
    }
    for (const child of childrenOf(node)) visit(child, groups, on);
  };
  visit(program as unknown as Node, [], true);
  return found;
}

const known = new Map<string, ReadonlyMap<string, boolean>>();

/** What is wrong with a named test; undefined when it is there and runs. */
function problemOf({ file, name }: NamedTest): string | undefined {
  if (!existsSync(join(ROOT, file))) return `${file} does not exist`;
  const include = config.test?.include ?? [];
  if (!include.some((pattern) => matchesGlob(file, pattern))) return `${file} is not run by vitest`;
  const tests = known.get(file) ?? testsOf(file);
  known.set(file, tests);
  const runs = tests.get(name);
  if (runs === undefined) return `${file} has no test "${name}"`;
  return runs ? undefined : `${file}: "${name}" is switched off`;
}

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

/** What the documents name has to exist: links, commands, settings. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { CONFIG_DOCUMENT, configDocument } from '../scripts/config-docs.ts';
import { PRODUCT } from './support/product.ts';

const ROOT = resolve(import.meta.dirname, '..');
const NOT_OURS = /(^|\/)(node_modules|dist|test-results|workspace|coverage)(\/|$)/;
const DOCUMENTS = globSync('**/*.md', { cwd: ROOT, exclude: (name) => NOT_OURS.test(name) }).toSorted();
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );

/** What stands in code, by line. */
function codeOf(file: string): string[] {
  const text = textOf(file);
  const blocks = [...text.matchAll(/^```(?:sh|bash|console)?\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block.split('\n'),
  );
  const spans = [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, span = '']) => span,
  );
  return [...blocks, ...spans].map((line) => line.trim());
}

const commands = DOCUMENTS.flatMap((file) =>
  codeOf(file).flatMap((line) => line.split(/&&|\|\|?(?= )/).map((part) => ({ file, command: part.trim() }))),
);

test('there are documents to look at', () => {
  for (const file of [
    'README.md',
    'AGENTS.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'docs/security.md',
  ])
    expect(DOCUMENTS).toContain(file);
});

test('every relative link leads to a file that is there, and to a heading in it', () => {
  const broken: string[] = [];
  let links = 0;
  for (const file of DOCUMENTS) {
    for (const [, to = ''] of withoutCode(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(to)) continue;
      links += 1;
      const [path = '', anchor] = to.split('#');
      const target = path === '' ? join(ROOT, file) : join(ROOT, dirname(file), path);
      if (!existsSync(target)) broken.push(`${file}: ${to}`);
      else if (anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).has(anchor))
        broken.push(`${file}: ${to} (no such heading)`);
    }
  }
  expect(broken).toEqual([]);
  expect(links).toBeGreaterThan(40);
});

test('every npm script that is shown exists, and every file that is given to node', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const broken: string[] = [];
  let seen = 0;
  for (const { file, command } of commands) {
    const npm = /^npm (?:run ([\w:-]+)|(test|start))\b/.exec(command);
    const script = npm?.[1] ?? npm?.[2];
    if (script !== undefined) {
      seen += 1;
      if (!(script in scripts)) broken.push(`${file}: ${command}`);
    }
    const program = /^node ([\w./-]+\.(?:ts|js|mjs))\b/.exec(command)?.[1];
    if (program !== undefined) {
      seen += 1;
      if (!existsSync(join(ROOT, program)) && !existsSync(join(ROOT, dirname(file), program)))
        broken.push(`${file}: ${command}`);
    }
  }
  expect(broken).toEqual([]);
  expect(seen).toBeGreaterThan(10);
});

test('every table has its head, and no text stands between its rows', () => {
  const broken: string[] = [];
  for (const file of DOCUMENTS) {
    const lines = textOf(file)
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .split('\n');
    for (const [at, line] of lines.entries()) {
      if (!line.startsWith('|') || lines[at - 1]?.startsWith('|') === true) continue;
      const headed = /^\|(?:\s*:?-+:?\s*\|)+$/.test(lines[at + 1] ?? '');
      // A row that follows a text without an empty line is text to a reader of Markdown.
      const apart = at === 0 || lines[at - 1]?.trim() === '';
      if (!headed || !apart) broken.push(`${file}: ${line.slice(0, 80)}`);
    }
  }
  expect(broken).toEqual([]);
});

test('every command of openpact that is shown is one, with the flags that are shown', () => {
  const shown = new Map<string, Set<string>>();
  for (const { command } of commands) {
    const rest = /^(?:node bin\/openpact\.js|openpact) (.+)$/.exec(command)?.[1];
    if (rest === undefined) continue;
    // Brackets mark what may be left out.
    const words = rest.replaceAll(/[[\]]/g, '').split(/\s+/);
    const verbs = words.filter(
      (word, at) =>
        /^[a-z-]+$/.test(word) && !word.startsWith('-') && !(words[at - 1] ?? '').startsWith('--'),
    );
    const flags = words.filter((word) => word.startsWith('--'));
    const name = verbs.slice(0, 2).join(' ');
    const known = shown.get(name) ?? new Set<string>();
    for (const flag of flags) known.add(flag);
    shown.set(name, known);
  }
  expect([...shown.keys()]).toContain('audit verify');
  expect(shown.size).toBeGreaterThan(4);
  for (const [name, flags] of shown) {
    const { status, stdout } = spawnSync(process.execPath, [PRODUCT, ...name.split(' '), '--help'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '' },
    });
    expect([name, status]).toEqual([name, 0]);
    // For a verb that it does not know it shows the help of what is above it.
    expect(stdout.replace(/\|\w+/, '')).toContain(`Usage: openpact ${name} [options]`);
    for (const flag of flags) expect(stdout, `openpact ${name}`).toContain(flag);
  }
}, 180_000);

test('the page of the configuration is what the keys and the schema say', () => {
  expect(readFileSync(CONFIG_DOCUMENT, 'utf8'), 'run node scripts/config-docs.ts').toBe(configDocument());
});

test('every decision is in the list of decisions, and its number is its own', () => {
  const files = globSync('0*.md', { cwd: join(ROOT, 'docs', 'decisions') });
  const listed = textOf('docs/decisions/README.md');
  for (const file of files) {
    expect(listed).toContain(`](${file})`);
    expect(textOf(`docs/decisions/${file}`)).toMatch(new RegExp(`^# ${file.slice(0, 4)}: `));
  }
  expect(new Set(files.map((file) => file.slice(0, 4))).size).toBe(files.length);
});

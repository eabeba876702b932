/**
 * The tree is the security map: who may import whom, as a table. Every import of every file is parsed.
 * A rule that is in the way is changed here, in a commit of its own that says why.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** The longest prefix wins. `own` means the folder itself; a list names folders that may be imported. */
const ZONES: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/config': ['src/core'],
  'src/observe': ['src/core'],
  'src/host/storage': ['src/core'],
  'src/host/process': ['src/core'],
  'src/host/net': ['src/core'],
  // The file child starts through the one launcher.
  'src/host/files': ['src/core', 'src/host/process'],
  // Runs inside the fences: no trusted code beside it.
  'src/host/files/child': ['src/core', 'src/host/files'],
  'src/sandbox/starlark': [],
  // The words between a script's process and the broker: types, sizes and markers. Both ends may know them.
  'src/sandbox/wire': [],
  // Runs inside the fences, beside the script.
  'src/sandbox/script': ['src/sandbox/starlark', 'src/sandbox/wire'],
  'src/sandbox/worker': ['src/sandbox/script', 'src/sandbox/wire'],
  // The trusted end of the pipe: of the interpreter it knows the shapes and limits only.
  'src/sandbox/runner': [
    'src/core',
    'src/guard/secrets/broker',
    'src/host/process',
    'src/sandbox/script/outcome.ts',
    'src/sandbox/wire',
  ],
  'src/guard': ['src/core', 'src/host/storage'],
  // Grants are read by the broker's own reader; the rest of a run is a port.
  'src/guard/scripts': ['src/core', 'src/guard', 'src/host/storage'],
  // Takes over what another program left: into the accounts, the vault and the scripts, by their own doors.
  'src/guard/import': ['src/core', 'src/guard', 'src/host/storage'],
  // Reads a script without running it, in the orchestrator: the parser alone.
  'src/sandbox/analysis': ['src/sandbox/starlark'],
  // Speaks with the script's process, and takes it for hostile.
  'src/guard/secrets/broker': ['src/core', 'src/guard/secrets', 'src/sandbox/wire'],
  'src/tools': ['src/core'],
  'src/agent': ['src/core'],
  'src/engine': ['src/core', 'src/guard', 'src/host/storage', 'src/host/process'],
  'src/edge/llm': ['src/core', 'src/guard', 'src/host'],
  'src/edge/mcp': ['src/core', 'src/guard', 'src/host'],
  'src/edge/admin': ['src/core', 'src/guard', 'src/host'],
  // Arguments and results of scripts hold whole numbers of any size.
  'src/edge/cli': ['src/core', 'src/guard', 'src/host', 'src/sandbox/wire'],
  'src/main.ts': ['src'],
  'src/compose': ['src'],
  'web/src': ['src/edge/admin/api.ts', 'src/core'],
};

/** Who may use a module of Node or a package that opens a door. */
const DOORS: readonly { readonly modules: RegExp; readonly allowed: readonly string[] }[] = [
  {
    modules: /^node:fs(\/promises)?$/,
    allowed: [
      'src/host/files',
      'src/config',
      'src/host/process',
      'src/edge/cli',
      // Two inherited pipes, with blocking reads.
      'src/sandbox/worker/pipes.ts',
    ],
  },
  { modules: /^node:child_process$/, allowed: ['src/host/process'] },
  {
    modules: /^node:(http|https|http2|dgram|tls|dns|dns\/promises)$/,
    allowed: ['src/host/net', 'src/edge/admin'],
  },
  // The agent opens an inherited pipe as a stream; it has no socket.
  {
    modules: /^node:net$/,
    allowed: [
      'src/host/net',
      'src/edge/admin',
      'src/edge/cli',
      // Tries from inside the fences whether they hold.
      'src/host/process/isolation-probe.ts',
      'src/agent',
      'src/host/files/child',
      'src/guard/identity',
    ],
  },
  { modules: /^(undici|ws)$/, allowed: ['src/host/net', 'src/edge/admin'] },
  { modules: /^(hono|@hono\/.*)$/, allowed: ['src/edge/admin'] },
  { modules: /^node:sqlite$/, allowed: ['src/host/storage'] },
  { modules: /^node:(worker_threads|vm|inspector|repl|cluster|wasi)$/, allowed: [] },
];

interface Import {
  readonly file: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function files(): string[] {
  return globSync('{src,web/src}/**/*.{ts,tsx}', { cwd: ROOT }).filter(
    (file) => !/\.test(-support)?\.tsx?$/.test(file),
  );
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} can't be parsed: ${errors[0]?.message}`);
  const targets: { to: string; typeOnly: boolean }[] = [
    ...module.staticImports.map((entry) => ({
      to: entry.moduleRequest.value,
      typeOnly: entry.entries.length > 0 && entry.entries.every((name) => name.isType),
    })),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((name) =>
        name.moduleRequest ? [{ to: name.moduleRequest.value, typeOnly: name.isType }] : [],
      ),
    ),
    ...module.dynamicImports.map((entry) => {
      const text = source.slice(entry.moduleRequest.start, entry.moduleRequest.end);
      if (!/^['"]/.test(text)) throw new Error(`${file} imports ${text}: an import must be a literal`);
      return { to: text.slice(1, -1), typeOnly: false };
    }),
  ];
  return targets.map(({ to, typeOnly }) => ({
    file,
    to: to.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), to)) : to,
    typeOnly,
  }));
}

const within = (file: string, folder: string): boolean => file === folder || file.startsWith(`${folder}/`);

function zoneOf(file: string): string | undefined {
  return Object.keys(ZONES)
    .filter((zone) => within(file, zone))
    .toSorted((a, b) => b.length - a.length)[0];
}

const all = files().flatMap(importsOf);

test('every file stands in a zone', () => {
  expect(files().filter((file) => zoneOf(file) === undefined)).toEqual([]);
});

test('nobody imports from a zone that the table does not give to him', () => {
  const strays = all.filter(({ file, to }) => {
    if (!to.startsWith('src/') && !to.startsWith('web/')) return false;
    const zone = zoneOf(file);
    if (zone === undefined) return true;
    if (within(to, zone) && zoneOf(to) === zone) return false;
    return !(ZONES[zone] ?? []).some((allowed) => within(to, allowed));
  });
  expect(strays.map(({ file, to }) => `${file} -> ${to}`)).toEqual([]);
});

test('the page imports nothing of the server but types', () => {
  const values = all.filter(
    ({ file, to, typeOnly }) => within(file, 'web/src') && to.startsWith('src/') && !typeOnly,
  );
  expect(
    values.filter(({ to }) => to !== 'src/edge/admin/api.ts').map(({ file, to }) => `${file} -> ${to}`),
  ).toEqual([]);
});

test('modules that open a door are used where the table says and nowhere else', () => {
  const strays = all.filter(
    ({ file, to, typeOnly }) =>
      within(file, 'src') &&
      !typeOnly &&
      DOORS.some((door) => door.modules.test(to) && !door.allowed.some((zone) => within(file, zone))),
  );
  expect(strays.map(({ file, to }) => `${file} -> ${to}`)).toEqual([]);
});

test('built-in modules are named with node:, so that the table sees them', () => {
  const bare = all.filter(({ to }) =>
    /^(fs|net|http|https|child_process|dgram|tls|vm|worker_threads|crypto|path|os)(\/|$)/.test(to),
  );
  expect(bare).toEqual([]);
});

test('there are no cycles', () => {
  const graph = new Map<string, string[]>();
  for (const { file, to, typeOnly } of all) {
    if (!to.startsWith('src/') || typeOnly) continue;
    graph.set(file, [...(graph.get(file) ?? []), to]);
  }
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

function using(pattern: RegExp, allowed: readonly string[]): string[] {
  return files().filter(
    (file) =>
      within(file, 'src') &&
      pattern.test(readFileSync(join(ROOT, file), 'utf8')) &&
      !allowed.some((zone) => within(file, zone)),
  );
}

test('the environment is read in config only', () => {
  expect(using(/\bprocess\s*\.\s*env\b|\bprocess\[/, ['src/config'])).toEqual([]);
});

test('SQL stands in host/storage only', () => {
  expect(
    using(/['"`]\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA|CREATE TABLE)\b/, [
      'src/host/storage',
    ]),
  ).toEqual([]);
});

test('ropes are evaluated, and secrets of scripts opened, inside the broker only', () => {
  expect(using(/\bevaluateRequest\b|\bopenValue\b/, ['src/guard/secrets/broker'])).toEqual([]);
  const inner = all.filter(
    ({ file, to }) =>
      within(to, 'src/guard/secrets/broker') &&
      !within(file, 'src/guard/secrets/broker') &&
      to !== 'src/guard/secrets/broker/index.ts',
  );
  expect(inner.map(({ file, to }) => `${file} -> ${to}`)).toEqual([]);
});

test('a sealed secret leaves by one function, which one file of the composition may call', () => {
  expect(using(/\breveal(Secret|FormerValues)\b/, ['src/guard/secrets', 'src/compose/assistant.ts'])).toEqual(
    [],
  );
});

test('program text never becomes code', () => {
  expect(using(/\beval\s*\(|new Function\s*\(|\bsetFlagsFromString\b/, [])).toEqual([]);
});

test('the trusted side writes to the console only where a person reads it', () => {
  expect(using(/\bconsole\.\w+\(/, ['src/agent', 'src/host/files/child'])).toEqual([]);
});

test('nothing in the product can switch a control off: the seams are outside of it', () => {
  expect(
    all
      .filter(({ file, to }) => within(file, 'src') && within(to, 'test'))
      .map(({ file, to }) => `${file} -> ${to}`),
  ).toEqual([]);
});

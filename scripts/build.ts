/**
 * Builds what `npm start` runs: each program of ours as one file with everything in it (a process starts three times as
 * fast and holds 30 MB less than from source; the agent leaves the clients of single providers in files of their own, which
 * it reads when a turn needs one), the files that stand beside them, and the page. Only what is stale is
 * built. In a bundle `import.meta.dirname` is `dist/` for every module, so files that code looks for beside itself lie
 * flat in `dist/`.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sourceStamps, type SourceStamps } from '../bin/source-stamp.js';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, 'stamp.json');

/**
 * Our programs: the bundle's name and the file that it starts from. Those that run behind fences end in `.mjs`: for a
 * `.js` Node reads the package.json above it, which a fenced child may not open.
 */
const PROGRAMS: Readonly<Record<string, string>> = {
  'openpact.js': 'src/main.ts',
  'agent/main.mjs': 'src/agent/main.ts',
  'file-child.mjs': 'src/host/files/child/main.ts',
  'script-worker.mjs': 'src/sandbox/worker/main.ts',
};

/** Read at run time from beside the code. */
const BESIDE = [
  'src/host/process/fence.pl',
  'src/host/process/probe.pl',
  'src/host/process/probe.mjs',
  'src/host/process/users-probe.pl',
];

/** ws asks for these in a try block; they are native and make masking a little faster. We don't install them. */
const NEVER_THERE = ['bufferutil', 'utf-8-validate'];

export interface BuildOptions {
  /** Say nothing but errors. */
  readonly quiet?: boolean;
  /** Build both sides even where nothing has changed. */
  readonly force?: boolean;
}

/** Throws with a reason when a side can't be built; what was built before stays then, without its stamp. */
export async function build({ quiet = false, force = false }: BuildOptions = {}): Promise<void> {
  const say = (text: string): void => {
    if (!quiet) console.log(text);
  };
  const wanted = sourceStamps(ROOT);
  let built: Partial<SourceStamps> = force ? {} : readStamp();
  mkdirSync(DIST, { recursive: true });
  for (const [side, made, make] of [
    ['program', join(DIST, 'openpact.js'), buildPrograms],
    ['page', join(DIST, 'web', 'index.html'), buildPage],
  ] as const) {
    if (built[side] === wanted[side] && existsSync(made)) continue;
    // Without a stamp first: a build that is cut off must not look finished.
    const { [side]: _stale, ...others } = built;
    writeStamp(others);
    const began = performance.now();
    await make();
    built = { ...others, [side]: wanted[side] };
    writeStamp(built);
    say(`${side}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
}

async function buildPrograms(): Promise<void> {
  const missing = [...Object.values(PROGRAMS), ...BESIDE].filter((path) => !existsSync(join(ROOT, path)));
  if (missing.length > 0) throw new Error(`can't build the programs: ${missing.join(', ')} is missing`);
  const { rolldown } = await import('rolldown');
  for (const [name, entry] of Object.entries(PROGRAMS)) {
    const bundle = await rolldown({
      cwd: ROOT,
      input: join(ROOT, entry),
      platform: 'node',
      external: [/^node:/, ...NEVER_THERE],
      onLog(level, log) {
        if (level === 'warn' && log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      },
    });
    try {
      // The fences of a child name what it may read: one file, or the folder that is its own.
      const folder = dirname(name);
      const { output } = await bundle.generate({
        format: 'esm',
        codeSplitting: folder !== '.',
        chunkFileNames: `${folder}/[name]-[hash].mjs`,
        minify: false,
        sourcemap: false,
        entryFileNames: name,
        comments: { legal: true, annotation: false, jsdoc: false },
      });
      if (folder !== '.') mkdirSync(join(DIST, folder), { recursive: true });
      // What a program begins with comes last: it never names a file that is not there yet.
      for (const part of output.toSorted(
        (a, b) => Number(a.fileName === name) - Number(b.fileName === name),
      )) {
        if (part.type !== 'chunk' || dirname(part.fileName) !== folder)
          throw new Error(`unexpected output ${part.fileName}`);
        writeWhole(join(DIST, part.fileName), part.code);
      }
      if (folder !== '.')
        removeOthers(join(DIST, folder), new Set(output.map((part) => basename(part.fileName))));
    } finally {
      await bundle.close();
    }
  }
  for (const path of BESIDE) copyFileSync(join(ROOT, path), join(DIST, basename(path)));
  removeStale();
}

/** Bundles of programs that there are no longer. */
function removeStale(): void {
  removeOthers(
    DIST,
    new Set([...Object.keys(PROGRAMS), ...BESIDE.map((path) => basename(path)), 'stamp.json']),
  );
}

function removeOthers(folder: string, ours: ReadonlySet<string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && !ours.has(entry.name)) rmSync(join(folder, entry.name));
  }
}

async function buildPage(): Promise<void> {
  const config = join(ROOT, 'web', 'vite.config.ts');
  if (!existsSync(config)) throw new Error(`can't build the page: ${config} is missing`);
  const vite = await import('vite');
  await vite.build({ root: join(ROOT, 'web'), configFile: config, logLevel: 'error' });
}

/** A program that is started meanwhile sees the old file or the new one. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

function readStamp(): Partial<SourceStamps> {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8')) as Partial<SourceStamps>;
  } catch {
    // No stamp or a broken one: everything is stale.
    return {};
  }
}

function writeStamp(stamps: Partial<SourceStamps>): void {
  writeWhole(STAMP, `${JSON.stringify(stamps)}\n`);
}

if (import.meta.main) {
  try {
    await build({ force: process.argv.includes('--force') });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** From the start command to /ready, the memory of the idle process group, and the size of a production install. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from '../scripts/build.ts';

const ROOT = resolve(import.meta.dirname, '..');
const ROUNDS = 7;
const IDLE_MS = 5_000;

await build({ quiet: true });
const folder = mkdtempSync(join(tmpdir(), 'openpact-bench-start-'));

function family(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  const children = stdout
    .split('\n')
    .map(Number)
    .filter((child) => child > 0);
  return [pid, ...children.flatMap(family)];
}

function pssMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
}

/** Milliseconds until the answer of /ready, of an empty Node server and of us, in turns. */
async function start(
  args: readonly string[],
  port: number,
): Promise<{ ms: number; pid: number; stop: () => Promise<void> }> {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  });
  for (;;) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/ready`)).ok) break;
    } catch {
      // Not there yet.
    }
    await new Promise((wait) => setTimeout(wait, 5));
  }
  const ms = performance.now() - began;
  return {
    ms,
    pid: child.pid ?? 0,
    stop: () =>
      new Promise((done) => {
        child.once('exit', () => done());
        child.kill('SIGTERM');
      }),
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const ours: number[] = [];
const empty: number[] = [];
const server =
  "require('http').createServer((q, r) => r.end()).listen(18899, '127.0.0.1'); process.on('SIGTERM', () => process.exit())";
for (let round = 0; round < ROUNDS; round += 1) {
  const plain = await start(['-e', server], 18899);
  empty.push(plain.ms);
  await plain.stop();
  const program = await start(
    [join(ROOT, 'bin', 'openpact.js'), 'start', '--workspace', join(folder, 'ws'), '--port', '18898'],
    18898,
  );
  ours.push(program.ms);
  if (round === ROUNDS - 1) {
    await new Promise((wait) => setTimeout(wait, IDLE_MS));
    const pids = family(program.pid);
    const rows = pids.map(
      (pid) =>
        [
          readFileSync(`/proc/${pid}/cmdline`, 'utf8')
            .split('\0')
            .filter((arg) => /\.(m?js)$/.test(arg))
            .map((arg) => arg.split('/').at(-1))
            .join(' '),
          pssMiB(pid),
        ] as const,
    );
    console.log('idle memory (PSS)          MiB');
    for (const [name, mib] of rows) console.log(`  ${name.padEnd(22)} ${mib.toFixed(1).padStart(6)}`);
    console.log(
      `  ${'all'.padEnd(22)} ${rows
        .reduce((sum, [, mib]) => sum + mib, 0)
        .toFixed(1)
        .padStart(6)}   (at most 180)`,
    );
  }
  await program.stop();
}
console.log('\nstart to /ready             ms   of an empty Node server');
console.log(
  `  median of ${ROUNDS}           ${median(ours).toFixed(0).padStart(6)}   ${(median(ours) / median(empty)).toFixed(1)} times   (at most 1000)`,
);

const install = join(folder, 'install');
cpSync(join(ROOT, 'package.json'), join(install, 'package.json'));
cpSync(join(ROOT, 'package-lock.json'), join(install, 'package-lock.json'));
cpSync(join(ROOT, '.npmrc'), join(install, '.npmrc'));
const installed = spawnSync('npm', ['ci', '--omit=dev'], {
  cwd: install,
  encoding: 'utf8',
});
if (installed.status === 0) {
  const size = (path: string): number =>
    Number(spawnSync('du', ['-sm', path], { encoding: 'utf8' }).stdout.split('\t')[0]);
  const node = join(install, 'node_modules', `node-linux-${process.arch}`);
  const packages = readdirSync(join(install, 'node_modules')).filter((name) => !name.startsWith('.')).length;
  console.log(
    `\nproduction install: ${size(join(install, 'node_modules')) - size(node)} MB in ${packages} folders (at most 100), and Node itself with ${size(node)} MB`,
  );
} else {
  console.log(
    `\nproduction install: not measured, npm said: ${installed.stderr.trim().split('\n')[0] ?? ''}`,
  );
}
rmSync(folder, { recursive: true, force: true });

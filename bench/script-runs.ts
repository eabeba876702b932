/**
 * Script runs in their process, from the bundle: from the call to the first statement with a process that waits and without
 * one, and how long a good run waits behind a hundred hostile ones.
 */
import { join } from 'node:path';
import { build } from '../scripts/build.ts';
import { fixedSecrets, NO_GRANT } from '../src/guard/secrets/broker/index.ts';
import { createLauncher } from '../src/host/process/index.ts';
import {
  createScriptRunner,
  digestOf,
  type RunBroker,
  type ScriptRunner,
} from '../src/sandbox/runner/index.ts';

const DIST = join(import.meta.dirname, '..', 'dist');
const ROUNDS = 15;

await build({ quiet: true });

function open(): ScriptRunner {
  return createScriptRunner({
    launcher: createLauncher({ assets: DIST }),
    program: { node: process.execPath, entry: join(DIST, 'script-worker.mjs'), read: [] },
    isolation: { level: 0, missing: [] },
    allowUnsandboxed: true,
  });
}

/** `first` is called with the script's first question. */
function broker(first: () => void = () => undefined): RunBroker {
  return {
    secrets: fixedSecrets(new Map()),
    watcher: { notice: first },
    send: async () => ({ failed: 'connection_failed' }),
  };
}

async function toFirstStatement(runner: ScriptRunner): Promise<number> {
  const source = 'secrets.get("FIRST")';
  const began = performance.now();
  let ms = Number.NaN;
  await runner.runScript(
    { source, digest: digestOf(source), grant: NO_GRANT },
    broker(() => (ms = performance.now() - began)),
  );
  return ms;
}

async function spareReady(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 700));
}

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const row = (name: string, values: readonly number[], note: string): void => {
  const list = sorted(values);
  const at = (part: number): string =>
    (list[Math.floor((list.length - 1) * part)] ?? 0).toFixed(1).padStart(7);
  console.log(`  ${name.padEnd(24)} ${at(0.5)} ${at(0.9)}   ${note}`);
};

const runner = open();
const cold: number[] = [];
const warm: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  runner.keepSpare(false);
  cold.push(await toFirstStatement(runner));
  runner.keepSpare(true);
  await spareReady();
  warm.push(await toFirstStatement(runner));
  await spareReady();
}
await runner.close();
console.log('to the first statement      median     90 %   (ms)');
row('a process waits', warm, '(at most 15)');
row('a process is started', cold, '');

const crowded = open();
const stop = new AbortController();
let ended = 0;
const hostile = Array.from({ length: 100 }, async (_, index) => {
  const source = `for i in range(1 << 50): pass # ${index % 5}`;
  const limits = { time: 1_000, steps: 1e15 };
  await crowded.runScript(
    { source, digest: digestOf(source), grant: NO_GRANT, limits, signal: stop.signal },
    broker(),
  );
  ended += 1;
});
const good = 'result = 1';
const began = performance.now();
await crowded.runScript({ source: good, digest: digestOf(good), grant: NO_GRANT }, broker());
console.log('\na good run behind 100 hostile ones of 5 scripts, each with 1 s');
console.log(
  `  done after ${(performance.now() - began).toFixed(0)} ms as number ${ended + 1}   (among the first eight)`,
);
stop.abort();
await Promise.all(hostile);
await crowded.close();

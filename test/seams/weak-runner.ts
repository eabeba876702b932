/** The runner of scripts with single controls left out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, type ScriptRunner } from '../../src/sandbox/runner/index.ts';

export interface RunnerControls {
  /** Off: of a script what stands in the folder runs, in the place of what is stored. */
  readonly bytes: boolean;
  /** Off: the text is not compared with the digest. */
  readonly digest: boolean;
  /** Off: nothing ends a run but itself. */
  readonly stop: boolean;
}

export function weakRunner(runner: ScriptRunner, on: RunnerControls): ScriptRunner {
  if (on.bytes && on.digest && on.stop) return runner;
  const at = process.argv.indexOf('--workspace');
  const folder = join(process.argv[at + 1] ?? '', 'ai-data', 'scripts');
  const runScript: ScriptRunner['runScript'] = (run, broker) => {
    const named = run.name !== undefined && run.name !== 'exec.star';
    const source = on.bytes || !named ? run.source : readFileSync(join(folder, run.name ?? ''), 'utf8');
    const { signal, ...rest } = run;
    return runner.runScript(
      {
        ...rest,
        source,
        digest: on.digest ? run.digest : digestOf(source),
        ...(on.stop ? { signal } : {}),
      },
      broker,
    );
  };
  return Object.create(runner, { runScript: { value: runScript } }) as ScriptRunner;
}

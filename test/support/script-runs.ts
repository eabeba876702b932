/** Script runs in real processes, from source, with hosts that are functions. */
import { join, resolve } from 'node:path';
import { createLauncher, type Launcher } from '../../src/host/process/index.ts';
import {
  fixedSecrets,
  parseGrant,
  type BrokerNotice,
  type OutgoingRequest,
  type RequestRecord,
  type SendResult,
} from '../../src/guard/secrets/broker/index.ts';
import { layoutOf } from '../../src/compose/layout.ts';
import {
  createScriptRunner,
  digestOf,
  type RunBroker,
  type RunnerDeps,
  type RunOutcome,
  type ScriptRun,
  type ScriptRunner,
} from '../../src/sandbox/runner/index.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
export const WORKER = layoutOf(join(ROOT, 'src'), 'test').scriptWorker;

const runners: ScriptRunner[] = [];

/** Behind the fences of this machine, or without where it has none. */
export function openRunner(more: Partial<RunnerDeps> = {}): ScriptRunner {
  const runner = createScriptRunner({
    launcher: createLauncher(),
    program: WORKER,
    isolation: { level: 2, missing: [] },
    allowUnsandboxed: true,
    ...more,
  });
  runners.push(runner);
  return runner;
}

/** After each test. */
export async function closeRunners(): Promise<void> {
  await Promise.all(runners.splice(0).map((runner) => runner.close()));
}

export interface Around {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly grant?: unknown;
  readonly hosts?: (request: OutgoingRequest, signal: AbortSignal) => SendResult | Promise<SendResult>;
}

export interface Observed {
  readonly broker: RunBroker;
  readonly notices: BrokerNotice[];
  readonly records: RequestRecord[];
  readonly sent: OutgoingRequest[];
}

export function observe(around: Around = {}): Observed {
  const notices: BrokerNotice[] = [];
  const records: RequestRecord[] = [];
  const sent: OutgoingRequest[] = [];
  const broker: RunBroker = {
    secrets: fixedSecrets(new Map(Object.entries(around.secrets ?? {}))),
    watcher: { notice: (notice) => notices.push(notice), request: (record) => records.push(record) },
    send: async (request, signal) => {
      sent.push(request);
      return around.hosts?.(request, signal) ?? { failed: 'connection_failed' };
    },
  };
  return { broker, notices, records, sent };
}

export type RunMore = Partial<Omit<ScriptRun, 'source' | 'digest' | 'grant'>>;

export function run(
  runner: ScriptRunner,
  source: string,
  around: Around & { readonly observed?: Observed } = {},
  more: RunMore = {},
): Promise<RunOutcome> {
  const grant = parseGrant(around.grant ?? {});
  return runner.runScript(
    { source, digest: digestOf(source), grant, ...more },
    (around.observed ?? observe(around)).broker,
  );
}

/** Every process that this launcher started. */
export function watchedLauncher(inner: Launcher = createLauncher()): { launcher: Launcher; pids: number[] } {
  const pids: number[] = [];
  return {
    pids,
    launcher: {
      async launch(order) {
        const child = await inner.launch(order);
        pids.push(child.pid);
        return child;
      },
    },
  };
}

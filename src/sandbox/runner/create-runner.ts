// Guarantees: a script runs in a process of its own behind every fence of this machine, which is used for that one run and
// is gone before the outcome is told. Nothing runs where a fence is missing, unless the owner said so. One process waits
// ahead while that is switched on; it knows nothing of any script.
// Does not: decide what may run (approvals), or hold secrets longer than the broker needs them.
// An attacker may control: the script, its arguments, its process.
import { AppError } from '../../core/index.ts';
import { createScriptBroker } from '../../guard/secrets/broker/index.ts';
import { stringifyExact } from '../wire/index.ts';
import type { Child, IsolationReport, Launcher, Limits, UserIds } from '../../host/process/index.ts';
import { digestOf } from './digest.ts';
import { createFairQueue } from './fair-queue.ts';
import { limitsOf, QUEUE_LIMITS, RUN_LIMITS, type QueueLimits, type RunLimits } from './limits.ts';
import { readyLine } from './ready-line.ts';
import { runError, type RunErrorCode } from './run-errors.ts';
import { talk } from './talk.ts';
import type { RunOutcome, ScriptRunner } from './types.ts';
import { workerOrder, type WorkerProgram } from './worker-order.ts';

export interface RunnerDeps {
  readonly launcher: Launcher;
  readonly program: WorkerProgram;
  /** What this machine enforces. */
  readonly isolation: Pick<IsolationReport, 'level' | 'missing'>;
  /** `security.allow_unsandboxed`. */
  readonly allowUnsandboxed: boolean;
  /** The user of scripts, where the launcher can start processes of other users. */
  readonly user?: UserIds | undefined;
  readonly queue?: Partial<QueueLimits> | undefined;
  readonly processLimits?: Limits | undefined;
  /** The product's own, unless an attack test leaves a control of it out. */
  readonly openBroker?: typeof createScriptBroker | undefined;
}

/** The lowest isolation level with Landlock and seccomp. */
const FENCED_LEVEL = 2;

export function createScriptRunner(deps: RunnerDeps): ScriptRunner {
  const openBroker = deps.openBroker ?? createScriptBroker;
  const queue = createFairQueue({ ...QUEUE_LIMITS, ...deps.queue });
  const closing = new AbortController();
  const runs = new Set<Promise<unknown>>();
  const place = {
    program: deps.program,
    user: deps.user,
    allowUnfenced: deps.allowUnsandboxed,
    processLimits: deps.processLimits,
  };
  let wantSpare = false;
  let spare: Promise<Child> | undefined;

  const launch = async (timeMs: number): Promise<Child> => {
    const child = await deps.launcher.launch(workerOrder(place, timeMs));
    // The launcher saw the first byte; the rest of that line is there with it.
    await readyLine(child);
    return child;
  };

  function requireFences(): void {
    if (deps.isolation.level >= FENCED_LEVEL || deps.allowUnsandboxed) return;
    const missing = deps.isolation.missing.map(({ what, fix }) => `${what}. ${fix}`);
    throw new AppError({
      family: 'config',
      code: 'scripts_unfenced',
      message: `Scripts don't run at isolation level ${deps.isolation.level}. Not in force: ${missing.join(' ')}`,
      fix: 'Put up what is missing, or set security.allow_unsandboxed: true to run scripts without it.',
    });
  }

  function fillSpare(): void {
    if (!wantSpare || spare !== undefined || closing.signal.aborted) return;
    if (deps.isolation.level < FENCED_LEVEL && !deps.allowUnsandboxed) return;
    const coming = launch(RUN_LIMITS.time);
    spare = coming;
    const gone = (): void => {
      if (spare === coming) spare = undefined;
    };
    // Whoever needs a process next starts one, and hears what is wrong.
    coming.then((child) => child.exited.then(gone), gone);
  }

  /** The waiting process or a new one. */
  async function take(limits: RunLimits, signal: AbortSignal): Promise<Child | undefined> {
    const waiting = limits.time <= RUN_LIMITS.time ? spare : undefined;
    if (waiting !== undefined) spare = undefined;
    const coming = waiting?.catch(() => launch(limits.time)) ?? launch(limits.time);
    const aborted = Promise.withResolvers<undefined>();
    const stop = (): void => aborted.resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const child = await Promise.race([coming, aborted.promise]);
      if (child === undefined) runs.add(forget(coming));
      return child;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** A process that nobody wants any more. */
  function forget(coming: Promise<Child>): Promise<unknown> {
    const done: Promise<unknown> = coming
      .then(
        (child) => child.kill(),
        () => undefined,
      )
      .finally(() => runs.delete(done));
    return done;
  }

  const runScript: ScriptRunner['runScript'] = async (run, broker) => {
    requireFences();
    const limits = limitsOf(run.limits);
    if (digestOf(run.source) !== run.digest) throw new TypeError('the source is not of its digest');
    const signal = AbortSignal.any([closing.signal, ...(run.signal === undefined ? [] : [run.signal])]);
    const entered = performance.now();
    const refused = (code: RunErrorCode): RunOutcome => ({
      value: null,
      error: runError(code),
      logs: [],
      claimed: null,
      durationMs: 0,
      queuedMs: performance.now() - entered,
      fence: null,
    });
    if (run.source.length > limits.source) return refused('source_limit');
    if (stringifyExact([run.args ?? [], run.kwargs ?? {}]).length > limits.args) return refused('args_limit');
    const turn = await queue.enter({ lane: run.lane ?? '', script: run.digest, signal });
    if (turn === 'full') return refused('queue_full');
    if (turn === 'cancelled') return refused('cancelled');
    try {
      const child = await take(limits, signal);
      fillSpare();
      if (child === undefined) return refused('cancelled');
      const queuedMs = performance.now() - entered;
      const talked = await talk({ child, run, limits, broker, openBroker, signal });
      return { ...talked, queuedMs, fence: child.fence };
    } finally {
      turn.leave();
    }
  };

  return {
    runScript(run, broker) {
      const outcome = runScript(run, broker);
      const tracked = outcome.catch(() => undefined).finally(() => runs.delete(tracked));
      runs.add(tracked);
      return outcome;
    },
    keepSpare(on) {
      wantSpare = on;
      if (on) fillSpare();
      else if (spare !== undefined) {
        runs.add(forget(spare));
        spare = undefined;
      }
    },
    get status() {
      return { running: queue.running, waiting: queue.waiting, spare: spare !== undefined };
    },
    async close() {
      wantSpare = false;
      closing.abort();
      if (spare !== undefined) runs.add(forget(spare));
      spare = undefined;
      while (runs.size > 0) await Promise.all(runs);
    },
  };
}

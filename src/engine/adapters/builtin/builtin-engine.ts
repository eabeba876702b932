import { errorText, type Log } from '../../../core/index.ts';
import type { EngineAdapter, EngineOutcome, EngineState, EngineTurn } from '../../adapter.ts';
import { agentOrder } from './agent-order.ts';
import { AgentProcess, type AgentProcessDeps } from './agent-process.ts';
import { unavailable } from './failures.ts';
import { defaultTiming, type BuiltinEngineDeps, type EngineTiming } from './options.ts';

const DEFAULT_PROCESSES = 4;
/** After so many failures in a row we say so. */
const FAILING_AFTER = 3;
/** A turn waits so long for the next try to start a process; beyond that it is told to come back. */
const PATIENCE_MS = 5_000;
const MOST_DETAIL_CHARACTERS = 300;

/** The built-in engine: a few processes of our own agent, one turn in each at a time. */
export function createBuiltinEngine(deps: BuiltinEngineDeps): EngineAdapter {
  return new BuiltinEngine(deps);
}

interface Waiter {
  give(process: AgentProcess): void;
  refuse(outcome: EngineOutcome): void;
}

class BuiltinEngine implements EngineAdapter {
  readonly #deps: BuiltinEngineDeps;
  readonly #log: Log;
  readonly #timing: EngineTiming;
  readonly #most: number;
  readonly #idle: AgentProcess[] = [];
  readonly #busy = new Set<AgentProcess>();
  /** Every process that is not gone yet, those that were killed included, and every launch under way. */
  readonly #processes = new Set<AgentProcess>();
  readonly #launches = new Set<Promise<void>>();
  readonly #waiting: Waiter[] = [];
  readonly #settled = Promise.withResolvers<void>();
  #starting = 0;
  #launchFailures = 0;
  #crashes = 0;
  #notBefore = 0;
  #retry: NodeJS.Timeout | undefined;
  #detail: string | null = null;
  #begun = false;
  #stopped = false;

  constructor(deps: BuiltinEngineDeps) {
    this.#deps = deps;
    this.#log = deps.log;
    this.#timing = { ...defaultTiming, ...deps.timing };
    this.#most = deps.maxProcesses ?? DEFAULT_PROCESSES;
    if (!Number.isInteger(this.#most) || this.#most < 1)
      throw new RangeError('maxProcesses must be 1 or more');
  }

  async start(): Promise<void> {
    this.#begun = true;
    this.#fill();
    await this.#settled.promise;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#settled.resolve();
    for (const waiter of this.#waiting.splice(0)) waiter.refuse({ kind: 'stopped' });
    this.#idle.length = 0;
    await Promise.all([...this.#launches, ...[...this.#processes].map((process) => process.kill())]);
  }

  state(): EngineState {
    const pids = [...this.#processes].filter(({ alive }) => alive).map(({ pid }) => pid);
    if (this.#stopped || !this.#begun) return { state: 'stopped', detail: null, pids };
    if (this.#launchFailures >= FAILING_AFTER || this.#crashes >= FAILING_AFTER) {
      return { state: 'failing', detail: this.#detail, pids };
    }
    return { state: pids.length > 0 ? 'ready' : 'starting', detail: null, pids };
  }

  async runTurn(turn: EngineTurn): Promise<EngineOutcome> {
    const got = await this.#acquire(turn.signal);
    if (!(got instanceof AgentProcess)) return got;
    const { outcome, failure } = await got.run(turn);
    this.#busy.delete(got);
    if (failure !== undefined) this.#crashed(failure);
    else if (outcome.kind !== 'stopped' || got.alive) this.#crashes = 0;
    this.#release(got);
    return outcome;
  }

  #acquire(signal: AbortSignal): Promise<AgentProcess | EngineOutcome> {
    if (signal.aborted || this.#stopped) return Promise.resolve({ kind: 'stopped' });
    const { promise, resolve } = Promise.withResolvers<AgentProcess | EngineOutcome>();
    const waiter: Waiter = {
      give: (process) => {
        signal.removeEventListener('abort', onAbort);
        this.#busy.add(process);
        resolve(process);
      },
      refuse: (outcome) => {
        signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      },
    };
    const onAbort = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      resolve({ kind: 'stopped' });
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(waiter);
    this.#serve();
    return promise;
  }

  /** Gives idle processes to those who wait, in the order they came, and starts more where it helps. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const process = this.#idle.pop();
      if (process === undefined) break;
      if (process.alive) this.#waiting.shift()?.give(process);
    }
    this.#fill();
  }

  #release(process: AgentProcess): void {
    if (process.alive && !this.#stopped && process.turns < this.#timing.turnsPerProcess) this.#rest(process);
    else void process.kill();
    this.#serve();
  }

  #rest(process: AgentProcess): void {
    this.#idle.push(process);
    setTimeout(() => this.#endExtra(process), this.#timing.idleMs).unref();
  }

  /** One idle process stays warm; others end when nobody needed them for a while. */
  #endExtra(process: AgentProcess): void {
    const at = this.#idle.indexOf(process);
    if (at === -1 || this.#idle.length < 2) return;
    this.#idle.splice(at, 1);
    void process.kill();
  }

  #fill(): void {
    if (this.#stopped || !this.#begun) return;
    const running = this.#idle.length + this.#busy.size + this.#starting;
    const wanted = Math.max(
      1 - running,
      Math.min(this.#waiting.length - this.#starting, this.#most - running),
    );
    if (wanted <= 0) return;
    const pause = this.#notBefore - this.#deps.clock.monotonic();
    if (pause > 0) {
      this.#refuseWhile(pause);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#fill(), pause);
      return;
    }
    for (let i = 0; i < wanted; i += 1) {
      this.#starting += 1;
      const launch = this.#launch().finally(() => this.#launches.delete(launch));
      this.#launches.add(launch);
    }
  }

  #refuseWhile(pause: number): void {
    if (this.#busy.size > 0) return; // one of these will be free
    if (this.#launchFailures < FAILING_AFTER && pause <= PATIENCE_MS) return;
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(unavailable());
  }

  async #launch(): Promise<void> {
    try {
      const process = await AgentProcess.start(this.#processDeps());
      this.#starting -= 1;
      if (this.#stopped) return await process.kill();
      this.#launchFailures = 0;
      this.#processes.add(process);
      void this.#watch(process);
      this.#rest(process);
      this.#settled.resolve();
    } catch (error) {
      this.#starting -= 1;
      this.#launchFailures += 1;
      this.#detail = errorText(error).replaceAll(/\s+/g, ' ').slice(0, MOST_DETAIL_CHARACTERS);
      this.#log.error('The agent could not be started.', {
        error: errorText(error),
        failures: this.#launchFailures,
      });
      if (this.#launchFailures >= FAILING_AFTER) this.#settled.resolve();
      this.#pause(this.#launchFailures);
    }
    this.#serve();
  }

  #processDeps(): AgentProcessDeps {
    const { launcher, handlers, log, clock } = this.#deps;
    return {
      launcher,
      order: agentOrder(this.#deps, this.#timing.startMs),
      handlers,
      log,
      clock,
      timing: this.#timing,
    };
  }

  /** A process that ends while nobody uses it is replaced. */
  async #watch(process: AgentProcess): Promise<void> {
    await process.exited;
    this.#processes.delete(process);
    const at = this.#idle.indexOf(process);
    if (at === -1) return; // `runTurn` deals with it, or we ended it
    this.#idle.splice(at, 1);
    this.#crashed('crashed');
    this.#serve();
  }

  #crashed(failure: string): void {
    this.#crashes += 1;
    this.#detail = `the last ${this.#crashes} turns or processes ended badly (${failure}).`;
    this.#pause(this.#crashes);
  }

  /** Exponential, with jitter: half to all of the pause. */
  #pause(failures: number): void {
    const { backoffMs, maxBackoffMs } = this.#timing;
    const full = Math.min(maxBackoffMs, backoffMs * 2 ** (failures - 1));
    this.#notBefore = this.#deps.clock.monotonic() + full * (0.5 + Math.random() / 2);
  }
}

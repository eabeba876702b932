// Guarantees: one turn at a time; a process that says what no honest agent says, floods, hangs or doesn't stop within the
// grace is killed, and `run` resolves in each case; the requests of a turn end with the turn.
// Does not: keep the process from spending its processor time while it runs (the launcher's limits), or restart it (pool).
// An attacker may control: everything that comes out of the process, and when.
import type { Duplex } from 'node:stream';

import type { Clock, Log } from '../../../core/index.ts';
import type { Child, Launcher, LaunchOrder } from '../../../host/process/types.ts';
import type { EngineHandlers, EngineOutcome, EngineTurn } from '../../adapter.ts';
import { failureOutcome, type Failure } from './failures.ts';
import { parseAgentFrame, type AgentFrame, type FrameToAgent } from './frames.ts';
import { readLines } from './line-reader.ts';
import type { EngineTiming } from './options.ts';
import { createTurnRequests, type TurnRequests } from './turn-requests.ts';

const MIB = 1024 * 1024;
const LINES = {
  lineBytes: 9 * MIB,
  linesPerSecond: 1000,
  burst: 2000,
  bytesPerSecond: 16 * MIB,
  burstBytes: 64 * MIB,
};

export interface AgentProcessDeps {
  readonly launcher: Launcher;
  readonly order: LaunchOrder;
  readonly handlers: EngineHandlers;
  readonly log: Log;
  readonly clock: Clock;
  readonly timing: EngineTiming;
}

export interface TurnEnd {
  readonly outcome: EngineOutcome;
  /** Undefined when the process may run another turn or was ended by us on purpose. */
  readonly failure?: Failure;
}

interface Running {
  readonly turn: EngineTurn;
  readonly requests: TurnRequests;
  readonly end: (end: TurnEnd) => void;
}

/** One process of the agent, from its launch to its end. */
export class AgentProcess {
  readonly #child: Child;
  readonly #deps: AgentProcessDeps;
  readonly #lines: { stop(): void };
  readonly #ready = Promise.withResolvers<void>();
  #running: Running | undefined;
  #failure: Failure | undefined;
  #alive = true;
  #turns = 0;
  #beat = 0;
  #heard = 0;

  /** Resolves when the process says that it is ready. Rejects when it can't be started. */
  static async start(deps: AgentProcessDeps): Promise<AgentProcess> {
    const process = new AgentProcess(await deps.launcher.launch(deps.order), deps);
    const timer = setTimeout(
      () => process.#ready.reject(new Error('it said nothing in time')),
      deps.timing.startMs,
    );
    try {
      await process.#ready.promise;
      return process;
    } catch (error) {
      await process.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private constructor(child: Child, deps: AgentProcessDeps) {
    this.#child = child;
    this.#deps = deps;
    const input = this.#input;
    const output = child.fds[1];
    if (output === undefined) throw new Error('the launcher gave too few pipes');
    // A pipe whose other end is gone says so here; the end of the process is told by `exited`.
    input.on('error', () => undefined);
    output.on('error', () => undefined);
    this.#ready.promise.catch(() => undefined); // heard by `start`, unless it has thrown before
    this.#lines = readLines(output, deps.clock, LINES, {
      line: (text) => this.#line(text),
      offence: (kind) => this.#offend(kind),
    });
    void this.#watchExit();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Turns that it has run. */
  get turns(): number {
    return this.#turns;
  }

  /** Resolves when the process is gone. */
  get exited(): Promise<unknown> {
    return this.#child.exited;
  }

  /** Ends the process now. */
  async kill(): Promise<void> {
    this.#alive = false;
    this.#lines.stop();
    await this.#child.kill();
  }

  /** Runs one turn. Never rejects, and resolves within a second of an abort. */
  async run(turn: EngineTurn): Promise<TurnEnd> {
    if (this.#running !== undefined) throw new Error('a process runs one turn at a time');
    const { promise, resolve } = Promise.withResolvers<TurnEnd>();
    const requests = createTurnRequests(
      turn.turnId,
      this.#deps.handlers,
      { send: (frame) => this.#send(frame), drained: () => drained(this.#input) },
      this.#deps.log,
    );
    this.#turns += 1;
    this.#heard = this.#beat;
    this.#running = { turn, requests, end: resolve };
    let grace: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      requests.close();
      this.#send({ t: 'abort', turn: turn.turnId });
      grace = setTimeout(() => {
        void this.kill();
        resolve({ outcome: { kind: 'stopped' } });
      }, this.#deps.timing.graceMs);
    };
    const heart = setInterval(() => this.#askForLife(), this.#deps.timing.beatMs);
    if (turn.signal.aborted) onAbort();
    else turn.signal.addEventListener('abort', onAbort, { once: true });
    if (this.#alive) this.#send(turnFrame(turn));
    else resolve({ outcome: failureOutcome('crashed'), failure: 'crashed' });
    try {
      const end = await promise;
      return turn.signal.aborted ? { ...end, outcome: { kind: 'stopped' } } : end;
    } finally {
      this.#running = undefined;
      requests.close();
      clearInterval(heart);
      clearTimeout(grace);
      turn.signal.removeEventListener('abort', onAbort);
    }
  }

  #send(frame: FrameToAgent): void {
    if (this.#alive) this.#input.write(`${JSON.stringify(frame)}\n`);
  }

  get #input(): Duplex {
    const input = this.#child.fds[0];
    if (input === undefined) throw new Error('the launcher gave too few pipes');
    return input;
  }

  #line(text: string): void {
    const frame = parseAgentFrame(text);
    if (frame === undefined || !this.#obey(frame))
      this.#offend(frame === undefined ? 'unknown_frame' : frame.t);
  }

  /** False: an honest agent would not have said this now. */
  #obey(frame: AgentFrame): boolean {
    switch (frame.t) {
      case 'ready':
        this.#ready.resolve();
        return this.#turns === 0;
      case 'pong':
        if (frame.n > this.#beat || frame.n <= this.#heard) return false;
        this.#heard = frame.n;
        return true;
      case 'request':
        // After an abort a request may cross our word on its way.
        if (this.#running?.turn.signal.aborted === true) return frame.turn === this.#running.turn.turnId;
        return this.#running?.requests.begin(frame) ?? false;
      case 'cancel':
        this.#running?.requests.cancel(frame.req);
        return this.#running !== undefined;
      case 'ack':
        return this.#running?.requests.acknowledge(frame.req, frame.n) ?? false;
      case 'done': {
        if (this.#running?.turn.turnId !== frame.turn) return false;
        this.#running.end({ outcome: frame.outcome });
        return true;
      }
    }
  }

  #offend(what: string): void {
    this.#deps.log.warn('The agent broke the rules of its pipes and was ended.', { pid: this.pid, what });
    this.#fail('protocol');
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#ready.reject(new Error(`it broke the rules of its pipes (${failure})`));
    void this.kill();
    this.#running?.end({ outcome: failureOutcome(failure), failure });
  }

  #askForLife(): void {
    if (this.#beat - this.#heard >= this.#deps.timing.missedBeats) {
      this.#deps.log.warn('The agent gave no sign of life and was ended.', { pid: this.pid });
      this.#fail('hung');
      return;
    }
    this.#beat += 1;
    this.#send({ t: 'ping', n: this.#beat });
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#child.exited;
    const killed = !this.#alive;
    this.#alive = false;
    this.#lines.stop();
    this.#input.destroy();
    const memory = this.#child.stderr.tail().some((line) => line.includes('heap out of memory'));
    if (!killed) this.#failure ??= memory ? 'memory' : 'crashed';
    const facts = { pid: this.pid, code: exit.code, signal: exit.signal, reason: exit.reason };
    if (this.#failure === undefined) this.#deps.log.debug('The agent ended.', facts);
    else this.#deps.log.warn('The agent ended unexpectedly.', { ...facts, failure: this.#failure });
    this.#ready.reject(new Error(`it ended at once (${exit.reason}, code ${exit.code ?? exit.signal})`));
    this.#running?.end(
      this.#failure === undefined
        ? { outcome: { kind: 'stopped' } }
        : { outcome: failureOutcome(this.#failure), failure: this.#failure },
    );
  }
}

function turnFrame(turn: EngineTurn): FrameToAgent {
  const { turnId, capability, model, wire, system, history, tools, maxSteps } = turn;
  return { t: 'turn', turn: turnId, capability, model, wire, system, history, tools, maxSteps };
}

/** Resolves once the pipe takes more, or is closed: then nobody waits for what would be written. */
function drained(pipe: Duplex): Promise<void> {
  if (!pipe.writableNeedDrain || pipe.destroyed) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    pipe.off('drain', done);
    pipe.off('close', done);
    resolve();
  };
  pipe.on('drain', done);
  pipe.on('close', done);
  return promise;
}

// Guarantees: one order, one outcome, and a process that is gone when the promise resolves. Each question is answered by the
// broker of this run alone; what is not of the protocol, too large or too late ends the run. Time is measured here.
// Does not: judge requests (the broker), or fence the process (the launcher).
// An attacker may control: every byte that the process says, when it says it, and when it ends.
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { createScriptBroker, ScriptBroker } from '../../guard/secrets/broker/index.ts';
import type { Child } from '../../host/process/index.ts';
import { stringifyExact, type RunOrder } from '../wire/index.ts';
import { createFrameReader } from './frame-reader.ts';
import { scriptLimits, type RunLimits } from './limits.ts';
import { longestOutcome, readOutcome, type ClaimedOutcome } from './read-outcome.ts';
import { errorOfExit, runError, type RunErrorCode } from './run-errors.ts';
import { isShallow } from '../../core/index.ts';
import type { RunBroker, RunError, ScriptRun } from './types.ts';

/** Brackets in a question: ropes in ropes. */
const QUESTION_DEPTH = 24;
/** UTF-16 units of an answer that are written at once. */
const PIECE = 256 * 1024;

export interface TalkInput {
  /** Has said that it is ready, and has had no order. */
  readonly child: Child;
  readonly run: ScriptRun;
  readonly limits: RunLimits;
  readonly broker: RunBroker;
  readonly openBroker: typeof createScriptBroker;
  readonly signal: AbortSignal;
}

export interface Talked extends ClaimedOutcome {
  readonly durationMs: number;
}

export async function talk({ child, run, limits, broker, openBroker, signal }: TalkInput): Promise<Talked> {
  const [toChild, fromChild] = child.fds;
  if (toChild === undefined || fromChild === undefined) throw new TypeError('the process has no pipes');
  const began = performance.now();
  const ended = new AbortController();
  const scriptBroker: ScriptBroker = openBroker({
    grant: run.grant,
    secrets: broker.secrets,
    watcher: broker.watcher,
    remainingMs: () => Math.max(0, Math.floor(limits.time - (performance.now() - began))),
    over: () => ended.signal.aborted,
    limits: {
      requests: limits.requests,
      responseBytes: limits.responseBytes,
      totalBytes: limits.totalBytes,
      timeoutMs: limits.timeoutMs,
    },
  });
  const reader = createFrameReader(longestOutcome(limits));
  const done = Promise.withResolvers<ClaimedOutcome>();
  const failed = (error: RunError): void => done.resolve({ value: null, error, logs: [], claimed: null });
  const fail = (code: RunErrorCode): void => failed(runError(code));
  let answering = false;

  async function answer(line: string): Promise<void> {
    answering = true;
    const reply = isShallow(line, QUESTION_DEPTH)
      ? await scriptBroker.handle(line, (request) => broker.send(request, ended.signal))
      : await scriptBroker.handle('', never);
    if (ended.signal.aborted) return;
    const { stopped } = scriptBroker;
    if (stopped !== undefined) {
      failed(runError(stopped, refusalIn(reply)));
      return;
    }
    for (const [index, piece] of [...piecesOf(`${reply}\n`)].entries()) {
      if (index > 0) await othersTurn();
      if (ended.signal.aborted) return;
      toChild?.write(piece);
    }
    // The process has nothing to say before it has heard the end of the line.
    answering = false;
  }

  function heard(chunk: Buffer): void {
    if (ended.signal.aborted) return;
    const frame = answering ? { kind: 'violation' as const } : reader.push(chunk);
    switch (frame?.kind) {
      case undefined:
        return;
      case 'question':
        // A fault of the broker ends the run; it is ours, and is thrown to the caller.
        answer(frame.line).catch(done.reject);
        return;
      case 'outcome': {
        const outcome = readOutcome(frame.line, limits);
        if (outcome !== undefined) done.resolve(outcome);
        else violate();
        return;
      }
      default:
        violate();
    }
  }

  function violate(): void {
    broker.watcher.notice({ event: 'protocol_violation' });
    fail('protocol_violation');
  }

  const timer = setTimeout(() => fail('time_limit'), limits.time);
  const cancel = (): void => fail('cancelled');
  signal.addEventListener('abort', cancel, { once: true });
  fromChild.on('data', heard).resume();
  // The last words of a process may still be in the pipe when it is gone.
  const pipeClosed = new Promise<void>((resolve) => {
    if (fromChild.destroyed) resolve();
    else fromChild.once('close', resolve);
  });
  void Promise.all([child.exited, pipeClosed]).then(([exit]) => failed(errorOfExit(exit)));
  if (signal.aborted) cancel();
  else toChild.write(`${stringifyExact(orderOf(run, limits))}\n`);
  try {
    return { ...(await done.promise), durationMs: performance.now() - began };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    ended.abort();
    // One process, one run. What it still says is not read.
    fromChild.off('data', heard).resume();
    await child.kill();
  }
}

/** A long line would be encoded in one go. */
function* piecesOf(line: string): Generator<string> {
  for (let at = 0; at < line.length;) {
    // Never between the two halves of a character: each piece is encoded on its own.
    const whole = (line.charCodeAt(at + PIECE - 1) & 0xfc00) === 0xd800;
    const end = at + PIECE + (whole ? 1 : 0);
    yield line.slice(at, end);
    at = end;
  }
}

const never = (): Promise<never> => Promise.reject(new Error('nothing is sent for what is no question'));

function orderOf(run: ScriptRun, limits: RunLimits): RunOrder {
  return {
    name: run.name ?? 'script.star',
    source: run.source,
    entry: run.entry,
    args: run.args,
    kwargs: run.kwargs,
    now: run.now ?? Date.now(),
    limits: { ...scriptLimits(limits) },
  };
}

/** What the broker said when it stopped the run. */
function refusalIn(reply: string): string {
  const { refused } = JSON.parse(reply) as { readonly refused: { readonly message: string } };
  return refused.message;
}

// Guarantees: one capability per run of a turn for the model and the tools, dead when the run ends; steps and calls are
// counted here for the whole turn, on the trusted side; what the model said is recorded from the gateway, never from the
// engine. A turn goes on with another model at most once, and only when the gateway saw its upstream fail.
// An attacker may control: everything that the engine sends, and everything that the model says.
import {
  newToken,
  type AnyTool,
  type Clock,
  type JsonObject,
  type Principal,
  type ToolDefinition,
} from '../core/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import { SHUTDOWN } from '../guard/approvals/index.ts';
import type { CallAnswer, CallTurn, Gate } from '../guard/gate/index.ts';
import type { ToolCallStore, Transactions, TurnRow, TurnStore } from '../host/storage/index.ts';
import type { EventLog } from './event-log.ts';
import type { Fallback, ModelName } from './fallback.ts';
import { capped, resultText } from './history.ts';
import { createPartPump, type PartPump } from './part-pump.ts';
import { recordCalls, type SeenCall } from './seen-calls.ts';
import { createTurnClock, type TurnClock } from './turn-clock.ts';

/** What the gateway tells of a step; the same words as its port. */
interface StepEnd {
  readonly outcome: 'ok' | 'failed' | 'stopped';
  readonly finishReason: string | null;
  readonly usage: {
    readonly input: number | null;
    readonly output: number | null;
    readonly cached: number | null;
  };
  readonly costUsd: number | null;
  readonly error?: { readonly code: string; readonly message: string; readonly unavailable?: boolean };
  readonly note?: { readonly code: string; readonly message: string };
}

export interface TurnLimits {
  readonly maxSteps: number;
  /** Milliseconds of the turn's own time. */
  readonly timeoutMs: number;
  /** Calls that the gate refused before they counted as calls; a well-behaved engine makes none. */
  readonly maxRefusals: number;
}

export interface RuntimeDeps {
  readonly turns: TurnStore;
  readonly calls: ToolCallStore;
  readonly database: Transactions;
  readonly log: EventLog;
  readonly gate: Gate;
  readonly audit: Audit;
  readonly tools: readonly AnyTool[];
  readonly clock: Clock;
  readonly limits: TurnLimits;
  /** Told when the turn begins or ends to wait for a person. */
  readonly onWaiting: (waiting: boolean) => void;
  /** What the owner wants to go on with instead of this model; undefined: nothing. */
  readonly fallback: (current: ModelName) => Fallback | undefined;
}

/** `user`: a person stopped it. `timeout`: its clock. `failed`: a problem. `shutdown`: the program ends; `parked`: too many wait; requests stay. */
export type AbortCause = 'user' | 'timeout' | 'failed' | 'shutdown' | 'parked';

export interface TurnProblem {
  readonly code: string;
  readonly message: string;
}

/** Why a run of the turn is over before the turn is: its model could not be had. */
export interface Departure {
  readonly to: ModelName;
  readonly problem: TurnProblem;
}

/** A running turn with the model of one run, as the gateway, the tools and the turn manager see it. */
export interface TurnRuntime extends CallTurn {
  readonly row: TurnRow;
  /** Of the turn; `signal` is of the run, and aborts with it. */
  readonly turnSignal: AbortSignal;
  readonly capability: string;
  readonly provider: string;
  readonly model: string;
  readonly tools: readonly ToolDefinition[];
  beginStep(): { ok: true; step: number } | { ok: false; code: string; message: string };
  text(step: number, part: 'text' | 'thinking', fullText: string): void;
  partEnd(step: number, part: 'text' | 'thinking', fullText: string): void;
  toolCalls(step: number, calls: readonly SeenCall[]): void;
  stepEnd(step: number, end: StepEnd): void;
  refused(code: string, message: string): void;
  /** A tool call that came over MCP. */
  callTool(call: { callId: string | undefined; name: string; arguments: JsonObject }): Promise<CallAnswer>;
  /** A tool that does not exist was asked for over MCP; no call of the model's is one. */
  unknownTool(name: string): void;
  /** The best explanation of what went wrong, if anything did. */
  problem(): TurnProblem | undefined;
  /** Undefined as long as this run may go on. Set by the gateway's word alone. */
  departure(): Departure | undefined;
  /** The same turn with another model: a new capability, the same counts. The run before must have departed. */
  goOn(to: ModelName): TurnRuntime;
  /** Resolves when no tool call runs any more, at the latest after `ms`. */
  callsSettled(ms: number): Promise<void>;
  /** Ends the turn's work. */
  abort(why: AbortCause, problem?: TurnProblem): void;
  readonly abortedBy: () => AbortCause | undefined;
  /** Undefined when no model has said anything of it. */
  usage(): { input: number; output: number; costUsd: number | null; context: number | null } | undefined;
  /** Resolves when no call to the model is open any more, at the latest after `ms`. */
  settled(ms: number): Promise<void>;
  /** Kills the capability and the clock; what comes afterwards is not recorded. */
  dispose(): void;
}

export function createTurnRuntime(row: TurnRow, deps: RuntimeDeps): TurnRuntime {
  const { turns, database, log, gate, audit, clock, limits } = deps;
  const controller = new AbortController();
  const principal: Principal = { kind: 'assistant', turnId: row.id, conversationId: row.conversation_id };
  const words = new Map<number, string>();
  let step = 0;
  let refusals = 0;
  let waiting = 0;
  let problem: TurnProblem | undefined;
  let abortedBy: AbortCause | undefined;
  let counted = false;
  let usage = { input: 0, output: 0, costUsd: 0 as number | null, context: null as number | null };

  const abort: TurnRuntime['abort'] = (why, reason) => {
    if (abortedBy !== undefined) return;
    abortedBy = why;
    if (reason) problem = reason;
    controller.abort(why === 'shutdown' || why === 'parked' ? SHUTDOWN : undefined);
  };
  const turnClock: TurnClock = createTurnClock(clock, limits.timeoutMs, () =>
    abort('timeout', {
      code: 'turn_timeout',
      message: `The turn took longer than ${Math.round(limits.timeoutMs / 1000)} seconds and was ended. Ask for less at once, or raise engine.turn_timeout.`,
    }),
  );

  const partId = (at: number, part: string): string => `${row.id}:${at}:${part}`;
  const pumps = new Map<string, PartPump>();
  const pumpOf = (at: number, part: 'text' | 'thinking'): PartPump => {
    const part_id = partId(at, part);
    const known = pumps.get(part_id);
    if (known) return known;
    const pump = createPartPump((content) =>
      log.live(row.conversation_id, row.id, { type: part, part_id, content }),
    );
    pumps.set(part_id, pump);
    return pump;
  };
  let over = false;
  let stepOpen = false;
  let tellSettled: () => void = () => undefined;
  const started = new Map<number, number>();
  const openCalls = new Set<Promise<unknown>>();
  let switched = false;

  const runWith = (model: ModelName): TurnRuntime => {
    const run = new AbortController();
    let departure: Departure | undefined;

    return {
      row,
      turnId: row.id,
      conversationId: row.conversation_id,
      capability: newToken(),
      provider: model.provider,
      model: model.model,
      origin: 'page',
      principal,
      turnSignal: controller.signal,
      signal: AbortSignal.any([controller.signal, run.signal]),
      tools: deps.tools.map(({ name, description, schema }) => ({ name, description, schema })),
      step: () => step,
      words: () => words.get(step) ?? '',

      pause() {
        const resume = turnClock.pause();
        waiting += 1;
        if (waiting === 1) deps.onWaiting(true);
        return () => {
          resume();
          waiting -= 1;
          if (waiting === 0) deps.onWaiting(false);
        };
      },

      beginStep() {
        if (departure || controller.signal.aborted)
          return { ok: false, code: 'turn_ended', message: 'The turn has ended.' };
        if (step >= limits.maxSteps) {
          problem = {
            code: 'step_limit',
            message: `The assistant took ${limits.maxSteps} steps without finishing and was stopped. Continue, or raise engine.max_steps.`,
          };
          return { ok: false, ...problem };
        }
        step += 1;
        stepOpen = true;
        problem = undefined;
        const now = clock.now();
        started.set(step, now);
        turns.putLlmCall({
          turn_id: row.id,
          step,
          provider: model.provider,
          model: model.model,
          started_at: now,
          ended_at: null,
          outcome: 'running',
          finish_reason: null,
          input_tokens: null,
          output_tokens: null,
          cost_usd: null,
        });
        return { ok: true, step };
      },

      text(at, part, fullText) {
        if (over || departure) return;
        if (part === 'text') words.set(at, fullText);
        pumpOf(at, part).push(fullText);
      },

      partEnd(at, part, fullText) {
        if (over || departure) return;
        if (part === 'text') words.set(at, fullText);
        pumpOf(at, part).end(fullText);
        log.flush(row.conversation_id);
      },

      toolCalls(at, seen) {
        recordCalls({ ...deps, row, principal }, at, seen);
      },

      stepEnd(at, end) {
        stepOpen = false;
        tellSettled();
        turns.putLlmCall({
          turn_id: row.id,
          step: at,
          provider: model.provider,
          model: model.model,
          started_at: started.get(at) ?? clock.now(),
          ended_at: clock.now(),
          outcome: end.outcome,
          finish_reason: end.finishReason,
          input_tokens: end.usage.input,
          output_tokens: end.usage.output,
          cost_usd: end.costUsd,
        });
        if (end.usage.input !== null || end.usage.output !== null) counted = true;
        usage = {
          input: usage.input + (end.usage.input ?? 0),
          output: usage.output + (end.usage.output ?? 0),
          costUsd: usage.costUsd === null || end.costUsd === null ? null : usage.costUsd + end.costUsd,
          context: end.usage.input === null ? usage.context : end.usage.input + (end.usage.output ?? 0),
        };
        if (end.error) problem = end.error;
        if (end.note && !over)
          log.append(row.conversation_id, row.id, {
            type: 'error',
            code: end.note.code,
            content: end.note.message,
          });
        if (
          end.error?.unavailable === true &&
          !switched &&
          step < limits.maxSteps &&
          !controller.signal.aborted
        ) {
          const next = deps.fallback(model);
          if (next?.ok) {
            switched = true;
            departure = { to: { provider: next.provider, model: next.model }, problem: end.error };
          } else if (next)
            problem = { code: end.error.code, message: `${end.error.message} ${next.message}` };
        }
        // A transaction must not run what listens to an abort.
        if (departure) database.afterCommit(() => run.abort());
      },

      refused(code, message) {
        if (departure) return;
        problem = { code, message };
      },

      async callTool(call) {
        if (departure) return GONE;
        const open = gate.call(this, {
          callId: call.callId ?? '',
          tool: call.name,
          arguments: call.arguments,
        });
        openCalls.add(open);
        const answer = await open.finally(() => openCalls.delete(open));
        if (answer.kind === 'refused' && answer.rule?.startsWith('call-')) {
          refusals += 1;
          if (refusals > limits.maxRefusals) {
            abort('failed', MISBEHAVED);
          }
        }
        return answer;
      },

      unknownTool(name) {
        audit.note({
          event: 'tool.refused',
          principal,
          origin: 'page',
          target: name.slice(0, 64),
          outcome: 'refused',
          details: { turn: row.id, rule: 'unknown-tool' },
        });
        refusals += 1;
        if (refusals > limits.maxRefusals) abort('failed', MISBEHAVED);
      },

      departure: () => departure,
      goOn(to) {
        if (!departure) throw new Error('a run that goes on has no other model');
        problem = undefined;
        return runWith(to);
      },
      async callsSettled(ms) {
        if (openCalls.size === 0) return;
        const late = Promise.withResolvers<void>();
        const timer = setTimeout(late.resolve, ms);
        await Promise.race([Promise.allSettled(openCalls), late.promise]);
        clearTimeout(timer);
      },
      problem: () => problem,
      abort,
      abortedBy: () => abortedBy,
      usage: () => (counted ? usage : undefined),
      async settled(ms) {
        if (!stepOpen) return;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          tellSettled = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      },
      dispose() {
        over = true;
        turnClock.stop();
        for (const pump of pumps.values()) pump.cancel();
        controller.abort();
      },
    };
  };
  return runWith({ provider: row.provider, model: row.model });
}

const GONE: CallAnswer = {
  kind: 'refused',
  isError: true,
  value: 'The turn has gone on with another model.',
  hidden: {},
  rule: null,
};

const MISBEHAVED: TurnProblem = {
  code: 'engine_misbehaved',
  message:
    'The engine kept asking for tool calls that the model had not made, so the turn was ended. Retry; if it happens again, check the log.',
};

/** The answer of a call as text for MCP. */
export function answerText(answer: CallAnswer): string {
  return capped(resultText(answer.value));
}

// Guarantees: one capability per turn for the model and the tools, dead when the turn ends; steps and calls are counted
// here, on the trusted side; what the model said is recorded from the gateway, never from the engine.
// An attacker may control: everything that the engine sends, and everything that the model says.
import {
  newToken,
  canonicalJson,
  type AnyTool,
  type Clock,
  type Json,
  type JsonObject,
  type Principal,
  type ToolDefinition,
} from '../core/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import { SHUTDOWN } from '../guard/approvals/index.ts';
import { callIdOf, type CallAnswer, type CallTurn, type Gate } from '../guard/gate/index.ts';
import type { ToolCallStore, Transactions, TurnRow, TurnStore } from '../host/storage/index.ts';
import type { EventLog } from './event-log.ts';
import { capped, resultText } from './history.ts';
import { createPartPump, type PartPump } from './part-pump.ts';
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
  readonly error?: { readonly code: string; readonly message: string };
  readonly note?: { readonly code: string; readonly message: string };
}

interface SeenCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
  readonly arguments: Json | undefined;
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
}

/** `user`: a person stopped it. `timeout`: its clock. `failed`: a problem. `shutdown`: the program ends; `parked`: too many wait; requests stay. */
export type AbortCause = 'user' | 'timeout' | 'failed' | 'shutdown' | 'parked';

export interface TurnProblem {
  readonly code: string;
  readonly message: string;
}

/** A running turn, as the gateway, the tools and the turn manager see it. */
export interface TurnRuntime extends CallTurn {
  readonly row: TurnRow;
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
  const { turns, calls, database, log, gate, audit, clock, limits } = deps;
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

  const refusalOf = (call: SeenCall): { rule: string; sentence: string } | undefined => {
    if (!deps.tools.some((tool) => tool.name === call.name)) {
      return { rule: 'unknown-tool', sentence: `There is no tool ${call.name}.` };
    }
    return call.arguments === undefined ? { rule: 'broken-arguments', sentence: BROKEN } : undefined;
  };

  return {
    row,
    turnId: row.id,
    conversationId: row.conversation_id,
    capability: newToken(),
    provider: row.provider,
    model: row.model,
    origin: 'page',
    principal,
    signal: controller.signal,
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
      if (controller.signal.aborted) return { ok: false, code: 'turn_ended', message: 'The turn has ended.' };
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
        provider: row.provider,
        model: row.model,
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
      if (over) return;
      if (part === 'text') words.set(at, fullText);
      pumpOf(at, part).push(fullText);
    },

    partEnd(at, part, fullText) {
      if (over) return;
      if (part === 'text') words.set(at, fullText);
      pumpOf(at, part).end(fullText);
      log.flush(row.conversation_id);
    },

    toolCalls(at, seen) {
      database.tx(() => {
        for (const call of seen) {
          const key = { turn_id: row.id, step: at, idx: call.index };
          const refusal = refusalOf(call);
          const id = callIdOf(key);
          calls.insert({
            ...key,
            conversation_id: row.conversation_id,
            tool: call.name,
            arguments: canonicalJson(call.arguments ?? {}),
            // What can never run is recorded as refused at once; an engine may keep it from the gate.
            status: refusal ? 'refused' : 'seen',
            rule: refusal?.rule ?? null,
            approval_id: null,
            result: refusal ? JSON.stringify(refusal.sentence) : null,
            is_error: refusal ? 1 : null,
            redactions: null,
            created_at: clock.now(),
            started_at: null,
            ended_at: refusal ? clock.now() : null,
          });
          log.append(row.conversation_id, row.id, {
            type: 'tool_call',
            id,
            name: call.name,
            arguments: call.arguments ?? call.argumentsText,
          });
          if (refusal) {
            const auditSeq = audit.append({
              event: 'tool.refused',
              principal,
              origin: 'page',
              target: call.name,
              outcome: 'refused',
              details: {
                turn: row.id,
                call: id,
                rule: refusal.rule,
                arguments: audit.digest(call.argumentsText),
              },
            });
            log.append(row.conversation_id, row.id, {
              type: 'tool_result',
              id,
              result: refusal.sentence,
              is_error: true,
              redactions: {},
              outcome: 'refused',
              rule: refusal.rule,
              audit_seq: auditSeq,
            });
          }
        }
      });
    },

    stepEnd(at, end) {
      stepOpen = false;
      tellSettled();
      turns.putLlmCall({
        turn_id: row.id,
        step: at,
        provider: row.provider,
        model: row.model,
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
    },

    refused(code, message) {
      problem = { code, message };
    },

    async callTool(call) {
      const answer = await gate.call(this, {
        callId: call.callId ?? '',
        tool: call.name,
        arguments: call.arguments,
      });
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
}

const MISBEHAVED: TurnProblem = {
  code: 'engine_misbehaved',
  message:
    'The engine kept asking for tool calls that the model had not made, so the turn was ended. Retry; if it happens again, check the log.',
};
const BROKEN = 'The arguments were not valid JSON. Send one JSON object that fits the schema of the tool.';

/** The answer of a call as text for MCP. */
export function answerText(answer: CallAnswer): string {
  return capped(resultText(answer.value));
}

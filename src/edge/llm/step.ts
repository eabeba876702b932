// Guarantees: a step that began is recorded with exactly one end, in the turn and in the audit log; tool calls are durable
// before the engine hears of them, and only an answer that ended well yields any.
// Does not: check the request (the wires do). An attacker may control: the upstream's answer, the engine's pace.
import {
  AppError,
  errorText,
  type Clock,
  type Log,
  type RedactionCounts,
  type Redactor,
} from '../../core/index.ts';
import type { Audit } from '../../guard/audit/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import { Answer } from './answer.ts';
import type { CallBudget } from './budget-port.ts';
import { settledCost, type CallPlan } from './call-cost.ts';
import { callModel } from './call-model.ts';
import { createEngineStream } from './engine-stream.ts';
import { errorResponse, UPSTREAM_FAILED } from './error-response.ts';
import type { LlmLimits } from './limits.ts';
import type { GatewayToolCall, GatewayTurn, StepEnd } from './ports.ts';
import { whoOf } from './refusal-log.ts';
import type { ModelRoute } from './route.ts';
import { sealName, type SealStore } from './seal-store.ts';
import { meansUnavailable } from './unavailable.ts';
import { explained, llmError } from './upstream-errors.ts';
import type { HealthBoard } from './upstream-health.ts';

export interface StepDeps {
  readonly database: Transactions;
  readonly audit: Audit;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: LlmLimits;
  readonly budget: Pick<CallBudget, 'settle'>;
  readonly health: Pick<HealthBoard, 'note'>;
  readonly seals: SealStore;
}

export interface StepInput {
  readonly turn: GatewayTurn;
  readonly step: number;
  readonly route: ModelRoute;
  readonly body: string;
  /** What was reserved; undefined where nothing is counted. */
  readonly plan: CallPlan | undefined;
  /** What was hidden in the prompt. */
  readonly hidden: RedactionCounts;
  /** Of the engine's request. */
  readonly signal: AbortSignal;
  /** Called once with whether the arguments of this answer could be read; false: too often not, the answer is void. */
  readonly argumentsRead: (readable: boolean) => boolean;
  readonly onEnd: () => void;
}

/** Resolves with the engine's answer when its first piece is there, or with an error when there will be none. */
export function runStep(deps: StepDeps, input: StepInput): Promise<Response> {
  const { turn, step, route } = input;
  const { clock, redactor } = deps;
  const limits = {
    ...deps.limits,
    answerChars: Math.min(deps.limits.answerChars, input.plan?.answerChars ?? Number.POSITIVE_INFINITY),
  };
  const began = clock.monotonic();
  const gone = new AbortController();
  const signal = AbortSignal.any([turn.signal, input.signal, gone.signal]);
  const answer = new Answer(limits, redactor);
  const reader = route.wire.reader();
  const writer = route.wire.writer({
    id: `answer-${turn.turnId}-${step}`,
    model: turn.model,
    created: Math.floor(clock.now() / 1000),
    seal: sealName(step),
  });
  const stream = createEngineStream(writer, () => gone.abort());
  const facts = { label: route.label, model: turn.model };
  let retries = 0;

  return new Promise<Response>((resolve) => {
    let answered = false;
    const open = (): void => {
      if (answered) return;
      answered = true;
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };
      resolve(new Response(stream.body, { headers }));
    };
    let partsEnded = false;
    const endParts = (): void => {
      if (partsEnded) return;
      partsEnded = true;
      for (const { part, delta, full } of answer.endParts()) {
        turn.partEnd(step, part, full);
        stream.part(part, delta);
      }
    };

    async function run(): Promise<void> {
      ({ retries } = await callModel({
        route,
        model: turn.model,
        body: input.body,
        signal,
        limits,
        redactor,
        reader,
        answer,
        onParts(deltas) {
          for (const { part, delta, full } of deltas) {
            turn.text(step, part, full);
            stream.part(part, delta);
          }
          open();
        },
        ready: () => stream.room(),
      }));
      signal.throwIfAborted();
      const end = answer.end(step);
      if (!end.ok) throw llmError(end.code, facts);
      if (!input.argumentsRead(!end.unreadable)) throw llmError('llm_bad_arguments', facts);
      endParts();
      const finished = endOf('ok');
      deps.database.tx(() => {
        if (end.calls.length > 0) turn.toolCalls(step, end.calls);
        record(finished, end.calls);
      });
      deps.health.note(route.provider, null);
      const sealed = reader.sealed();
      const kept = sealed !== undefined && deps.seals.keep(turn, step, sealed);
      stream.finish(end.calls, answer.finishReason ?? 'stop', answer.usage, kept);
      open();
    }

    function fail(error: unknown): void {
      const wasStopped = signal.aborted;
      const known = error instanceof AppError;
      if (!known && !wasStopped) {
        deps.log.error('a model call failed for a reason of our own', { problem: errorText(error), error });
      }
      const told = wasStopped
        ? { code: 'llm_stopped', message: 'The call to the model was stopped.' }
        : known
          ? { code: error.code, message: explained(error) }
          : { code: 'internal_error', message: 'OpenPact failed inside; the log says more. Try again.' };
      const unavailable = known && meansUnavailable(told.code) && !answer.said;
      const ended: StepEnd = wasStopped
        ? endOf('stopped')
        : withoutCost({ ...endOf('failed'), error: { ...told, ...(unavailable ? { unavailable } : {}) } });
      try {
        endParts();
        deps.database.tx(() => record(ended, []));
      } catch (problem) {
        // The turn must learn of the end even when nothing can be written any more.
        deps.log.error('the end of a model call could not be recorded', { problem: errorText(problem) });
        attempt(() => turn.stepEnd(step, ended), deps.log);
      }
      if (known && !wasStopped) deps.health.note(route.provider, told.code);
      stream.fail(told.code, told.message);
      if (!answered) {
        answered = true;
        resolve(errorResponse(UPSTREAM_FAILED, told, route.wire));
      }
    }

    function endOf(outcome: StepEnd['outcome']): StepEnd {
      const { costUsd, ...usage } = answer.usage;
      const note = noteOf(outcome, answer.finishReason);
      return {
        outcome,
        finishReason: answer.finishReason,
        usage,
        costUsd: (route.reportsCost ? costUsd : null) ?? route.cost(turn.model, usage),
        ...(note ? { note } : {}),
      };
    }

    /** A call that never began costs nothing, and says so. */
    function withoutCost(end: StepEnd): StepEnd {
      const free = input.plan && settled(input.plan, end)?.tokens === 0;
      return free ? { ...end, costUsd: end.costUsd ?? 0 } : end;
    }

    function settled(plan: CallPlan, end: StepEnd): ReturnType<typeof settledCost> {
      const { outcome, usage, costUsd } = end;
      const { started, chars } = answer;
      return settledCost(plan, {
        outcome,
        usage,
        costUsd,
        code: end.error?.code,
        started,
        answerChars: chars,
      });
    }

    function record(end: StepEnd, calls: readonly GatewayToolCall[]): void {
      turn.stepEnd(step, end);
      if (input.plan) deps.budget.settle({ turnId: turn.turnId, step }, settled(input.plan, end));
      deps.audit.append({
        event: 'llm.call',
        ...whoOf(turn),
        target: `${turn.provider}/${turn.model}`,
        outcome: end.outcome === 'ok' ? 'ok' : 'failed',
        details: {
          turn: turn.turnId,
          step,
          provider: turn.provider,
          model: turn.model,
          result: end.outcome,
          finish_reason: end.finishReason,
          input_tokens: end.usage.input,
          output_tokens: end.usage.output,
          cached_tokens: end.usage.cached,
          cost_usd: end.costUsd,
          tool_calls: calls.length,
          retries,
          duration_ms: Math.round(clock.monotonic() - began),
          hidden_in_prompt: input.hidden,
          hidden_in_answer: answer.hidden,
          ...(end.error ? { code: end.error.code } : {}),
        },
      });
    }

    run().catch(fail).finally(input.onEnd);
  });
}

function noteOf(outcome: StepEnd['outcome'], finishReason: string | null): StepEnd['note'] {
  if (outcome !== 'ok') return undefined;
  if (finishReason === 'length') {
    return { code: 'llm_length', message: "The answer was cut off at the model's length limit." };
  }
  if (finishReason === 'content_filter') {
    return { code: 'llm_filtered', message: "The answer was cut off by the provider's content filter." };
  }
  return undefined;
}

function attempt(act: () => void, log: Log): void {
  try {
    act();
  } catch (error) {
    log.error('the turn did not take the end of a model call', { problem: errorText(error) });
  }
}

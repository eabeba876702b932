import { errorText, type Clock, type Log, type TurnEvent, type TurnStatus } from '../core/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import type { Gate } from '../guard/gate/index.ts';
import type { ToolCallStore, Transactions, TurnStore } from '../host/storage/index.ts';
import type { EngineOutcome } from './adapter.ts';
import type { EventLog } from './event-log.ts';
import type { TurnProblem, TurnRuntime } from './turn-runtime.ts';
import { verdict } from './turn-verdict.ts';

export interface TurnEndDeps {
  readonly turns: TurnStore;
  readonly calls: ToolCallStore;
  readonly database: Transactions;
  readonly events: EventLog;
  readonly gate: Gate;
  readonly approvals: Approvals;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** How a turn ended: what is stored, and what the conversation hears, `done` last. */
export interface TurnEnd {
  readonly status: TurnStatus;
  readonly problem: TurnProblem | undefined;
  readonly events: readonly TurnEvent[];
}

export function turnEnd(
  deps: TurnEndDeps & { readonly log: Log },
  runtime: TurnRuntime,
  outcome: EngineOutcome,
): TurnEnd {
  const { row } = runtime;
  const { status, problem } = verdict(outcome, runtime.abortedBy(), runtime.problem());
  const called = hasCalled(deps, row.id);
  const usage = runtime.usage();
  const events: TurnEvent[] = [];
  if (usage) {
    events.push({
      type: 'usage',
      input_tokens: usage.input,
      output_tokens: usage.output,
      ...(usage.context === null ? {} : { context_tokens: usage.context }),
      cost_usd: usage.costUsd,
      model: runtime.model,
      provider: runtime.provider,
    });
  }
  if (status === 'stopped') events.push({ type: 'aborted', by: 'owner' });
  if (problem) events.push({ type: 'error', code: problem.code, content: problem.message });
  events.push({
    type: 'done',
    status,
    can_retry: status !== 'done' && !called,
    can_continue: status !== 'done' && called,
  });
  return { status, problem, events };
}

/** A disk that can't even be read must not end the program: then it counts as called, so that nothing is offered twice. */
function hasCalled(
  { calls, log }: Pick<TurnEndDeps, 'calls'> & { readonly log: Log },
  turnId: string,
): boolean {
  try {
    return calls.ofTurn(turnId).some((call) => call.status !== 'refused');
  } catch (error) {
    log.error('the calls of a turn could not be read', { turn: turnId, problem: errorText(error) });
    return true;
  }
}

/**
 * Stores the end of a turn, with what it leaves behind. Throws when that can't be stored; calling it again is harmless.
 * `told`: the conversation has heard the events already, from `tellEnd`.
 */
export function storeEnd(deps: TurnEndDeps, runtime: TurnRuntime, end: TurnEnd, told: boolean): void {
  const { turns, events, database, audit, approvals, clock } = deps;
  const { row, conversationId } = runtime;
  const keepRequests = runtime.abortedBy() === 'shutdown' || runtime.abortedBy() === 'parked';
  if (!keepRequests) approvals.cancelTurn(row.id);
  giveUpCalls(deps, row.id, keepRequests);
  events.flush(conversationId);
  const usage = runtime.usage();
  database.tx(() => {
    turns.end(row.id, {
      status: end.status,
      now: clock.now(),
      code: end.problem?.code ?? null,
      text: end.problem?.message ?? null,
    });
    audit.append({
      event: 'turn.ended',
      principal: runtime.principal,
      origin: runtime.origin,
      target: row.id,
      outcome: end.status === 'done' ? 'ok' : 'failed',
      details: {
        status: end.status,
        code: end.problem?.code ?? null,
        input_tokens: usage?.input ?? null,
        output_tokens: usage?.output ?? null,
        cost_usd: usage?.costUsd ?? null,
      },
    });
    if (!told) for (const event of end.events) events.append(conversationId, row.id, event);
  });
}

/** Tells the conversation at once, for a disk that takes nothing; the events are stored when it does again. */
export function tellEnd(deps: TurnEndDeps, runtime: TurnRuntime, end: TurnEnd): void {
  end.events.forEach((event, index) =>
    deps.events.live(runtime.conversationId, runtime.turnId, {
      ...event,
      part_id: `${runtime.turnId}:end:${index}`,
    }),
  );
}

/** Calls that nobody will answer any more: the model must not see an open call, and nothing may look as if it ran. */
export function giveUpCalls(
  deps: TurnEndDeps,
  turnId: string,
  keepRequests: boolean,
  why = 'The turn ended before it ran.',
): void {
  for (const call of deps.calls.ofTurn(turnId)) {
    if (call.status === 'asking' && keepRequests) continue;
    if (call.status === 'seen' || call.status === 'asking') deps.gate.give(call, 'stopped', why);
    else if (call.status === 'running')
      deps.gate.give(call, 'unknown', 'It was cut off while it ran; whether it took effect is not known.');
  }
}

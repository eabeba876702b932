import type { Clock } from '../core/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import type { Gate } from '../guard/gate/index.ts';
import type { ToolCallStore, Transactions, TurnStore } from '../host/storage/index.ts';
import type { EngineOutcome } from './adapter.ts';
import type { EventLog } from './event-log.ts';
import type { TurnRuntime } from './turn-runtime.ts';
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

/** Ends a turn in one transaction; `done` is its last event. */
export function endTurn(deps: TurnEndDeps, runtime: TurnRuntime, outcome: EngineOutcome): void {
  const { turns, events, database, audit, approvals, clock } = deps;
  const { row, conversationId } = runtime;
  const by = runtime.abortedBy();
  const { status, problem } = verdict(outcome, by, runtime.problem());
  if (by !== 'shutdown') approvals.cancelTurn(row.id);
  leftovers(deps, row.id, by === 'shutdown');
  const called = deps.calls.ofTurn(row.id).some((call) => call.status !== 'refused');
  const usage = runtime.usage();
  events.flush(conversationId);
  database.tx(() => {
    turns.end(row.id, {
      status,
      now: clock.now(),
      code: problem?.code ?? null,
      text: problem?.message ?? null,
    });
    if (usage) {
      events.append(conversationId, row.id, {
        type: 'usage',
        input_tokens: usage.input,
        output_tokens: usage.output,
        cost_usd: usage.costUsd,
        model: row.model,
        provider: row.provider,
      });
    }
    if (status === 'stopped') events.append(conversationId, row.id, { type: 'aborted', by: 'owner' });
    if (problem)
      events.append(conversationId, row.id, {
        type: 'error',
        code: problem.code,
        content: problem.message,
      });
    audit.append({
      event: 'turn.ended',
      principal: runtime.principal,
      origin: runtime.origin,
      target: row.id,
      outcome: status === 'done' ? 'ok' : 'failed',
      details: {
        status,
        code: problem?.code ?? null,
        input_tokens: usage?.input ?? null,
        output_tokens: usage?.output ?? null,
        cost_usd: usage?.costUsd ?? null,
      },
    });
    events.append(conversationId, row.id, {
      type: 'done',
      status,
      can_retry: status !== 'done' && !called,
      can_continue: status !== 'done' && called,
    });
  });
}

/** Calls that nobody will answer any more: the model must not see an open call, and nothing may look as if it ran. */
function leftovers(deps: TurnEndDeps, turnId: string, keepRequests: boolean): void {
  for (const call of deps.calls.ofTurn(turnId)) {
    if (call.status === 'asking' && keepRequests) continue;
    if (call.status === 'seen' || call.status === 'asking')
      deps.gate.give(call, 'stopped', 'The turn ended before it ran.');
    else if (call.status === 'running')
      deps.gate.give(call, 'unknown', 'It was cut off while it ran; whether it took effect is not known.');
  }
}

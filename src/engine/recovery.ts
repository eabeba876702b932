// Guarantees: after a start no turn looks as if it ran; a call that was running has the outcome "unknown" and is never run
// again by itself; a request that waits for a person still waits; an approved call that had not begun is run once.
import type { Clock, Log } from '../core/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import type { Gate } from '../guard/gate/index.ts';
import type { ApprovalRow, ToolCallStore, Transactions, TurnStore } from '../host/storage/index.ts';
import type { EventLog } from './event-log.ts';
import { INTERRUPTED } from './turn-verdict.ts';

export interface RecoveryDeps {
  readonly turns: TurnStore;
  readonly calls: ToolCallStore;
  readonly approvals: Approvals;
  readonly gate: Gate;
  readonly events: EventLog;
  readonly audit: Audit;
  readonly database: Transactions;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Recovered {
  readonly interruptedTurns: number;
  readonly unknownCalls: number;
  /** Approved before the stop, not begun: the caller runs them once everything is up. */
  readonly approvedCalls: readonly ApprovalRow[];
}

/** Puts the database in order after a stop of any kind. Runs before anything else may start. */
export function recover(deps: RecoveryDeps): Recovered {
  const { turns, calls, approvals, gate, events, audit, database, clock } = deps;
  let unknownCalls = 0;
  const approvedCalls: ApprovalRow[] = [];
  for (const call of calls.open()) {
    if (call.status === 'running') {
      unknownCalls += 1;
      gate.give(
        call,
        'unknown',
        'OpenPact stopped while this ran; whether it took effect is not known. It was not run again.',
      );
      continue;
    }
    const request = call.approval_id === null ? undefined : approvals.get(call.approval_id);
    if (request?.status === 'pending') continue;
    if (request?.status === 'approved') approvedCalls.push(request);
    else
      gate.give(
        call,
        request?.status === 'denied' ? 'denied' : 'stopped',
        'OpenPact stopped before this ran.',
      );
  }
  const open = turns.open();
  for (const turn of open) {
    database.tx(() => {
      turns.end(turn.id, {
        status: 'interrupted',
        now: clock.now(),
        code: INTERRUPTED.code,
        text: INTERRUPTED.message,
      });
      events.append(turn.conversation_id, turn.id, {
        type: 'error',
        code: INTERRUPTED.code,
        content: INTERRUPTED.message,
      });
      audit.append({
        event: 'turn.interrupted',
        principal: { kind: 'system' },
        origin: 'system',
        target: turn.id,
        outcome: 'failed',
      });
      const called = calls.ofTurn(turn.id).length > 0;
      events.append(turn.conversation_id, turn.id, {
        type: 'done',
        status: 'interrupted',
        can_retry: !called,
        can_continue: called,
      });
    });
  }
  return { interruptedTurns: open.length, unknownCalls, approvedCalls };
}

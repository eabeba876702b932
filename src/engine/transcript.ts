import type { Json } from '../core/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import { callIdOf, type Transcript } from '../guard/gate/index.ts';
import type { EventLog } from './event-log.ts';

/** Writes what the gate does into the conversation, inside the gate's transactions. */
export function createTranscript(log: EventLog): Transcript {
  return {
    asked(row, callId) {
      if (row.conversation_id === null) return;
      log.append(row.conversation_id, row.turn_id, {
        type: 'approval',
        id: row.id,
        call_id: callId,
        tool: row.tool,
        arguments: JSON.parse(row.arguments) as Json,
        summary: row.summary,
        expires_at: new Date(row.expires_at).toISOString(),
      });
    },
    ended(call, answer, { durationMs, auditSeq }) {
      log.append(call.conversation_id, call.turn_id, {
        type: 'tool_result',
        id: callIdOf(call),
        result: answer.value,
        is_error: answer.isError,
        redactions: answer.hidden,
        outcome: answer.kind,
        ...(answer.rule === null ? {} : { rule: answer.rule }),
        ...(durationMs === null ? {} : { duration_ms: durationMs }),
        ...(auditSeq === null ? {} : { audit_seq: auditSeq }),
      });
    },
  };
}

/** Shows each decision in the conversation that it belongs to. */
export function showDecisions(approvals: Approvals, log: EventLog): void {
  approvals.addListener({
    decided(row, end) {
      if (row.conversation_id === null) return;
      log.append(row.conversation_id, row.turn_id, {
        type: 'approval_decided',
        id: row.id,
        status: end.status,
        ...('by' in end ? { by: end.by } : {}),
      });
    },
  });
}

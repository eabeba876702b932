import { canonicalJson, type AnyTool, type Clock, type Json, type Principal } from '../core/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import { callIdOf } from '../guard/gate/index.ts';
import type { ToolCallStore, Transactions, TurnRow } from '../host/storage/index.ts';
import type { EventLog } from './event-log.ts';

/** A call that the gateway saw in an answer of a model. */
export interface SeenCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
  readonly arguments: Json | undefined;
}

export interface SeenCallsDeps {
  readonly row: TurnRow;
  readonly principal: Principal;
  readonly calls: ToolCallStore;
  readonly database: Transactions;
  readonly log: EventLog;
  readonly audit: Audit;
  readonly tools: readonly AnyTool[];
  readonly clock: Clock;
}

const BROKEN = 'The arguments were not valid JSON. Send one JSON object that fits the schema of the tool.';

/** Records the calls of step `at`, durable on return: from here on the gate knows them. */
export function recordCalls(deps: SeenCallsDeps, at: number, seen: readonly SeenCall[]): void {
  const { row, principal, calls, database, log, audit, clock } = deps;

  const refusalOf = (call: SeenCall): { rule: string; sentence: string } | undefined => {
    if (!deps.tools.some((tool) => tool.name === call.name)) {
      return { rule: 'unknown-tool', sentence: `There is no tool ${call.name}.` };
    }
    return call.arguments === undefined ? { rule: 'broken-arguments', sentence: BROKEN } : undefined;
  };

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
}

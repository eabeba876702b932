import type { Database } from './database.ts';

/**
 * seen: the model asked for it. asking: a person decides. running: an intent is recorded, the act may have happened.
 * The rest are ends; `unknown`: the process died while it ran, and nobody can say whether it took effect.
 */
export type ToolCallStatus =
  | 'seen'
  | 'asking'
  | 'running'
  | 'done'
  | 'failed'
  | 'denied'
  | 'refused'
  | 'expired'
  | 'stopped'
  | 'unknown';

export interface ToolCallKey {
  readonly turn_id: string;
  readonly step: number;
  readonly idx: number;
}

export interface ToolCallRow extends ToolCallKey {
  readonly conversation_id: string;
  readonly tool: string;
  /** JSON text, exactly what will run. */
  readonly arguments: string;
  readonly status: ToolCallStatus;
  readonly rule: string | null;
  readonly approval_id: string | null;
  readonly result: string | null;
  readonly is_error: number | null;
  readonly redactions: string | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
}

export interface ToolCallStore {
  insert(row: ToolCallRow): void;
  get(key: ToolCallKey): ToolCallRow | undefined;
  ofTurn(turnId: string): ToolCallRow[];
  /** seen, asking or running, oldest first. */
  open(): ToolCallRow[];
  ask(key: ToolCallKey, approvalId: string, rule: string): void;
  /** The number of rows changed: 1 when this call may run now, 0 when somebody else has started or ended it. */
  start(key: ToolCallKey, rule: string, now: number): number;
  /** The number of rows changed: 0 when it had already ended. */
  end(
    key: ToolCallKey,
    end: {
      status: ToolCallStatus;
      result: string;
      isError: boolean;
      redactions: string;
      now: number;
      rule: string | null;
    },
  ): number;
}

const KEY = 'turn_id = :turn_id AND step = :step AND idx = :idx';

export function createToolCallStore(database: Database): ToolCallStore {
  const pick = ({ turn_id, step, idx }: ToolCallKey) => ({ turn_id, step, idx });
  return {
    insert(row) {
      database.run(
        `INSERT INTO tool_calls (turn_id, step, idx, conversation_id, tool, arguments, status, rule, approval_id, result,
           is_error, redactions, created_at, started_at, ended_at)
         VALUES (:turn_id, :step, :idx, :conversation_id, :tool, :arguments, :status, :rule, :approval_id, :result,
           :is_error, :redactions, :created_at, :started_at, :ended_at)`,
        { ...row },
      );
    },
    get: (key) => database.get<ToolCallRow>(`SELECT * FROM tool_calls WHERE ${KEY}`, pick(key)),
    ofTurn: (turnId) =>
      database.all<ToolCallRow>('SELECT * FROM tool_calls WHERE turn_id = :turnId ORDER BY step, idx', {
        turnId,
      }),
    open: () =>
      database.all<ToolCallRow>(
        "SELECT * FROM tool_calls WHERE status IN ('seen', 'asking', 'running') ORDER BY created_at, step, idx",
      ),
    ask(key, approvalId, rule) {
      database.run(
        `UPDATE tool_calls SET status = 'asking', approval_id = :approvalId, rule = :rule WHERE ${KEY} AND status = 'seen'`,
        { ...pick(key), approvalId, rule },
      );
    },
    start: (key, rule, now) =>
      database.run(
        `UPDATE tool_calls SET status = 'running', rule = :rule, started_at = :now
         WHERE ${KEY} AND status IN ('seen', 'asking')`,
        { ...pick(key), rule, now },
      ),
    end: (key, { status, result, isError, redactions, now, rule }) =>
      database.run(
        `UPDATE tool_calls SET status = :status, result = :result, is_error = :isError, redactions = :redactions,
           ended_at = :now, rule = coalesce(:rule, rule)
         WHERE ${KEY} AND status IN ('seen', 'asking', 'running')`,
        { ...pick(key), status, result, isError: isError ? 1 : 0, redactions, now, rule },
      ),
  };
}

import type { TurnStatus } from '../../core/index.ts';
import type { Database } from './database.ts';

export interface TurnRow {
  readonly id: string;
  readonly conversation_id: string;
  readonly status: TurnStatus;
  readonly provider: string;
  readonly model: string;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly error_code: string | null;
  readonly error_text: string | null;
}

export interface LlmCallRow {
  readonly turn_id: string;
  readonly step: number;
  readonly provider: string;
  readonly model: string;
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly outcome: string;
  readonly finish_reason: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost_usd: number | null;
}

/** In the order in which they were made, whatever the clock did. */
export interface TurnStore {
  insert(row: TurnRow): void;
  get(id: string): TurnRow | undefined;
  latest(conversationId: string): TurnRow | undefined;
  ofConversation(conversationId: string): TurnRow[];
  /** Queued, running and waiting ones, oldest first. */
  open(): TurnRow[];
  setStatus(id: string, status: TurnStatus): void;
  start(id: string, now: number): void;
  end(id: string, end: { status: TurnStatus; now: number; code: string | null; text: string | null }): void;
  putLlmCall(row: LlmCallRow): void;
  llmCalls(turnId: string): LlmCallRow[];
}

export function createTurnStore(database: Database): TurnStore {
  return {
    insert(row) {
      database.run(
        `INSERT INTO turns (id, conversation_id, status, provider, model, created_at, started_at, ended_at, error_code, error_text)
         VALUES (:id, :conversation_id, :status, :provider, :model, :created_at, :started_at, :ended_at, :error_code, :error_text)`,
        { ...row },
      );
    },
    get: (id) => database.get<TurnRow>('SELECT * FROM turns WHERE id = :id', { id }),
    latest: (conversationId) =>
      database.get<TurnRow>(
        'SELECT * FROM turns WHERE conversation_id = :conversationId ORDER BY rowid DESC LIMIT 1',
        { conversationId },
      ),
    ofConversation: (conversationId) =>
      database.all<TurnRow>('SELECT * FROM turns WHERE conversation_id = :conversationId ORDER BY rowid', {
        conversationId,
      }),
    open: () =>
      database.all<TurnRow>(
        "SELECT * FROM turns WHERE status IN ('queued', 'running', 'waiting') ORDER BY rowid",
      ),
    setStatus(id, status) {
      database.run('UPDATE turns SET status = :status WHERE id = :id', { id, status });
    },
    start(id, now) {
      database.run("UPDATE turns SET status = 'running', started_at = :now WHERE id = :id", { id, now });
    },
    end(id, { status, now, code, text }) {
      database.run(
        'UPDATE turns SET status = :status, ended_at = :now, error_code = :code, error_text = :text WHERE id = :id',
        { id, status, now, code, text },
      );
    },
    putLlmCall(row) {
      database.run(
        `INSERT INTO llm_calls (turn_id, step, provider, model, started_at, ended_at, outcome, finish_reason,
           input_tokens, output_tokens, cost_usd)
         VALUES (:turn_id, :step, :provider, :model, :started_at, :ended_at, :outcome, :finish_reason,
           :input_tokens, :output_tokens, :cost_usd)
         ON CONFLICT (turn_id, step) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome,
           finish_reason = excluded.finish_reason, input_tokens = excluded.input_tokens,
           output_tokens = excluded.output_tokens, cost_usd = excluded.cost_usd`,
        { ...row },
      );
    },
    llmCalls: (turnId) =>
      database.all<LlmCallRow>('SELECT * FROM llm_calls WHERE turn_id = :turnId ORDER BY step', { turnId }),
  };
}

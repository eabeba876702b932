import type { Database } from './database.ts';

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';

export interface ApprovalRow {
  readonly id: string;
  readonly kind: 'tool' | 'exec';
  readonly status: ApprovalState;
  readonly conversation_id: string | null;
  readonly turn_id: string | null;
  readonly step: number | null;
  readonly idx: number | null;
  readonly tool: string;
  /** JSON text, exactly what will run. */
  readonly arguments: string;
  readonly digest: string;
  readonly summary: string;
  readonly why: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly decided_at: number | null;
  readonly decided_by: string | null;
  readonly reason: string | null;
}

export interface ApprovalStore {
  insert(row: ApprovalRow): void;
  get(id: string): ApprovalRow | undefined;
  /** Newest first. */
  list(status: ApprovalState | undefined, limit: number): ApprovalRow[];
  countPending(): number;
  /** Pending ones whose time is over. */
  due(now: number): ApprovalRow[];
  pendingOfTurn(turnId: string): ApprovalRow[];
  /** With the conversation go the arguments; the audit log keeps their digests. */
  deleteOfConversation(conversationId: string): void;
  /** 1 for the one who wins, 0 when it was decided before. */
  decide(
    id: string,
    decision: { status: ApprovalState; now: number; by: string; reason: string | null },
  ): number;
}

export function createApprovalStore(database: Database): ApprovalStore {
  return {
    insert(row) {
      database.run(
        `INSERT INTO approvals (id, kind, status, conversation_id, turn_id, step, idx, tool, arguments, digest, summary,
           why, created_at, expires_at, decided_at, decided_by, reason)
         VALUES (:id, :kind, :status, :conversation_id, :turn_id, :step, :idx, :tool, :arguments, :digest, :summary,
           :why, :created_at, :expires_at, :decided_at, :decided_by, :reason)`,
        { ...row },
      );
    },
    get: (id) => database.get<ApprovalRow>('SELECT * FROM approvals WHERE id = :id', { id }),
    list: (status, limit) =>
      status === undefined
        ? database.all<ApprovalRow>(
            'SELECT * FROM approvals ORDER BY created_at DESC, id DESC LIMIT :limit',
            { limit },
          )
        : database.all<ApprovalRow>(
            'SELECT * FROM approvals WHERE status = :status ORDER BY created_at DESC, id DESC LIMIT :limit',
            { status, limit },
          ),
    countPending: () =>
      database.get<{ n: number }>("SELECT count(*) AS n FROM approvals WHERE status = 'pending'")?.n ?? 0,
    due: (now) =>
      database.all<ApprovalRow>("SELECT * FROM approvals WHERE status = 'pending' AND expires_at <= :now", {
        now,
      }),
    deleteOfConversation(conversationId) {
      database.run('DELETE FROM approvals WHERE conversation_id = :conversationId', { conversationId });
    },
    pendingOfTurn: (turnId) =>
      database.all<ApprovalRow>("SELECT * FROM approvals WHERE status = 'pending' AND turn_id = :turnId", {
        turnId,
      }),
    decide: (id, { status, now, by, reason }) =>
      database.run(
        `UPDATE approvals SET status = :status, decided_at = :now, decided_by = :by, reason = :reason
         WHERE id = :id AND status = 'pending'`,
        { id, status, now, by, reason },
      ),
  };
}

/** The shapes of the API: requests for approval. */
import type { Json } from '../../core/index.ts';

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';
export interface Approval {
  readonly id: string;
  readonly kind: 'tool' | 'exec';
  readonly status: ApprovalStatus;
  readonly conversation_id: string | null;
  readonly conversation_title: string | null;
  readonly turn_id: string | null;
  readonly tool: string;
  readonly arguments: Json;
  /** HMAC over the exact call: the fingerprint that the reviewer sees. */
  readonly digest: string;
  /** What the call will do, as a sentence by us. */
  readonly summary: string;
  /** The model's own words before the call: untrusted. */
  readonly why: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly decided_at: string | null;
  readonly decided_by: string | null;
  readonly reason: string | null;
  /** What became of the call after an approval. */
  readonly outcome: string | null;
}
/** GET /api/approvals without `kind`: calls of tools. With it: `InboxList`. */
export interface ApprovalList {
  readonly approvals: readonly Approval[];
  readonly pending: number;
}
/** POST /api/approvals/:id/approve; `password` only where the server asked with 403 `step_up_required`. */
export interface ApproveRequest {
  readonly digest?: string;
  readonly password?: string;
}
export interface DenyRequest {
  readonly reason?: string;
}

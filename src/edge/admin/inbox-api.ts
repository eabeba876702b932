/** The shapes of the inbox: what waits for the owner, calls of tools and versions of scripts, and what became of it. */
import type { Approval, ApprovalStatus } from './api.ts';
import type { ScriptStatus } from './script-api.ts';

/** `denied` is a rejection where it is a script; `superseded`: a newer version came before anybody decided. */
export type InboxStatus = ApprovalStatus | 'superseded';

/** A version of a script that waits, or waited. It is approved where its text and power stand, never in a list. */
export interface ScriptRequest {
  /** `scv_` and a number. */
  readonly id: string;
  readonly kind: 'script';
  readonly status: Exclude<InboxStatus, 'expired'>;
  readonly name: string;
  readonly hash: string;
  readonly author: string;
  readonly how: 'tool' | 'page' | 'folder' | 'restored' | 'import';
  /** By who wrote it: untrusted. */
  readonly message: string;
  readonly conversation_id: string | null;
  readonly conversation_title: string | null;
  readonly created_at: string;
  readonly decided_at: string | null;
  /** Who decided; of a superseded one, who brought the newer. */
  readonly decided_by: string | null;
  readonly reason: string | null;
  /** Of the version that took its place. */
  readonly replaced_by: string | null;
  /** Of the script as it is now; null: it was deleted. */
  readonly script_status: ScriptStatus | null;
  /** While it waits: what stands in the folder. */
  readonly file: 'same' | 'missing' | 'unreadable' | null;
  /** Another version that is approved. */
  readonly approved_hash: string | null;
  /** While it waits; null: it could not be worked out, which `problem` explains, or it waits no more. */
  readonly power: ScriptRequestPower | null;
  readonly problem: string | null;
}

export interface ScriptRequestPower {
  /** What it asks for, as one line. */
  readonly summary: string;
  /** What the last approved version was not allowed; the first of them. */
  readonly fresh: readonly string[];
  readonly fresh_count: number;
  /** What can't be known before it runs, and what will not work as it stands. */
  readonly warnings: number;
  readonly description: string;
}

export type InboxItem = Approval | ScriptRequest;

export interface WaitingCounts {
  readonly tools: number;
  readonly scripts: number;
}

/**
 * GET /api/approvals?kind=tool|script|all&status=&conversation=&tool=&script=&q=&ids=&cursor=&limit=. Without `kind` only
 * calls of tools. `status=waiting` is the queue, oldest first; everything else is newest first. A page may come back before
 * it is full, because words are looked for in a bounded number of rows at a time: only `next` says whether there is more.
 */
export interface InboxList {
  readonly approvals: readonly InboxItem[];
  /** Calls of tools that wait; the same as `waiting.tools`. */
  readonly pending: number;
  readonly waiting: WaitingCounts;
  /** The next `cursor`; null: that was all. */
  readonly next: string | null;
  /** The `cursor` behind the last row of this page, whether there is more now or not; null: it has no row. */
  readonly last: string | null;
}

/** GET /api/approvals/waiting: the ids of what waits, oldest first, the first 2,000 of each kind. */
export interface WaitingAnswer {
  readonly tools: readonly string[];
  readonly scripts: readonly string[];
  readonly waiting: WaitingCounts;
  /** The id of what ended last, whatever it was; null: nothing yet. */
  readonly last_ended: string | null;
}

export interface BatchDecision {
  readonly id: string;
  /** The digest (of a script: the hash) that was shown. */
  readonly digest: string;
  readonly decision: 'approve' | 'deny';
  readonly reason?: string | undefined;
}

/** POST /api/approvals/batch: 1 to 50 decisions, each id once; `approve` for calls of tools only. */
export interface BatchRequest {
  readonly decisions: readonly BatchDecision[];
  readonly password?: string | undefined;
}

export interface BatchResult {
  readonly id: string;
  /**
   * `done`: as asked. `changed`: it is not what was shown. `already_decided`: `status` says how. `expired`: its time was
   * over. `failed`: nothing was decided on it, `message` says why.
   */
  readonly outcome: 'done' | 'changed' | 'already_decided' | 'expired' | 'not_found' | 'failed';
  readonly message: string;
  /** Of the request as it is now; null: there is none. */
  readonly status: InboxStatus | null;
}

/** In the order of the request; each was decided for itself. */
export interface BatchAnswer {
  readonly results: readonly BatchResult[];
}

/** The shapes of the API: the audit log. */
import type { Json } from '../../core/index.ts';

export interface AuditEntryView {
  readonly seq: number;
  readonly at: string;
  readonly event: string;
  readonly actor: string;
  readonly origin: string;
  readonly target: string;
  readonly outcome: string;
  readonly details: Json;
  readonly hash: string;
}
/**
 * GET /api/audit?limit=&before=&after=, and the fields of AuditFilterQuery. With `after` oldest first, else newest first.
 * A page may come back before it is full: a filter looks through a bounded number of entries at a time.
 */
export interface AuditList {
  readonly entries: readonly AuditEntryView[];
  /** The last entry that was looked at: the next `before` (or `after`). */
  readonly edge: number;
  /** When that one was written; null where there is none. */
  readonly edge_at: string | null;
  /** Nothing more lies in this direction. */
  readonly end: boolean;
  /** The newest entry of the log, whether the filter shows it or not; 0 where there is none. */
  readonly newest: number;
}
/** All of it at once; absent = any. */
export interface AuditFilterQuery {
  /** One event, or ending in a dot a family. */
  readonly event?: string | undefined;
  /** The name of a script, without its ending: what happened to it and in its runs. */
  readonly script?: string | undefined;
  /** One actor (`user:owner`), or ending in a colon a kind (`assistant:`). */
  readonly principal?: string | undefined;
  readonly outcome?: 'ok' | 'refused' | 'failed' | 'intent' | 'unknown' | undefined;
  readonly target?: string | undefined;
  /** The id of a conversation. */
  readonly conversation?: string | undefined;
  /** Times: `from` and later, before `to`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Words in what, who, on what or the details. */
  readonly q?: string | undefined;
}
/** GET /api/audit/export?format=, with the same filters: a file of all entries that are there now, oldest first. */
export type AuditExportFormat = 'jsonl' | 'csv';
/** GET /api/audit/chain, and the answer of POST /api/audit/verify. */
export interface AuditChain {
  /** The newest entry; `signed`: the signature of the log's end belongs to it. */
  readonly head: {
    readonly seq: number;
    readonly hash: string | null;
    readonly at: string | null;
    readonly signed: boolean;
  };
  /** A check that runs: entries that hold so far, of those that it looks at. */
  readonly running: { readonly started_at: string; readonly rows: number; readonly of: number } | null;
  /** The newest check since OpenPact started. */
  readonly last: {
    readonly at: string;
    readonly duration_ms: number;
    /** `null`: by itself. */
    readonly by: string | null;
    readonly ok: boolean;
    readonly rows: number;
    /** Null when it holds. */
    readonly problem: string | null;
    readonly seq: number | null;
  } | null;
}

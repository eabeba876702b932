/** The shapes of the API of scripts (requirements §8, rows 9 to 15). Times are ISO 8601 in UTC. */
import type { Json } from '../../core/index.ts';

export type ScriptStatus = 'pending' | 'approved' | 'rejected' | 'disabled';

/** `secrets`: for each name the hosts it may be sent to, or `{origins: ["https://host"], in: ["header:authorization"]}`. */
export interface ScriptGrantView {
  readonly secrets: Readonly<Record<string, Json>>;
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  readonly hidden_fields?: readonly string[];
  readonly expires_at?: string;
  readonly quotas?: Partial<ScriptQuotas>;
}

export interface ScriptPower {
  /** One line for lists. */
  readonly summary: string;
  /** `fresh`: not so in the last approved version. */
  readonly lines: readonly {
    readonly kind: 'secret' | 'host' | 'method' | 'limit' | 'none';
    readonly text: string;
    readonly fresh: boolean;
  }[];
  /** What can't be known before it runs, and what will not work as it stands. */
  readonly warnings: readonly string[];
}

export interface ScriptRunView {
  readonly id: string;
  readonly hash: string;
  readonly kind: 'run' | 'exec' | 'test';
  readonly caller: string;
  readonly conversation_id: string | null;
  readonly function: string | null;
  /** Keyed digest: equal for equal arguments. */
  readonly arguments: string;
  readonly grant: ScriptGrantView | null;
  readonly started_at: string;
  readonly duration_ms: number | null;
  readonly queued_ms: number | null;
  readonly steps: number | null;
  readonly outcome: 'running' | 'ok' | 'error' | 'killed' | 'unknown';
  readonly code: string | null;
  readonly message: string | null;
  readonly requests: readonly {
    readonly method: string;
    readonly host: string;
    readonly status: number | null;
    readonly bytes: number | null;
    readonly secrets: readonly string[];
    readonly refused?: string;
  }[];
  readonly bytes: number;
  readonly secrets: readonly string[];
  readonly redactions: Readonly<Record<string, number>>;
}

export interface ScriptSummary {
  readonly name: string;
  /** Of the newest version. */
  readonly hash: string;
  readonly status: ScriptStatus;
  /** A version that is not the newest is approved: it is blocked, or goes on (`starlark.on_change: keep`). */
  readonly modified: boolean;
  /** What script_run would answer now: null, or why it refuses. */
  readonly refused: { readonly code: string; readonly message: string } | null;
  /** Counts every change and decision; send it with an approval to decide again on what was decided. */
  readonly revision: number;
  readonly file: 'same' | 'missing' | 'unreadable';
  readonly description: string;
  readonly required_secrets: readonly string[];
  /** What is granted, what it asks for while nothing is, or both while a changed version waits. */
  readonly power: string;
  readonly author: string;
  readonly created_at: string;
  readonly modified_at: string;
  readonly approved_hash: string | null;
  readonly approved_at: string | null;
  readonly approved_by: string | null;
  readonly rejected_at: string | null;
  readonly rejected_by: string | null;
  readonly reject_reason: string | null;
  readonly disabled_at: string | null;
  readonly disabled_by: string | null;
  /** With the grant: a run or a live test. */
  readonly last_run: ScriptRunView | null;
}

export interface ScriptQuotas {
  readonly runs_per_hour: number;
  readonly requests_per_hour: number;
  readonly bytes_per_hour: number;
}

/** What a run asked for and was refused. POST /api/scripts/:name/offers/dismiss: not shown again for that text. */
export interface ScriptOfferName {
  readonly kind: 'host' | 'method' | 'secret';
  readonly what: string;
  /** Of the text that was refused it. */
  readonly hash: string;
}

export interface Script extends ScriptSummary {
  readonly source: string;
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly functions: readonly { readonly name: string; readonly params: readonly string[] }[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
  /** Of the approval, if there is one. */
  readonly grant: ScriptGrantView | null;
  /** What an approval without `grant` would grant. */
  readonly proposed_grant: ScriptGrantView;
  /** Of the proposed grant, against the approved one. */
  readonly proposed_power: ScriptPower;
  /** Of the approved grant. */
  readonly granted_power: ScriptPower | null;
  /** Secrets that the newest or the approved version is to hold, and that do not exist: it gets None for them. */
  readonly missing_secrets: readonly string[];
  /** Of one hour: what counts where a grant says nothing, and the most that one can give. */
  readonly quotas: { readonly usual: ScriptQuotas; readonly most: ScriptQuotas };
  /** What runs asked for and were refused; nothing is granted by itself. */
  readonly offers: readonly (ScriptOfferName & {
    readonly times: number;
    readonly last_at: string;
  })[];
  /** The last ten. */
  readonly execution_history: readonly ScriptRunView[];
}

export interface ScriptList {
  readonly scripts: readonly ScriptSummary[];
}

export interface ScriptVersionView {
  readonly hash: string;
  /** The same, under the name of older documents. */
  readonly commit: string;
  readonly parent: string | null;
  readonly author: string;
  readonly how: 'tool' | 'page' | 'folder' | 'restored' | 'import';
  readonly message: string;
  readonly timestamp: string;
  readonly decision: 'approved' | 'rejected' | 'passed_over' | null;
  readonly decided_at: string | null;
  readonly decided_by: string | null;
  readonly reason: string | null;
}

export interface ScriptHistory {
  readonly versions: readonly ScriptVersionView[];
}

export interface ScriptVersionText extends ScriptVersionView {
  readonly source: string;
}

export interface ScriptDiff {
  readonly from: string;
  readonly to: string;
  /** Unified; empty for equal texts. */
  readonly diff: string;
}

export interface ScriptRestored {
  readonly name: string;
  readonly status: ScriptStatus;
  readonly hash: string;
  readonly restored_from: string;
}

export interface ScriptRunList {
  /** Newest first. */
  readonly runs: readonly ScriptRunView[];
}

/** How the runs and live tests ended, from oldest to newest; stretches without any are there too. */
export interface ScriptRunChart {
  readonly by: ScriptRunStep;
  readonly stretches: readonly {
    /** When it begins (UTC). */
    readonly at: string;
    readonly ok: number;
    readonly error: number;
    readonly killed: number;
    /** Under way, or cut off with the program. */
    readonly other: number;
  }[];
  /** False: older runs of this time are not kept any more. */
  readonly complete: boolean;
}

/** 24 hours by the hour, or 30 days by the day. */
export type ScriptRunStep = 'hour' | 'day';

export interface ScriptTestAnswer {
  readonly success: boolean;
  /** With the hosts and secrets of the grant; otherwise with made-up answers and secrets. */
  readonly live: boolean;
  readonly run_id: string | null;
  readonly result: Json;
  readonly error: { readonly code: string; readonly message: string; readonly line: number | null } | null;
  readonly duration_ms: number;
  readonly logs: readonly string[];
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly refused: string | null;
  }[];
}

export interface ScriptApproval {
  readonly hash: string;
  readonly grant?: Json | undefined;
  readonly revision?: number | undefined;
  readonly password?: string | undefined;
}

export interface ScriptTestRequest {
  readonly hash: string;
  readonly function?: string | undefined;
  readonly args?: readonly Json[] | undefined;
  readonly kwargs?: { readonly [name: string]: Json } | undefined;
  readonly http?: Json | undefined;
}

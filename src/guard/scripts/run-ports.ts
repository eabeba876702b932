/** What a run is asked for, how it ends, and what running needs. See `runs.ts`. */
import type { Clock, Json, Log, Origin, Principal, RedactionCounts, Redactor } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { ScriptRunKind, ScriptRunStore } from '../../host/storage/script-run-store.ts';
import type { ScriptStore } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';
import type { ScriptSecrets } from '../secrets/broker/index.ts';
import type { ScriptDecisions } from './decisions.ts';
import type { mayLeave } from './leaving.ts';
import type { ScriptLibrary } from './library.ts';
import type { Runner, Send } from './ports.ts';
import type { RunRequest } from './run-watch.ts';
import type { Refused } from './state.ts';

export interface RunAsk {
  readonly name: string;
  readonly function?: string | undefined;
  readonly args?: readonly Json[] | undefined;
  readonly kwargs?: { readonly [name: string]: Json } | undefined;
  readonly by: Principal;
  readonly origin: Origin;
  readonly signal?: AbortSignal | undefined;
  /** `test`: asked for by the owner on the page. Default `run`. */
  readonly kind?: Extract<ScriptRunKind, 'run' | 'test'> | undefined;
  /** Only when this is the approved digest (conflict `script_changed` otherwise). */
  readonly hash?: string | undefined;
}

/** How a run ended. Values and texts are redacted. */
export interface RunDone {
  readonly ok: true;
  readonly runId: string;
  readonly hash: string;
  readonly value: Json;
  readonly error: { readonly code: string; readonly message: string; readonly line: number | null } | null;
  readonly logs: readonly string[];
  readonly durationMs: number;
  readonly requests: readonly RunRequest[];
  readonly hidden: RedactionCounts;
}

export type RunResult = RunDone | Refused;

export interface ScriptRuns {
  /** Errors: config `vault_sealed`; conflict `script_changed`. */
  run(ask: RunAsk): Promise<RunResult>;
  /** Code that nobody reviewed: no secrets, no hosts. Errors: config `vault_sealed`. */
  exec(ask: {
    readonly source: string;
    readonly by: Principal;
    readonly origin: Origin;
    readonly signal?: AbortSignal | undefined;
  }): Promise<RunResult>;
  /** Runs at this moment. */
  readonly running: number;
  /** Ends every run; the number of them. */
  stopAll(): number;
  /** At the start: runs that a former process left behind. */
  recover(): number;
}

export interface RunsDeps {
  readonly library: ScriptLibrary;
  readonly decisions: Pick<ScriptDecisions, 'isHeld'>;
  readonly store: ScriptStore;
  readonly runStore: ScriptRunStore;
  readonly runner: Runner;
  readonly sealed: () => boolean;
  readonly secrets: ScriptSecrets;
  readonly send: Send;
  /** Default: by the grant. */
  readonly mayLeave?: typeof mayLeave;
  /** What the settings of a secret say beside the grant, and who is told that it was used. */
  readonly secretSettings: {
    mayReach(name: string, host: string): boolean;
    used(name: string, by: string): void;
  };
  readonly database: Transactions;
  readonly audit: Audit;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: {
    readonly timeMs: number;
    readonly memoryBytes: number;
    readonly exec: 'off' | 'pure' | 'approval';
    /** Runs of code without a script in an hour, of all conversations. */
    readonly execPerHour: number;
  };
}

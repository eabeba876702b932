/**
 * The shapes of the admin API (requirements §8). The page imports types from here and
 * nothing else of the server. Times are ISO 8601 in UTC unless a name says otherwise.
 */
export type { Json, StoredEvent, TurnEvent, TurnStatus, ToolOutcomeKind } from '../../core/index.ts';

export * from './account-api.ts';
export type * from './approval-api.ts';
export type * from './audit-api.ts';
export type * from './capability-api.ts';
export type * from './conversation-api.ts';
export type * from './identity-api.ts';
export type * from './inbox-api.ts';
export type * from './model-api.ts';
export type * from './policy-api.ts';
export type * from './secret-api.ts';
export type * from './system-api.ts';
export type * from './usage-api.ts';
export type * from './script-api.ts';

/** Every error, with its HTTP status. `fix` says what to do; `reference` finds the log line of an internal error. */
export interface ApiError {
  readonly error: string;
  readonly message: string;
  readonly fix?: string;
  readonly reference?: string;
  readonly retry_after_s?: number;
  /** Of a text that is no program (`invalid_script`). */
  readonly problems?: readonly { readonly line: number; readonly message: string }[];
}

export interface VersionAnswer {
  readonly version: string;
}

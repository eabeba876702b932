/** What the admin edge needs of scripts. Names come with or without `.star`; hashes are `sha256:` and 64 hex digits. */
import type { Actor } from './ports.ts';
import type {
  Script,
  ScriptApproval,
  ScriptDiff,
  ScriptHistory,
  ScriptOfferName,
  ScriptList,
  ScriptRestored,
  ScriptRunChart,
  ScriptRunList,
  ScriptRunStep,
  ScriptRunView,
  ScriptTestAnswer,
  ScriptTestRequest,
  ScriptVersionText,
} from './script-api.ts';

type MaybePromise<T> = T | Promise<T>;

/** Errors of all: `invalid_name` (400), `not_found` (404). */
export interface ScriptsPort {
  list(): Promise<ScriptList>;
  get(name: string): Promise<Script>;
  /** Errors: `script_exists` (409), `invalid_script`, `invalid_text`, `script_too_large` (400). */
  create(
    script: { name: string; source: string; message?: string | undefined },
    actor: Actor,
  ): Promise<Script>;
  /** Errors: `script_changed` (409) when `hash` is not the newest any more, and those of `create`. */
  update(
    name: string,
    change: { source: string; message?: string | undefined; hash?: string | undefined },
    actor: Actor,
  ): Promise<Script>;
  remove(name: string, actor: Actor): Promise<void>;
  /** Errors: `script_changed`, `already_decided` (409), `grant_invalid`, `invalid_script` (400), `step_up_required` (403). */
  approve(name: string, approval: ScriptApproval, actor: Actor): Promise<Script>;
  reject(
    name: string,
    order: { hash?: string | undefined; reason?: string | undefined },
    actor: Actor,
  ): Promise<Script>;
  disable(name: string, actor: Actor): Promise<Script>;
  enable(name: string, password: string | undefined, actor: Actor): Promise<Script>;
  /** Errors: `not_found` where it is not offered; none where it was dismissed before. */
  dismissOffer(name: string, offer: ScriptOfferName, actor: Actor): MaybePromise<Script>;
  /** Newest first; `before` is the id of the last one seen. */
  runs(
    name: string,
    limit: number,
    only: { before?: string | undefined; outcome?: ScriptRunView['outcome'] | undefined },
  ): MaybePromise<ScriptRunList>;
  chart(name: string, by: ScriptRunStep): MaybePromise<ScriptRunChart>;
  /** Errors: `script_changed`, `script_not_approved` and what else `script_run` refuses (409). */
  test(name: string, order: ScriptTestRequest, actor: Actor): Promise<ScriptTestAnswer>;
  history(name: string): MaybePromise<ScriptHistory>;
  version(name: string, hash: string): MaybePromise<ScriptVersionText>;
  diff(name: string, from: string, to: string): MaybePromise<ScriptDiff>;
  restore(name: string, hash: string, actor: Actor): Promise<ScriptRestored>;
}

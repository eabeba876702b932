/**
 * What the admin edge needs from the rest of the program. It knows shapes of the wire (`api.ts`) and nothing of how
 * they come about. A refusal is an `AppError`; anything else that a port throws is answered as an internal error.
 */
import type { Principal, StoredEvent } from '../../core/index.ts';
import type {
  Approval,
  BatchAnswer,
  BatchRequest,
  AuditChain,
  AuditExportFormat,
  AuditFilterQuery,
  AuditList,
  CapabilitiesAnswer,
  BudgetLimits,
  BudgetsView,
  ChatMessage,
  Conversation,
  ConversationChange,
  ConversationExportFormat,
  EarlierEvents,
  IdentityChange,
  IdentityFile,
  IdentityRestore,
  IdentityText,
  InboxList,
  InboxStatus,
  IdentityVersionText,
  ModelChoice,
  ModelsAnswer,
  PolicyAnswer,
  PolicyRuleChange,
  SecretChange,
  SecretFacts,
  SecretValue,
  SystemStatus,
  ToolView,
  UpstreamChange,
  UpstreamTest,
  UpstreamView,
  UsageAnswer,
  UsageBy,
  VaultStatus,
  WaitingAnswer,
} from './api.ts';

type MaybePromise<T> = T | Promise<T>;

/** Who asks, for audit rows and step-up. */
export interface Actor {
  readonly principal: Extract<Principal, { kind: 'user' }>;
  /** The client's address, after trusted proxies. */
  readonly address: string;
}

export interface ConversationHead {
  /** The seq of the newest event; 0 when there is none. */
  readonly seq: number;
  /** Whether a turn is queued, running or waiting. */
  readonly running: boolean;
}

/** What became of something that a client sent over the socket. A refusal is a value: it is answered with `rejected`. */
export type Accepted =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly content: string };

export interface ConversationsPort {
  create(title: string | undefined, actor: Actor): MaybePromise<Conversation>;
  /** Newest first; with `before` (milliseconds and id) those that come after it in that order. */
  list(query: {
    readonly limit?: number | undefined;
    readonly before?: { readonly updated: number; readonly id: string } | undefined;
  }): MaybePromise<readonly Conversation[]>;
  /** Those that have every word of it, newest first. */
  search(query: string): MaybePromise<readonly Conversation[]>;
  get(id: string): MaybePromise<Conversation | undefined>;
  /** Errors: input `invalid_request`, `model_invalid`, `model_acts_by_itself`; conflict with why the model can't be used. */
  change(id: string, change: ConversationChange, actor: Actor): MaybePromise<Conversation | undefined>;
  export(
    id: string,
    format: ConversationExportFormat,
    actor: Actor,
  ): MaybePromise<{ readonly name: string; readonly body: AsyncIterable<string> } | undefined>;
  /** Stops what runs in it first. False when there is none. */
  delete(id: string, actor: Actor): MaybePromise<boolean>;
  /** The newest `limit` messages, oldest first; undefined when there is no such conversation. */
  messages(id: string, limit: number): MaybePromise<readonly ChatMessage[] | undefined>;
  /** What to subscribe after, to hear the newest `messages` of the person and what followed; 0: everything. */
  tail(id: string, messages: number): MaybePromise<number>;
  earlier(id: string, before: number, messages: number): MaybePromise<EarlierEvents | undefined>;
  head(id: string): MaybePromise<ConversationHead | undefined>;
  send(id: string, content: string, actor: Actor): MaybePromise<Accepted>;
  edit(id: string, messageId: string, content: string, actor: Actor): MaybePromise<Accepted>;
  /** Runs the last user message once more. */
  retry(id: string, actor: Actor): MaybePromise<Accepted>;
  /** Goes on from what is recorded. */
  continue(id: string, actor: Actor): MaybePromise<Accepted>;
  /** Stops the running and queued turns; ok also when there were none. */
  abort(id: string, actor: Actor): MaybePromise<Accepted>;
  /**
   * Calls back for every stored event with a seq greater than `after`, oldest first, then for each new one, without a
   * gap and without a repeat, until the returned function is called. May call back before it returns. The listener
   * never throws and never blocks: what a slow client can't take is the edge's affair.
   */
  subscribe(id: string, after: number, listener: (event: StoredEvent) => void): () => void;
}

export interface InboxQuery {
  readonly kind: 'tool' | 'script' | 'all';
  readonly status?: InboxStatus | 'waiting' | 'decided' | undefined;
  readonly conversation?: string | undefined;
  readonly tool?: string | undefined;
  readonly script?: string | undefined;
  readonly q?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface ApprovalsPort {
  list(query: InboxQuery): MaybePromise<InboxList>;
  waiting(): MaybePromise<WaitingAnswer>;
  /**
   * Each for itself, in order. No script is approved by it. Errors, and then nothing was decided: `step_up_required`,
   * `wrong_password` (403).
   */
  batch(request: BatchRequest, actor: Actor): Promise<BatchAnswer>;
  /**
   * Errors: `not_found`, `conflict` or `already_decided` (409), `digest_mismatch` (409), `step_up_required` (403) when
   * this one needs a password and none came, `wrong_password` (403).
   */
  approve(
    id: string,
    options: { readonly digest?: string | undefined; readonly password?: string | undefined },
    actor: Actor,
  ): MaybePromise<Approval>;
  deny(id: string, reason: string | undefined, actor: Actor): MaybePromise<Approval>;
}

export interface AuditPort {
  list(
    query: AuditFilterQuery & {
      readonly before?: number | undefined;
      readonly after?: number | undefined;
      readonly limit: number;
    },
  ): MaybePromise<AuditList>;
  /** Error: `export_running` (409). */
  export(
    query: AuditFilterQuery & { readonly format: AuditExportFormat },
    actor: Actor,
  ): MaybePromise<{ readonly name: string; readonly body: AsyncIterable<string> }>;
  chain(): MaybePromise<AuditChain>;
  /** Starts a check, or answers how far the one that runs has come. */
  verify(actor: Actor): MaybePromise<AuditChain>;
}

export interface ToolsPort {
  list(): MaybePromise<readonly ToolView[]>;
}

export interface ModelsPort {
  upstreams(): MaybePromise<readonly UpstreamView[]>;
  /** Error: `not_found` for a name that isn't an upstream. */
  change(name: string, change: UpstreamChange, actor: Actor): MaybePromise<UpstreamView>;
  models(): MaybePromise<ModelsAnswer>;
  setDefault(choice: ModelChoice, actor: Actor): MaybePromise<ModelChoice>;
  /** Of all conversations that name none of their own; null: none. Errors: as of `setDefault`. */
  setFallback(choice: ModelChoice | null, actor: Actor): MaybePromise<ModelChoice | null>;
  /** One tiny call. A failure of the upstream is an answer with `ok: false`. */
  test(name: string, model: string | undefined, actor: Actor): Promise<UpstreamTest>;
}

export interface UsagePort {
  /** `from` and `to` as they were asked for, and as milliseconds (`toMs` is not included any more). */
  usage(query: {
    readonly from: string;
    readonly to: string;
    readonly by: UsageBy;
    readonly fromMs: number;
    readonly toMs: number;
  }): MaybePromise<UsageAnswer>;
  budgets(): MaybePromise<BudgetsView>;
  /** Errors: `step_up_required` or `wrong_password` (403) when a limit is raised; `budget_invalid`. */
  change(limits: BudgetLimits, password: string | undefined, actor: Actor): MaybePromise<BudgetsView>;
}

/** Whether stored secrets can be opened. */
export interface VaultPort {
  sealed(): boolean;
  status(): MaybePromise<VaultStatus>;
  /** Does nothing when it is open. Errors: `wrong_passphrase` (403), `rate_limited`, `master_key_wrong` (503). */
  unlock(passphrase: string, actor: Actor): Promise<void>;
  /** Ends what runs and forgets the key. Error: `vault_not_lockable` (409) where no passphrase could open it again. */
  lock(actor: Actor): MaybePromise<void>;
  /** Ends at the next lock: for answers that take their time. */
  untilLocked(): AbortSignal;
}

/** Secrets for scripts, without their values. */
export interface SecretsPort {
  list(): MaybePromise<readonly SecretFacts[]>;
  get(name: string): MaybePromise<SecretFacts | undefined>;
  /**
   * Errors: `secret_exists` (409), `secret_weak` (400, confirm it), `secret_name_invalid`, `secret_too_short`,
   * `secret_too_long`, `secret_not_text`, `secret_in_field`, `secret_host_invalid`, `secret_note_invalid`,
   * `secret_date_invalid`; `step_up_required`, `wrong_password` (403) where acts need the password.
   */
  create(name: string, secret: SecretValue, actor: Actor): MaybePromise<SecretFacts>;
  /** Those errors, and `not_found`, `secret_changed` (409), `secret_not_stored` (409). More hosts need the password. */
  change(name: string, change: SecretChange, actor: Actor): MaybePromise<SecretFacts>;
  remove(name: string, actor: Actor): MaybePromise<void>;
}

export interface SystemPort {
  status(): MaybePromise<SystemStatus>;
  /** Ends every running turn; the number of those that were ended. */
  stopAll(actor: Actor): MaybePromise<number>;
  /** For `/health`, without a login: no secrets, no paths. */
  health(): MaybePromise<HealthReport>;
}

export interface HealthReport {
  readonly isolation: { readonly level: 0 | 1 | 2 | 3; readonly summary: string };
  readonly checks: Readonly<
    Record<
      string,
      { readonly status: 'healthy' | 'degraded' | 'unhealthy'; readonly message?: string | undefined }
    >
  >;
}

interface PageFile {
  readonly body: Uint8Array;
}

/** The built page, read whole at start: a request can only name what is in here. Keys look like `index.html`, `assets/app-1f2e.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export interface PolicyPort {
  get(): MaybePromise<PolicyAnswer>;
  /**
   * Errors: `policy_unknown_rule`, `policy_twice`, `policy_limit` (400), `step_up_required`, `wrong_password` (403),
   * `policy_changed` (409).
   */
  change(
    change: {
      readonly rules: readonly PolicyRuleChange[];
      readonly digest: string;
      readonly password?: string | undefined;
    },
    actor: Actor,
  ): MaybePromise<PolicyAnswer>;
}

export interface CapabilitiesPort {
  get(): MaybePromise<CapabilitiesAnswer>;
}

/** The files that say who the assistant is and what it remembers. Errors: `not_found`, `file_conflict` (409). */
export interface IdentityFilesPort {
  list(): MaybePromise<readonly IdentityFile[]>;
  read(path: string): MaybePromise<IdentityText>;
  version(path: string, id: number): MaybePromise<IdentityVersionText>;
  write(change: IdentityChange, actor: Actor): MaybePromise<IdentityText>;
  restore(change: IdentityRestore, actor: Actor): MaybePromise<IdentityText>;
}

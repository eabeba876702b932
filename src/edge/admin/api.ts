/**
 * The shapes of the admin API (requirements §8, issue's interface facts). The page imports types from here and
 * nothing else of the server. Times are ISO 8601 in UTC unless a name says otherwise.
 */
import type { Json, StoredEvent, TurnStatus } from '../../core/index.ts';

export type { Json, StoredEvent, TurnEvent, TurnStatus, ToolOutcomeKind } from '../../core/index.ts';

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

// Setup and login
export type SetupStep = 'account' | 'profile' | 'complete';
export interface SetupStatus {
  readonly setup_required: boolean;
  readonly setup_step: SetupStep;
}
export interface SetupRequest {
  readonly username: string;
  readonly password: string;
  readonly confirm_password: string;
  readonly setup_code: string;
}
export interface SetupAnswer {
  readonly success: true;
  readonly message: string;
  readonly access_token: string;
}
export const PERSONALITIES = [
  'friendly',
  'professional',
  'witty',
  'calm',
  'direct',
  'curious',
  'sardonic',
  'supportive',
  'creative',
  'balanced',
] as const;
export type Personality = (typeof PERSONALITIES)[number];
export interface ProfileRequest {
  readonly agent_name: string;
  readonly personality: Personality;
  readonly user_name: string;
  readonly timezone: string;
}
export interface LoginRequest {
  readonly username: string;
  readonly password: string;
}
/** POST /api/auth/login sets the cookie and answers the same as GET /api/session. */
export interface SessionAnswer {
  readonly access_token: string;
  readonly expires_at: string;
  readonly username: string;
}
export interface MeAnswer {
  readonly username: string;
  readonly role: 'admin';
}
export interface TicketAnswer {
  readonly ticket: string;
  readonly expires_at: string;
}

// Conversations
/**
 * GET /api/sessions (`?q=` searches titles and messages for every word of it), newest first. `?limit=` at most so many;
 * `?before=` and `?before_id=`: those after the conversation with this time of its update and this id.
 */
export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly time: { readonly created: string; readonly updated: string };
  /** The state of the newest turn. */
  readonly status: TurnStatus | null;
  /** Chosen for this conversation, for its next turns; null: the default. */
  readonly model: ConversationModel | null;
  /** What a turn goes on with when its model can't be had; `default`: what `GET /api/models` names. */
  readonly fallback: ConversationFallback;
  /** In the answer to a search: the newest message that has the words; null when only the title has them. */
  readonly found?: { readonly role: 'user' | 'assistant'; readonly snippet: string } | null;
}
export interface ConversationModel {
  readonly provider: string;
  readonly model: string;
}
export type ConversationFallback = ConversationModel | 'default' | 'none';
/** PUT /api/sessions/:id: absent = unchanged; `model: null` = back to the default. Answers the Conversation. */
export interface ConversationChange {
  readonly title?: string | undefined;
  readonly model?: ConversationModel | null | undefined;
  readonly fallback?: ConversationFallback | undefined;
}
/** GET /api/sessions/:id/export?format=: a file to keep, with secrets hidden once more. */
export type ConversationExportFormat = 'markdown' | 'json';
export interface ChatMessage {
  readonly id: string;
  readonly sessionID: string;
  readonly role: 'user' | 'assistant';
  readonly parts: readonly MessagePart[];
  readonly time: { readonly created: string };
  /** The owner edited the message that this came of: the model is not told of it any more. */
  readonly replaced?: true;
}
export type MessagePart =
  | { readonly type: 'text' | 'thinking'; readonly text: string }
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly name: string;
      readonly arguments: Json;
      readonly result: Json;
      readonly is_error: boolean;
    }
  | { readonly type: 'error'; readonly code: string; readonly text: string };

/**
 * GET /api/sessions/:id/events?before=&messages=: the events of so many messages of the person that lie before an event,
 * with the whole of their turns. `from`: the events up to there are left; 0: none.
 */
export interface EarlierEvents {
  readonly events: readonly StoredEvent[];
  readonly from: number;
}

/**
 * WS /api/sessions/:id/chat?ticket=…&after=N: what the server sends. The first is always `connected`. Without `after`,
 * `last=N` begins with the newest N messages of the person.
 */
export type ChatServerEvent =
  | {
      readonly type: 'connected';
      readonly session_id: string;
      /** The events after it follow: what the client said it has, or where the newest messages that it asked for begin. */
      readonly seq: number;
      /** The newest stored event: up to it the past is told again. */
      readonly head: number;
      readonly running: boolean;
    }
  | StoredEvent
  /** A refusal of something that the client sent; not part of the conversation, so it has the seq of the last event. */
  | { readonly type: 'rejected'; readonly code: string; readonly content: string; readonly seq: number };
export type ChatClientMessage =
  | { readonly type: 'message'; readonly content: string }
  /** The last message written anew: the turns that came of it leave the history; what tools did stays done. */
  | { readonly type: 'edit'; readonly message_id: string; readonly content: string }
  | { readonly type: 'abort' }
  /** Runs the last user message once more after a failed, stopped or interrupted turn. */
  | { readonly type: 'retry' }
  /** Lets the assistant go on from what is recorded, without a new message. */
  | { readonly type: 'continue' };

// Approvals
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';
export interface Approval {
  readonly id: string;
  readonly kind: 'tool' | 'script' | 'exec';
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
/** GET /api/approvals?status=&limit= */
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

// Audit
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

// Models
export type UpstreamName =
  | 'openai'
  | 'anthropic'
  | 'google'
  | 'azure'
  | 'openrouter'
  | 'ollama'
  | 'openai-compatible'
  | 'demo';
export interface UpstreamView {
  readonly name: UpstreamName;
  readonly label: string;
  readonly enabled: boolean;
  readonly needs_key: boolean;
  readonly has_key: boolean;
  /** Where the key comes from. A key from the environment wins and can't be changed on the page. */
  readonly key_source: 'environment' | 'stored' | null;
  readonly base_url: string | null;
  readonly default_base_url: string | null;
  readonly note: string | null;
  /** How the newest call ended, since the start; null: there was none. */
  readonly health: {
    readonly outcome: 'ok' | 'failed';
    readonly at: string;
    /** The newest failure, also when a call succeeded since. */
    readonly error_code: string | null;
    readonly error_at: string | null;
  } | null;
}
export interface ModelView {
  readonly provider: UpstreamName;
  readonly model: string;
  readonly label: string;
  readonly context_limit: number | null;
}
export interface ModelChoice {
  readonly provider: UpstreamName;
  readonly model: string;
}
/** GET /api/models. `problems` says per upstream why its list could not be had. */
export interface ModelsAnswer {
  readonly models: readonly ModelView[];
  readonly default: ModelChoice;
  /** What a turn goes on with when its model can't be had, where its conversation names nothing; null: nothing. */
  readonly fallback: ModelChoice | null;
  readonly problems: Readonly<Record<string, string>>;
}
/** GET /api/llm/upstreams */
export interface UpstreamList {
  readonly upstreams: readonly UpstreamView[];
}
/** PUT /api/llm/upstreams/:name: absent = unchanged, null = removed. */
export interface UpstreamChange {
  readonly api_key?: string | null;
  readonly base_url?: string | null;
  readonly enabled?: boolean;
}
/** POST /api/llm/upstreams/:name/test {model?}: one tiny call. */
export interface UpstreamTest {
  readonly ok: boolean;
  readonly message: string;
  readonly duration_ms: number;
}

// Usage and budgets. Days are UTC; tokens are those of prompts and answers; money is US dollars.
export type UsageBy = 'day' | 'model' | 'conversation';
export interface UsageSum {
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of the calls whose price is known. */
  readonly cost_usd: number;
  readonly unpriced_calls: number;
}
export interface UsageRow extends UsageSum {
  /** `2026-03-01`, `provider/model`, or the id of a conversation. */
  readonly key: string;
  readonly label: string;
}
/** GET /api/usage?from=2026-03-01&to=2026-03-14&by=day|model|conversation: both days included, at most 366. */
export interface UsageAnswer {
  readonly from: string;
  readonly to: string;
  readonly by: UsageBy;
  readonly rows: readonly UsageRow[];
  readonly totals: UsageSum;
}
export interface BudgetAmount {
  readonly tokens: number;
  readonly usd: number;
}
export interface BudgetLimits {
  readonly turn: BudgetAmount;
  readonly conversation: BudgetAmount;
  readonly day: BudgetAmount;
}
/** GET and PUT /api/budgets */
export interface BudgetsView {
  readonly limits: BudgetLimits;
  /** From the configuration file. */
  readonly defaults: BudgetLimits;
  readonly today: { readonly spent: BudgetAmount; readonly left: BudgetAmount; readonly ends_at: string };
  /** Reserved for each answer, at most. */
  readonly max_output_tokens: number;
  /** For a million tokens of a model whose price is not known. */
  readonly fallback_price: { readonly input_usd: number; readonly output_usd: number };
  readonly prices_as_of: string;
}
/** PUT /api/budgets; `password` only where the server asked with 403 `step_up_required`: to raise a limit. */
export interface BudgetsChange extends BudgetLimits {
  readonly password?: string;
}

// Tools and system
/** GET /api/mcp/tools */
export interface ToolView {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly effect: 'read' | 'write';
  /** Per resource: what policy says for the page. */
  readonly rules: readonly {
    readonly resource: string;
    readonly decision: 'allow' | 'ask' | 'deny';
    readonly rule: string;
  }[];
}
export interface ToolList {
  readonly tools: readonly ToolView[];
}
/** GET /api/system/status */
export interface SystemStatus {
  readonly version: string;
  readonly isolation: {
    readonly level: 0 | 1 | 2 | 3;
    readonly summary: string;
    readonly missing: readonly { readonly what: string; readonly fix: string }[];
  };
  readonly engine: {
    readonly state: 'starting' | 'ready' | 'failing' | 'stopped';
    readonly detail: string | null;
  };
  readonly pending_approvals: number;
  readonly running_turns: number;
  readonly agent_name: string;
}
/** POST /api/turns/stop: the red Stop: ends every running turn. */
export interface StopAllAnswer {
  readonly stopped: number;
}

// Own account
/** GET /api/auth/sessions: where this account is logged in. */
export interface LoginSession {
  readonly id: string;
  /** The one that asks. */
  readonly current: boolean;
  readonly address: string;
  readonly user_agent: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
}
export interface LoginSessionList {
  readonly sessions: readonly LoginSession[];
}
/** POST /api/auth/password: ends every session and answers as a login does, with a new cookie. */
export interface PasswordChangeRequest {
  readonly current_password: string;
  readonly new_password: string;
  readonly confirm_password: string;
}

// Health, without a login
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';
/** GET /health; 503 when unhealthy. */
export interface HealthAnswer {
  readonly status: HealthStatus;
  readonly version: string;
  readonly timestamp: string;
  /** Such as `1h2m3s`. */
  readonly uptime: string;
  readonly isolation: { readonly level: 0 | 1 | 2 | 3; readonly summary: string };
  readonly checks: Readonly<Record<string, { readonly status: HealthStatus; readonly message?: string }>>;
}
/** GET /ready; 503 when a check is unhealthy. */
export interface ReadyAnswer {
  readonly ready: boolean;
  /** The vault waits for its passphrase. */
  readonly sealed: boolean;
  readonly setup_required: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}

// Secrets
export interface VaultStatus {
  readonly sealed: boolean;
  /** Where the master key comes from: `secure/data/master_key`, a file or variable from outside, a passphrase. */
  readonly protection: 'key_file' | 'external' | 'passphrase';
}
/** A secret for scripts; its value is in no answer. Times are ISO 8601. */
export interface SecretFacts {
  readonly name: string;
  /** From where the value comes that scripts get. */
  readonly source: 'environment' | 'vault' | 'config';
  /** A value is stored in the vault; only then it can be changed here. */
  readonly stored: boolean;
  /** Where it may be sent; empty: an approval alone says that. */
  readonly hosts: readonly string[];
  readonly note: string;
  /** A day, YYYY-MM-DD. */
  readonly rotate_by: string | null;
  readonly due: 'no' | 'soon' | 'due';
  /** Looked for in texts; easily guessed values are not, they are protected as handles only. */
  readonly matched: boolean;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  /** When the value was set. */
  readonly rotated_at: string | null;
  readonly last_used: { readonly at: string; readonly by: string } | null;
}
export interface SecretList {
  readonly secrets: readonly SecretFacts[];
}
export interface SecretFields {
  readonly hosts?: readonly string[] | undefined;
  readonly note?: string | undefined;
  readonly rotate_by?: string | null | undefined;
  readonly confirm_weak?: boolean | undefined;
  readonly password?: string | undefined;
}
export interface SecretValue extends SecretFields {
  readonly value: string;
}
export interface SecretChange extends SecretFields {
  readonly value?: string | undefined;
  /** Refuse with `secret_changed` when it was changed since. */
  readonly if_updated_at?: string | undefined;
}

// Policy
export type PolicyDecision = 'allow' | 'ask' | 'deny';
/** From where a call can come in this version. */
export type PolicyOrigin = 'page' | 'mcp' | 'cli' | 'schedule' | 'chat' | 'system';
/** One square of the table: a tool, a class of targets, an origin. */
export interface PolicyCell {
  readonly tool: string;
  readonly resource: string;
  readonly origin: PolicyOrigin;
  readonly decision: PolicyDecision;
  /** `owner`, the id of a shipped rule, or `default-deny` where no rule names it. */
  readonly rule: string;
  readonly because: string;
  readonly shipped: PolicyDecision;
  /** What can be chosen. */
  readonly choices: readonly PolicyDecision[];
  /** Why the other choices are not there. */
  readonly limit: string | null;
}
/** GET /api/policy, and the answer of PUT. */
export interface PolicyAnswer {
  /** `damaged`: the stored rules can't be read, and the shipped ones decide. */
  readonly source: 'shipped' | 'owner' | 'damaged';
  readonly problem: string | null;
  /** Names this state; a change sends it back. */
  readonly digest: string;
  readonly origins: readonly PolicyOrigin[];
  readonly resources: readonly { readonly name: string; readonly label: string; readonly reach: string }[];
  readonly tools: readonly Pick<ToolView, 'name' | 'title' | 'effect'>[];
  readonly cells: readonly PolicyCell[];
}
export interface PolicyRuleChange {
  readonly tool: string;
  readonly resource: string;
  readonly origin: PolicyOrigin;
  readonly decision: PolicyDecision;
}
/** PUT /api/policy: all rules of the owner; none means the shipped policy. The password is always needed. */
export interface PolicyChange {
  readonly rules: readonly PolicyRuleChange[];
  readonly digest: string;
  readonly password?: string;
}

// What it can do
/** `not_enforced`: it is not meant to, but nothing on this machine stops it. */
export type CapabilityAnswer = 'allowed' | 'asks' | 'never' | 'not_enforced';
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}
export interface Capability {
  readonly id: string;
  readonly group: 'files' | 'network' | 'machine' | 'itself';
  readonly answer: CapabilityAnswer;
  readonly sentence: string;
  /** What enforces it, and whether that is in force now. */
  readonly fences: readonly { readonly text: string; readonly holds: boolean }[];
  /** The tests that attack it. */
  readonly tests: readonly NamedTest[];
}
/** GET /api/capabilities: made from the running system when it is asked for. */
export interface CapabilitiesAnswer {
  readonly at: string;
  readonly agent_name: string;
  readonly isolation: SystemStatus['isolation'];
  readonly policy_source: PolicyAnswer['source'];
  readonly capabilities: readonly Capability[];
  readonly limits: readonly { readonly name: string; readonly value: string }[];
}

// Who it is and what it remembers
export interface IdentityFile {
  readonly path: string;
  readonly kind: 'identity' | 'memory' | 'notes';
  readonly exists: boolean;
  readonly bytes: number;
  readonly modified: string | null;
  readonly versions: number;
}
/** GET /api/identity */
export interface IdentityFileList {
  readonly files: readonly IdentityFile[];
}
export interface IdentityVersion {
  readonly id: number;
  /** SHA-256 of the text. */
  readonly digest: string;
  readonly bytes: number;
  /** `user:NAME`, `assistant`, or `unknown` for what was found there. */
  readonly by: string;
  readonly how: 'page' | 'restored' | 'tool' | 'found';
  readonly at: string;
}
/** GET /api/identity/file?path=, and the answer of PUT and of a restore. */
export interface IdentityText {
  readonly path: string;
  readonly kind: IdentityFile['kind'];
  readonly text: string;
  readonly bytes: number;
  /** Null where there is no file. A change sends it back. */
  readonly digest: string | null;
  readonly versions: readonly IdentityVersion[];
}
/** GET /api/identity/version?path=&id= */
export interface IdentityVersionText extends IdentityVersion {
  readonly path: string;
  readonly text: string;
}
/** PUT /api/identity/file; 409 `file_conflict` when the file is not the one that the digest names. */
export interface IdentityChange {
  readonly path: string;
  readonly text: string;
  readonly digest: string | null;
}
/** POST /api/identity/restore */
export interface IdentityRestore {
  readonly path: string;
  readonly version: number;
  readonly digest: string | null;
}

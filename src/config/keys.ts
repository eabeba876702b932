/** How the text of a variable becomes a value. */
export type KeyKind = 'text' | 'number' | 'flag' | 'list';

export interface KeyInfo {
  readonly kind: KeyKind;
  /** As it would stand in the file. `workspace.path` has none: it depends on where the program is started. */
  readonly default?: string | number | boolean | readonly string[];
  /** Older and shorter names of the variable. */
  readonly short?: readonly string[];
  readonly says: string;
}

/**
 * Every key. Its variable is `OPENPACT_` and the key in capitals with `_` for each dot: `admin.jwt.access_expiry` is
 * OPENPACT_ADMIN_JWT_ACCESS_EXPIRY. Lists are separated by commas there; flags are true, false, 1 or 0.
 */
const KEYS = {
  'workspace.path': { kind: 'text', short: ['WORKSPACE_PATH'], says: 'The folder that holds everything.' },
  'admin.bind': {
    kind: 'text',
    default: '127.0.0.1:8888',
    short: ['ADMIN_BIND'],
    says: 'Address and port of the page.',
  },
  'admin.trusted_proxies': {
    kind: 'list',
    default: [],
    says: 'Proxies whose forwarding headers are believed.',
  },
  'admin.allowed_origins': {
    kind: 'list',
    default: [],
    says: 'Names of the page behind a proxy, such as https://assistant.example.org.',
  },
  'admin.allowed_ips': {
    kind: 'list',
    default: [],
    says: 'Addresses and ranges that may reach the page and the API; empty means all.',
  },
  'admin.insecure_http': {
    kind: 'text',
    default: 'behind-proxy-or-localhost',
    says: 'Plain HTTP under other names than localhost: behind-proxy-or-localhost refuses it, allowed accepts it.',
  },
  'admin.jwt.access_expiry': {
    kind: 'text',
    default: '15m',
    says: 'How long an access token lives: 1m to 60m.',
  },
  'admin.jwt.refresh_expiry': {
    kind: 'text',
    default: '72h',
    says: 'How long a login lasts: 1h to 30d.',
  },
  'admin.step_up': { kind: 'flag', default: false, says: 'Ask for the password again at each approval.' },
  'logging.level': {
    kind: 'text',
    default: 'info',
    short: ['OPENPACT_LOG_LEVEL'],
    says: 'debug, info, warn or error.',
  },
  'logging.json': {
    kind: 'flag',
    default: false,
    short: ['OPENPACT_LOG_JSON'],
    says: 'Log lines as JSON, for machines.',
  },
  'context.ai_may_edit_identity': {
    kind: 'flag',
    default: false,
    says: 'Let the assistant ask to change SOUL.md and USER.md.',
  },
  'approvals.expire_after': {
    kind: 'text',
    default: '24h',
    says: 'How long a request waits for a decision: 1m to 30d.',
  },
  'engine.max_turns_at_once': { kind: 'number', default: 4, says: 'Turns that run side by side.' },
  'engine.max_steps': { kind: 'number', default: 25, says: 'Calls to the model in one turn, at most.' },
  'engine.turn_timeout': { kind: 'text', default: '10m', says: 'A turn is stopped after this time of work.' },
  'engine.provider': {
    kind: 'text',
    default: 'demo',
    short: ['OPENPACT_PROVIDER'],
    says: 'The first choice; the page can change it.',
  },
  'engine.model': {
    kind: 'text',
    default: 'demo',
    short: ['OPENPACT_MODEL'],
    says: 'The first choice; the page can change it.',
  },
  'budget.per_turn_tokens': {
    kind: 'number',
    default: 2_000_000,
    says: 'Tokens of prompts and answers in one turn, at most; the page can change it.',
  },
  'budget.per_turn_usd': {
    kind: 'number',
    default: 5,
    says: 'US dollars for one turn, at most; the page can change it.',
  },
  'budget.per_conversation_tokens': {
    kind: 'number',
    default: 20_000_000,
    says: 'Tokens in one conversation, at most; the page can change it.',
  },
  'budget.per_conversation_usd': {
    kind: 'number',
    default: 25,
    says: 'US dollars for one conversation, at most; the page can change it.',
  },
  'budget.per_day_tokens': {
    kind: 'number',
    default: 50_000_000,
    says: 'Tokens in one day (UTC), at most; the page can change it.',
  },
  'budget.per_day_usd': {
    kind: 'number',
    default: 50,
    says: 'US dollars for one day (UTC), at most; the page can change it.',
  },
  'budget.max_output_tokens': {
    kind: 'number',
    default: 32_768,
    says: 'What one answer may take; so much is reserved before each call.',
  },
  'budget.fallback_input_usd': {
    kind: 'number',
    default: 5,
    says: 'US dollars for a million tokens of prompt, where the price of a model is not known; 0: they cost nothing.',
  },
  'budget.fallback_output_usd': {
    kind: 'number',
    default: 25,
    says: 'US dollars for a million tokens of answer, where the price of a model is not known; 0: they cost nothing.',
  },
  'llm.ollama_host': {
    kind: 'text',
    default: '',
    short: ['OLLAMA_HOST'],
    says: 'Where Ollama listens; empty: 127.0.0.1:11434.',
  },
  'llm.openai_compatible_base_url': {
    kind: 'text',
    default: '',
    short: ['OPENAI_COMPATIBLE_BASE_URL'],
    says: 'Goes with OPENAI_COMPATIBLE_API_KEY: the only place to which that key is sent.',
  },
  'llm.azure_openai_base_url': {
    kind: 'text',
    default: '',
    short: ['AZURE_OPENAI_BASE_URL'],
    says: 'Goes with AZURE_OPENAI_API_KEY: the only place to which that key is sent, such as https://NAME.openai.azure.com.',
  },
  'starlark.on_change': {
    kind: 'text',
    default: 'block',
    says: 'block: a changed script does not run until you decide; keep: the approved version goes on.',
  },
  'starlark.exec_mode': {
    kind: 'text',
    default: 'pure',
    says: 'Code without a script: off, pure (no secrets, no hosts) or approval (the same, and you are asked each time).',
  },
  'starlark.exec_per_hour': {
    kind: 'number',
    default: 200,
    says: 'How often code without a script may run in an hour, in all conversations together.',
  },
  'starlark.max_pending': {
    kind: 'number',
    default: 50,
    says: 'Versions of scripts by the assistant that may wait for you.',
  },
  'starlark.max_execution_ms': {
    kind: 'number',
    default: 30_000,
    says: 'A run of a script is ended after so many milliseconds: 1000 to 300000.',
  },
  'starlark.max_memory_mb': { kind: 'number', default: 128, says: 'Memory of a run, in MiB.' },
  'starlark.approval.auto_approve': {
    kind: 'list',
    default: [],
    says: 'Digests (sha256:...) of scripts that count as approved with what their headers declare; each for one script, while it stands here and until you reject it.',
  },
  'security.min_isolation': {
    kind: 'number',
    default: 0,
    says: 'Refuse to start below this isolation level, 0 to 3.',
  },
  'secrets.hide_old_for': {
    kind: 'text',
    default: '7d',
    says: 'How long a secret that was replaced or deleted stays hidden in texts: 1h to 365d.',
  },
  'security.allow_unsandboxed': {
    kind: 'flag',
    default: false,
    says: 'Run scripts also where the machine has no Landlock and seccomp to fence them in.',
  },
  'server.health_addr': {
    kind: 'text',
    default: '',
    says: 'A second address and port for /healthz, /health and /ready, such as 127.0.0.1:8081; empty: none.',
  },
  'server.rate_limit.rate': {
    kind: 'number',
    default: 10,
    short: ['OPENPACT_RATE_LIMIT'],
    says: 'Requests a second, per address.',
  },
  'server.rate_limit.burst': {
    kind: 'number',
    // One page load makes about ten requests, and two tabs are usual.
    default: 60,
    short: ['OPENPACT_RATE_BURST'],
    says: 'Requests at once, per address.',
  },
} as const satisfies Readonly<Record<string, KeyInfo>>;

export type Key = keyof typeof KEYS;

export const KEY_NAMES = Object.keys(KEYS) as readonly Key[];

export function keyInfo(key: Key): KeyInfo {
  return KEYS[key];
}

export function variableOf(key: Key): string {
  return `OPENPACT_${key.toUpperCase().replaceAll('.', '_')}`;
}

/** Keys of other versions and of old documents, and what to do instead. */
export const GONE: Readonly<Record<string, string>> = {
  'admin.allowlist':
    'a name approves whatever is written under it; pin digests in starlark.approval.auto_approve',
  'scripts.allowlist':
    'a name approves whatever is written under it; pin digests in starlark.approval.auto_approve',
  'starlark.allowlist':
    'a name approves whatever is written under it; pin digests in starlark.approval.auto_approve',
  'starlark.approval.auto_approve_patterns':
    'a pattern approves whatever is written under it; pin digests in starlark.approval.auto_approve',
  'starlark.approval.allowlist': 'pin digests in starlark.approval.auto_approve',
  'starlark.approval.required':
    'every script needs an approval; pin digests in starlark.approval.auto_approve',
  'starlark.enabled': 'scripts are always there; without an approval none runs',
  workspace_path: 'use workspace.path',
  memory_file: 'the assistant always uses ai-data/MEMORY.md',
  soul_file: 'the assistant always uses ai-data/SOUL.md',
  user_file: 'the assistant always uses ai-data/USER.md',
  'mcp.enabled_tools': 'there is no list of tools to switch on',
  'server.port': 'use admin.bind',
  'server.admin_port': 'use admin.bind',
  'logging.format': 'use logging.json',
  'admin.enabled': 'the page is always on; admin.bind says where',
  'admin.jwt.secret': 'set the variable ADMIN_JWT_SECRET or ADMIN_JWT_SECRET_FILE',
  'admin.cors': 'use admin.allowed_origins',
  'engine.type': 'there is one engine, the built-in one',
  'engine.port': 'the engine has no port',
  'engine.hostname': 'the engine has no address',
  'engine.password': 'the engine has no password',
};

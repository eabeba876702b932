import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { UPSTREAM_NAMES } from '../core/index.ts';
import { parseDuration } from './duration.ts';
import type { BindAddress, Config } from './types.ts';

// Messages never repeat the value: it may have come from a variable that holds a secret.

const text = z.string({ error: 'must be a text' }).min(1, 'must not be empty');
const flag = z.boolean({ error: 'must be true or false' });

function whole(from: number, to: number) {
  const problem = `must be a whole number from ${from} to ${to}`;
  return z.int({ error: problem }).min(from, problem).max(to, problem);
}

function number(from: number, to: number) {
  const problem = `must be a number from ${from} to ${to}`;
  return z.number({ error: problem }).min(from, problem).max(to, problem);
}

/** A length of time; becomes milliseconds. */
function duration(from: string, to: string) {
  const problem = `must be a time from ${from} to ${to}, such as "${from}"`;
  const [least = 0, most = 0] = [parseDuration(from), parseDuration(to)];
  return z.string({ error: problem }).transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== undefined && ms >= least && ms <= most) return ms;
    context.issues.push({ code: 'custom', message: problem, input: undefined });
    return z.NEVER;
  });
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` });
}

const ADDRESS = 'must be an address and a port, such as "127.0.0.1:8888" or "[::1]:8888"';
const bind = z.string({ error: ADDRESS }).transform((value, context): BindAddress => {
  const found = parseBind(value);
  if (found !== undefined) return found;
  context.issues.push({ code: 'custom', message: ADDRESS, input: undefined });
  return z.NEVER;
});
const noBind = z.literal('').transform(() => undefined);

function list(problem: string, fits: (value: string) => boolean) {
  return z.array(z.string({ error: problem }).refine(fits, problem), { error: 'must be a list' });
}

const EXEC = 'must be one of off, pure, approval';
const PINNED =
  'must be a digest such as "sha256:" and 64 hex digits: names and patterns are not accepted, since anybody who writes the file would be approved';
type ExecMode = Config['starlark']['execMode'];
const mayBeEmpty = z.string({ error: 'must be a text' }).max(2048, 'must be at most 2048 characters long');
const PROXY = 'must be an IP address or a range, such as "10.0.0.0/8"';
const ORIGIN = 'must be an origin, such as "https://assistant.example.org", without a path';

/** The file's form. Unknown keys are refused at every depth (C-04). */
export const settingsSchema = z.strictObject({
  workspace: z.strictObject({ path: text }),
  admin: z.strictObject({
    bind,
    trusted_proxies: list(PROXY, isAddressOrRange),
    allowed_origins: list(ORIGIN, isOrigin),
    allowed_ips: list(PROXY, isAddressOrRange),
    insecure_http: oneOf(['behind-proxy-or-localhost', 'allowed']),
    jwt: z.strictObject({
      access_expiry: duration('1m', '60m'),
      refresh_expiry: duration('1h', '30d'),
    }),
    step_up: flag,
  }),
  logging: z.strictObject({ level: oneOf(['debug', 'info', 'warn', 'error']), json: flag }),
  context: z.strictObject({ ai_may_edit_identity: flag }),
  approvals: z.strictObject({ expire_after: duration('1m', '30d') }),
  engine: z.strictObject({
    max_turns_at_once: whole(1, 32),
    max_steps: whole(1, 200),
    turn_timeout: duration('10s', '24h'),
    provider: oneOf(UPSTREAM_NAMES),
    model: text.max(200, 'must be at most 200 characters long'),
  }),
  budget: z.strictObject({
    per_turn_tokens: whole(1, 1_000_000_000_000),
    per_turn_usd: number(0.01, 1_000_000),
    per_conversation_tokens: whole(1, 1_000_000_000_000),
    per_conversation_usd: number(0.01, 1_000_000),
    per_day_tokens: whole(1, 1_000_000_000_000),
    per_day_usd: number(0.01, 1_000_000),
    max_output_tokens: whole(256, 1_000_000),
    fallback_input_usd: number(0, 10_000),
    fallback_output_usd: number(0, 10_000),
  }),
  llm: z.strictObject({
    ollama_host: mayBeEmpty,
    openai_compatible_base_url: mayBeEmpty,
    azure_openai_base_url: mayBeEmpty,
  }),
  starlark: z.strictObject({
    on_change: oneOf(['block', 'keep']),
    exec_mode: z.string({ error: EXEC }).transform((value, context): ExecMode => {
      if (value === 'off' || value === 'pure' || value === 'approval') return value;
      context.issues.push({
        code: 'custom',
        message:
          value === 'http'
            ? `${EXEC}; "http" is gone: code that nobody reviewed reaches no host, propose a script instead`
            : EXEC,
        input: undefined,
      });
      return z.NEVER;
    }),
    exec_per_hour: whole(1, 10_000),
    max_pending: whole(1, 10_000),
    max_execution_ms: whole(1_000, 300_000),
    max_memory_mb: whole(8, 1_024),
    approval: z.strictObject({ auto_approve: list(PINNED, (value) => /^sha256:[0-9a-f]{64}$/.test(value)) }),
  }),
  security: z.strictObject({
    min_isolation: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)], {
      error: 'must be 0, 1, 2 or 3',
    }),
    allow_unsandboxed: flag,
  }),
  secrets: z.strictObject({ hide_old_for: duration('1h', '365d') }),
  server: z.strictObject({
    health_addr: z.union([noBind, bind], { error: ADDRESS }),
    rate_limit: z.strictObject({ rate: number(0.1, 10_000), burst: whole(1, 100_000) }),
  }),
});

export type Settings = z.output<typeof settingsSchema>;

/** The settings under the names that the program uses. */
export function toConfig(settings: Settings): Config {
  const { admin, engine, budget } = settings;
  return {
    workspace: settings.workspace,
    admin: {
      bind: admin.bind,
      trustedProxies: admin.trusted_proxies,
      allowedOrigins: admin.allowed_origins,
      allowedIps: admin.allowed_ips,
      insecureHttp: admin.insecure_http,
      jwt: { accessExpiryMs: admin.jwt.access_expiry, refreshExpiryMs: admin.jwt.refresh_expiry },
      stepUp: admin.step_up,
    },
    logging: settings.logging,
    context: { aiMayEditIdentity: settings.context.ai_may_edit_identity },
    approvals: { expireAfterMs: settings.approvals.expire_after },
    engine: {
      maxTurnsAtOnce: engine.max_turns_at_once,
      maxSteps: engine.max_steps,
      turnTimeoutMs: engine.turn_timeout,
      provider: engine.provider,
      model: engine.model,
    },
    budget: {
      turn: { tokens: budget.per_turn_tokens, usd: budget.per_turn_usd },
      conversation: { tokens: budget.per_conversation_tokens, usd: budget.per_conversation_usd },
      day: { tokens: budget.per_day_tokens, usd: budget.per_day_usd },
      maxOutputTokens: budget.max_output_tokens,
      fallbackPrice: { input: budget.fallback_input_usd, output: budget.fallback_output_usd },
    },
    llm: {
      ollamaHost: settings.llm.ollama_host,
      compatibleBaseUrl: settings.llm.openai_compatible_base_url,
      azureBaseUrl: settings.llm.azure_openai_base_url,
    },
    starlark: {
      onChange: settings.starlark.on_change,
      execMode: settings.starlark.exec_mode,
      execPerHour: settings.starlark.exec_per_hour,
      maxPending: settings.starlark.max_pending,
      maxExecutionMs: settings.starlark.max_execution_ms,
      maxMemoryBytes: settings.starlark.max_memory_mb * 1024 * 1024,
      autoApprove: settings.starlark.approval.auto_approve,
    },
    security: {
      minIsolation: settings.security.min_isolation,
      allowUnsandboxed: settings.security.allow_unsandboxed,
    },
    secrets: { hideOldForMs: settings.secrets.hide_old_for },
    server: { rateLimit: settings.server.rate_limit, healthAddress: settings.server.health_addr },
  };
}

function parseBind(value: string): BindAddress | undefined {
  const found = /^(?:\[([0-9a-fA-F:.%]+)\]|([a-zA-Z0-9.-]+)):(\d{1,5})$/.exec(value);
  if (!found) return undefined;
  const [, six, other, digits] = found;
  const port = Number(digits);
  const host = six ?? other ?? '';
  if (port > 65_535 || (six !== undefined && !ipaddr.IPv6.isValid(six))) return undefined;
  return { host, port };
}

function isAddressOrRange(value: string): boolean {
  return ipaddr.isValidCIDR(value) || ipaddr.IPv6.isValid(value) || ipaddr.IPv4.isValidFourPartDecimal(value);
}

function isOrigin(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && ['http:', 'https:'].includes(url.protocol) && url.origin === value;
}

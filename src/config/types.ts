/** The whole configuration, checked and frozen. Durations are milliseconds, paths absolute. It holds no secret. */
import type { UpstreamName } from '../core/index.ts';

export interface Config {
  readonly workspace: { readonly path: string };
  readonly admin: {
    readonly bind: BindAddress;
    /** Addresses and CIDR ranges whose `X-Forwarded-*` headers count. */
    readonly trustedProxies: readonly string[];
    /** Further origins that may call the API, such as `https://assistant.example.org`. */
    readonly allowedOrigins: readonly string[];
    /** Addresses and ranges of clients; empty: all. */
    readonly allowedIps: readonly string[];
    /** Whether plain HTTP is served under other names than those of this machine's loopback. */
    readonly insecureHttp: 'behind-proxy-or-localhost' | 'allowed';
    readonly jwt: {
      /** 1 to 60 minutes. */
      readonly accessExpiryMs: number;
      /** Up to 30 days. */
      readonly refreshExpiryMs: number;
    };
    /** Ask for the password again at each approval. */
    readonly stepUp: boolean;
  };
  readonly logging: { readonly level: LogLevel; readonly json: boolean };
  readonly context: { readonly aiMayEditIdentity: boolean };
  readonly approvals: { readonly expireAfterMs: number };
  readonly engine: {
    readonly maxTurnsAtOnce: number;
    /** LLM calls of one turn, at most. */
    readonly maxSteps: number;
    readonly turnTimeoutMs: number;
    /** The first choice; one made on the page wins. */
    readonly provider: UpstreamName;
    readonly model: string;
  };
  /** First limits; those that were set on the page win. Tokens of prompts and answers together; US dollars; UTC days. */
  readonly budget: {
    readonly turn: { readonly tokens: number; readonly usd: number };
    readonly conversation: { readonly tokens: number; readonly usd: number };
    readonly day: { readonly tokens: number; readonly usd: number };
    readonly maxOutputTokens: number;
    /** US dollars for a million tokens, where the price of a model is not known. */
    readonly fallbackPrice: { readonly input: number; readonly output: number };
  };
  /** Addresses of model providers; empty: not said. */
  readonly llm: {
    readonly ollamaHost: string;
    readonly compatibleBaseUrl: string;
    readonly azureBaseUrl: string;
  };
  readonly starlark: {
    /** What a changed script does to its approved version. */
    readonly onChange: 'block' | 'keep';
    /** Code without a script: not at all, without any power, or the same after an approval each time. */
    readonly execMode: 'off' | 'pure' | 'approval';
    readonly execPerHour: number;
    readonly maxPending: number;
    readonly maxExecutionMs: number;
    readonly maxMemoryBytes: number;
    /** `sha256:` and 64 hex digits. */
    readonly autoApprove: readonly string[];
  };
  readonly security: {
    /** Refuse to start where the machine offers less than this isolation level. */
    readonly minIsolation: 0 | 1 | 2 | 3;
    /** Run scripts below level 2, where nothing fences them in. */
    readonly allowUnsandboxed: boolean;
  };
  /** How long a replaced or deleted secret stays hidden in texts. */
  readonly secrets: { readonly hideOldForMs: number };
  /** Requests a second, and how many at once, per address. */
  readonly server: {
    readonly rateLimit: { readonly rate: number; readonly burst: number };
    /** Where health is served as well; undefined: nowhere else. */
    readonly healthAddress: BindAddress | undefined;
  };
}

export interface BindAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The variables of the surroundings, as they were handed over. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line may set. */
export interface ConfigFlags {
  readonly workspace?: string | undefined;
  readonly config?: string | undefined;
  readonly port?: number | undefined;
  /** `--json`: the log becomes JSON lines. */
  readonly json?: boolean | undefined;
}

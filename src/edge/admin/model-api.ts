/** The shapes of the API: models and the providers that have them. */
import type { UpstreamName } from '../../core/index.ts';

export type { UpstreamName };
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

/** The shapes of the API: tools, the state of the system, and what is told without a login. */

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
  /** Calls of tools that wait. */
  readonly pending_approvals: number;
  /** Versions of scripts that wait. */
  readonly pending_scripts: number;
  readonly running_turns: number;
  readonly agent_name: string;
}
/** POST /api/turns/stop: the red Stop: ends every running turn. */
export interface StopAllAnswer {
  readonly stopped: number;
}

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

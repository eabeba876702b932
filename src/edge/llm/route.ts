import type { HttpAnswer } from '../../host/net/index.ts';
import type { StepUsage } from './ports.ts';
import type { ModelPrice } from './prices.ts';
import type { Wire } from './wires/wire.ts';

/** A request to an upstream: our body, the upstream's key added by whoever implements it. */
export interface UpstreamRequest {
  /** Below the base URL, made by the wire. */
  readonly path: string;
  /** JSON for a POST; absent for a GET. */
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly timeouts: {
    readonly connectMs: number;
    readonly headersMs: number;
    readonly idleMs: number;
    readonly totalMs: number;
  };
  readonly maxBytes: number;
}

/** The way to one upstream, ready to be used. */
export interface ModelRoute {
  readonly provider: string;
  /** For a person. */
  readonly label: string;
  /** What the upstream speaks, and the engine in a turn on it. */
  readonly wire: Wire;
  /** Rejects with an AppError whose code is an `HttpFailure`. */
  send(request: UpstreamRequest): Promise<HttpAnswer>;
  /** In US dollars; null when unknown. */
  cost(model: string, usage: StepUsage): number | null;
  /** US dollars for a million tokens and the model's own limit for an answer; undefined when the price is unknown. */
  price(model: string): ModelPrice | undefined;
  /** Whether the upstream's own word on the cost counts. */
  readonly reportsCost: boolean;
}

export type RouteAnswer =
  | { readonly ok: true; readonly route: ModelRoute }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Where the gateway gets its routes from. */
export interface ModelRoutes {
  /** The key is read at the moment of a call, so a route may be asked for at any time. */
  routeTo(provider: string): RouteAnswer;
}

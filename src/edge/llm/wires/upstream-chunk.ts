// What a wire reads from an upstream's stream, in words that are the same for all of them.
import type { StepUsage } from '../ports.ts';

/** What one event adds to the answer. */
export interface UpstreamChunk {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly CallDelta[];
  /**
   * Why the answer ended: `stop`, `tool_calls`, `length`, `content_filter` or `error`; a provider's own word where none of
   * these fits, which counts as a good end. Undefined: not yet. An answer without one is never believed.
   */
  readonly finish: string | undefined;
  /** All that is known so far: a later one replaces an earlier one. */
  readonly usage: UpstreamUsage | undefined;
  readonly error: UpstreamReport | undefined;
  /** Nothing more will come: the connection may be left. */
  readonly last: boolean;
}

export type UpstreamUsage = StepUsage & {
  /** US dollars, where the upstream itself says. */
  readonly costUsd: number | null;
};

export const EMPTY_CHUNK: UpstreamChunk = {
  text: '',
  thinking: '',
  calls: [],
  finish: undefined,
  usage: undefined,
  error: undefined,
  last: false,
};

export interface CallDelta {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly argumentsText: string;
}

/** What an upstream says of its own trouble. */
export interface UpstreamReport {
  /** HTTP status; 400 to 599. */
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly message: string | undefined;
  /** What it is, where the wire can tell better than the status. */
  readonly known?: 'llm_provider_acted' | 'llm_bad_call' | 'llm_filtered' | 'llm_unauthorized';
}

import type { Json, Origin, ToolDefinition } from '../../core/index.ts';

/**
 * What the gateway needs of whoever owns the turns. Every method is synchronous: `beginStep`, `toolCalls` and
 * `stepEnd` are called inside a transaction of the gateway together with its audit row, so what they write is
 * kept or lost with that row. A method that throws ends the step as failed, and nothing further is forwarded.
 */
export interface TurnAuthority {
  /** The turn that this capability belongs to; undefined for a wrong or a dead one. Compares in constant time. */
  turnFor(capability: string): GatewayTurn | undefined;
}

export interface GatewayTurn {
  readonly turnId: string;
  readonly conversationId: string;
  /** From where the turn was asked, for the audit log. */
  readonly origin: Origin;
  /** Name of the upstream and of the model; the engine can't choose others. */
  readonly provider: string;
  readonly model: string;
  /** The only tools that a model may be offered in this turn, with the definitions that are sent upstream. */
  readonly tools: readonly ToolDefinition[];
  /** Aborted when the turn is stopped or ends. The gateway then closes the upstream connection at once. */
  readonly signal: AbortSignal;

  /**
   * One more call to the model. Counts, enforces the step limit, records the call as running. `step` starts at 1 and is
   * never given twice in a turn: it is a part of the exactly-once key of tool calls.
   */
  beginStep(): StepStart;
  /** The redacted text of this step's part so far (the whole, not a delta). May be called often: don't write a row each. */
  text(step: number, part: StepPart, fullTextSoFar: string): void;
  /** The part is complete, or as complete as it will be. Called at most once a part, before `toolCalls` and `stepEnd`. */
  partEnd(step: number, part: StepPart, fullText: string): void;
  /** The calls of an answer that ended well; must be durable on return. Only then are they forwarded to the engine. */
  toolCalls(step: number, calls: readonly GatewayToolCall[]): void;
  /** Exactly once for each `beginStep` that was ok. */
  stepEnd(step: number, end: StepEnd): void;
  /** The gateway refused a request of the engine before it became a step. `message` is for a person. */
  refused(code: string, message: string): void;
}

export type StepStart =
  | { readonly ok: true; readonly step: number }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** A step has at most one part of each kind: what a model says in pieces is joined. */
export type StepPart = 'text' | 'thinking';

export interface GatewayToolCall {
  /** Counts from 0 in the order of the answer; with turn and step the exactly-once key. */
  readonly index: number;
  /** `c`, step and index as four digits each: c00030000. Unique in a turn, not in a conversation. */
  readonly id: string;
  /** As the model said it (made safe: letters, digits, `_`, `-`, at most 64). May be a tool that doesn't exist. */
  readonly name: string;
  /** What the engine gets to see: JSON of `arguments`, or the model's own text where that was no JSON object. */
  readonly argumentsText: string;
  /** Redacted; undefined when the text was no JSON object: such a call must never run. */
  readonly arguments: Json | undefined;
}

export interface StepEnd {
  readonly outcome: 'ok' | 'failed' | 'stopped';
  /** `stop`, `tool_calls`, `length`, `content_filter`, or the upstream's own word; null when it said none. */
  readonly finishReason: string | null;
  readonly usage: StepUsage;
  /** Null when the price isn't known. */
  readonly costUsd: number | null;
  /** Only when failed: a fixed code and what happened, why, what to do. */
  readonly error?: {
    readonly code: string;
    readonly message: string;
    /** The upstream could not be had (see unavailable.ts) and nobody has seen anything of its answer. */
    readonly unavailable?: boolean;
  };
  /** Something a person should know though the step was ok, such as an answer cut off at the model's limit. */
  readonly note?: { readonly code: string; readonly message: string };
}

/** Tokens; null where the upstream didn't say. */
export interface StepUsage {
  readonly input: number | null;
  readonly output: number | null;
  /** Part of `input` that came from the upstream's cache. */
  readonly cached: number | null;
  /** Part of `input` that was put into the cache, which some charge more for; absent where a wire knows no such thing. */
  readonly written?: number;
}

/** Answers the engine's requests, in this process. Never rejects. */
export interface LlmGateway {
  readonly fetch: (request: Request) => Promise<Response>;
}

/** Sealed API keys by name of the upstream. Read only at the moment of a call; synchronous, joins a running transaction. */
export interface KeyPort {
  put(name: string, value: string): void;
  has(name: string): boolean;
  remove(name: string): void;
  /** The plaintext, to be put into a request header and nowhere else. */
  use(name: string): string | null;
}

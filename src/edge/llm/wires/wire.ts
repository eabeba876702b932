import type {
  Json,
  JsonObject,
  RedactionCounts,
  Redactor,
  ToolDefinition,
  WireName,
} from '../../../core/index.ts';
import type { GatewayToolCall, StepPart, StepUsage } from '../ports.ts';
import type { Refusal } from './refusals.ts';
import type { UpstreamChunk, UpstreamReport } from './upstream-chunk.ts';

/**
 * One provider's language, on both sides of the gateway: what the engine may say in it, what of that goes upstream, and
 * how an answer is read from the upstream and told to the engine. A wire holds nothing between two requests; what is
 * stateful (`reader`, `writer`) is made anew for each. Everything that is the same for all of them (capabilities, limits,
 * budgets, records, redaction of answers, ids of calls, what is run) is not here and can't be changed from here.
 */
export interface Wire {
  readonly name: WireName;

  /** The one path (with its query, if it has one) to which the engine may POST in a turn on this model. */
  enginePath(model: string): string;

  /**
   * Checks what the engine sent against a closed list. `headers` are those that the engine may set at all; one that asks
   * for more than the body does (`anthropic-beta`) is refused here. Nothing unchecked may be reachable from the result.
   */
  check(text: string, headers: Headers, context: CheckContext): CheckedPrompt | RefusedPrompt;

  /** Where the request goes, below the base URL, without a leading slash. `model` was checked by `isModelName`. */
  upstreamPath(model: string): string;

  /** Headers of every request to the upstream, that for the key among them. Names in lower case. */
  upstreamHeaders(key: string | null): Readonly<Record<string, string>>;

  /** For one answer. An attacker may control everything that it reads. */
  reader(): UpstreamReader;

  /** What the body of an answer that is no stream says of the upstream's trouble; undefined: nothing. */
  readFailure(body: Json): UpstreamReport | undefined;

  /** Tells one answer to the engine. */
  writer(answer: AnswerFrame): AnswerWriter;

  /** The body of a refusal in the shape that the wire's client reads; both code and message are in it. */
  failureBody(refusal: Refusal): JsonObject;

  /** The body of a tiny call without tools. */
  testBody(model: string, prompt: string, maxOutput: number): string;

  readonly modelList: ModelListing;
}

/** What a request is held against. */
export interface CheckContext {
  readonly model: string;
  /** The only tools that may be offered. */
  readonly tools: readonly ToolDefinition[];
  readonly maxDepth: number;
}

export type RefusedPrompt = { readonly ok: false } & Refusal;

/** A request that passed, still without a body. */
export interface CheckedPrompt {
  readonly ok: true;
  /** How many messages it has, for the audit log. */
  readonly messages: number;
  /** Tokens of the answer, as the engine asked; undefined: it didn't say. */
  readonly maxOutput: number | undefined;
  /** Builds the body from what was checked and our own tool definitions, with known secrets replaced. */
  outbound(options: OutboundOptions): Outbound;
}

export interface OutboundOptions {
  /** Of the turn; those that the engine offered go upstream with these definitions. */
  readonly tools: readonly ToolDefinition[];
  /** Tokens of the answer, at most; undefined: leave it to the upstream. */
  readonly maxOutput: number | undefined;
  readonly redactor: Redactor;
  /**
   * What the upstream must get back unchanged with this step of this turn, as `UpstreamReader.sealed` gave it;
   * undefined: nothing, or no longer. `seal` is the name that the engine was given instead (`AnswerFrame.seal`).
   */
  readonly sealed: (seal: string) => Json | undefined;
}

export type Outbound =
  | { readonly ok: true; readonly body: string; readonly hidden: RedactionCounts }
  | RefusedPrompt;

export interface UpstreamReader {
  /** Reads the data of one server-sent event. Undefined: no event of this wire. Unknown events that a wire allows are empty chunks. */
  read(data: string, maxDepth: number): UpstreamChunk | undefined;
  /**
   * What signs the answer, and what it signs: thinking blocks, encrypted reasoning, thought signatures. After a good end.
   * The gateway keeps it for the turn (if no known secret is in it: then it is dropped), the engine never sees it.
   * Undefined: nothing was signed. It must hold all that the wire needs to say the message again, but for the calls.
   */
  sealed(): Json | undefined;
}

/** What an answer to the engine starts with. */
export interface AnswerFrame {
  /** Of the answer, made by us. */
  readonly id: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
  /**
   * The engine gets this where the provider would give a signature, and sends it back in its place. Known before the
   * answer is; whether anything is kept under it shows only at the end.
   */
  readonly seal: string;
}

/** Each method returns text of the engine's stream, ready to be sent (whole server-sent events; may be empty). */
export interface AnswerWriter {
  part(part: StepPart, delta: string): string;
  /** `finishReason` in the neutral words of `UpstreamChunk.finish`; `sealed`: whether something was kept. */
  finish(calls: readonly GatewayToolCall[], finishReason: string, usage: StepUsage, sealed: boolean): string;
  /** An error that ends the stream. A client must be unable to take it for an end of the answer. */
  fail(code: string, message: string): string;
}

/** The upstream's list of its models. */
export interface ModelListing {
  /** Below the base URL; `after` is the cursor of the page before. */
  path(after: string | undefined): string;
  /** Undefined: this is no such list. The caller checks and caps what comes. */
  read(body: Json): ModelPage | undefined;
}

export interface ModelPage {
  readonly models: readonly ListedModel[];
  /** Cursor of the next page; undefined: this is the last. */
  readonly next: string | undefined;
}

export interface ListedModel {
  readonly id: Json | undefined;
  readonly label: Json | undefined;
  /** Tokens. */
  readonly context: Json | undefined;
}

import type { Json, JsonObject, ToolDefinition } from '../../core/index.ts';

/**
 * What this edge needs of the trusted side. It never runs a tool itself: every call goes through the gate
 * (decide, ask, run, redact, record), and whether a call is one that a model really made is the gate's to know.
 */
export interface ToolGate {
  /** The running turn that this capability belongs to. Compares in constant time; undefined when it is dead or unknown. */
  turnFor(capability: string): McpTurn | undefined;
}

export interface McpTurn {
  /** What this turn may call, in any order. */
  tools(): readonly McpTool[];
  /** Told of a name that is none of `tools()`, so that it can be recorded. */
  unknown(name: string): void;
  /** Resolves with refusals too. Only a bug rejects, and then the caller hears "internal error" and nothing else. */
  call(call: McpCall): Promise<ToolCallAnswer>;
}

/** A tool as other programs see it. */
export interface McpTool extends ToolDefinition {
  readonly title?: string | undefined;
  readonly annotations?: McpAnnotations | undefined;
}

/** Hints of the MCP specification: what a client may show. No control of ours depends on them. */
interface McpAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

export interface McpCall {
  /** From `_meta["openpact/call"]`; undefined when the caller named none. The gate decides what that means. */
  readonly callId: string | undefined;
  /** One of `tools()`. */
  readonly name: string;
  readonly arguments: JsonObject;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

export interface ToolCallAnswer {
  /** What the model reads: JSON text, or plain text. Already redacted. */
  readonly text: string;
  /** The same as data, when it is an object. Already redacted. */
  readonly structured?: Json | undefined;
  /** A failure, a refusal or a denial. */
  readonly isError: boolean;
  /** Stable code of a failure, such as `denied`; put into `_meta["openpact/code"]`. */
  readonly code?: string | undefined;
}

import type { Json } from './json.ts';

/** What a model is told of a conversation so far. Every call has a result: an unanswered one bricks a conversation. */
export type HistoryMessage =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly HistoryCall[] }
  | { readonly role: 'tool'; readonly results: readonly HistoryResult[] };

export interface HistoryCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
}

export interface HistoryResult {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly is_error: boolean;
}

/** A function tool as it is offered to a model. `schema` is JSON Schema. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, Json>>;
}

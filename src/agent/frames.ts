import type { HistoryMessage, ToolDefinition, WireName } from '../core/index.ts';

/**
 * What goes over the two pipes: one JSON text a line. Bodies travel as text, because both wires that they carry
 * (server-sent events and JSON) are UTF-8.
 */
export type FrameFromParent =
  | TurnFrame
  | { readonly t: 'abort'; readonly turn: string }
  | { readonly t: 'ping'; readonly n: number }
  | {
      readonly t: 'head';
      readonly req: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly t: 'body'; readonly req: number; readonly data: string }
  | { readonly t: 'end'; readonly req: number }
  /** The answer, or the rest of it, will not come. */
  | { readonly t: 'fail'; readonly req: number; readonly message: string };

export interface TurnFrame {
  readonly t: 'turn';
  readonly turn: string;
  readonly capability: string;
  readonly model: string;
  readonly wire: WireName;
  readonly system: string;
  readonly history: readonly HistoryMessage[];
  readonly tools: readonly ToolDefinition[];
  readonly maxSteps: number;
}

export type FrameFromAgent =
  | { readonly t: 'ready' }
  | { readonly t: 'pong'; readonly n: number }
  | {
      readonly t: 'request';
      readonly turn: string;
      readonly req: number;
      readonly target: Target;
      readonly method: string;
      /** With a leading slash. */
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly t: 'cancel'; readonly req: number }
  /** So many more characters of this answer may come. */
  | { readonly t: 'ack'; readonly req: number; readonly n: number }
  | { readonly t: 'done'; readonly turn: string; readonly outcome: AgentOutcome };

export type Target = 'llm' | 'mcp';

export type AgentOutcome =
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

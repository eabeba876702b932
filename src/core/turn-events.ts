import type { Json } from './json.ts';

/** What the page and other surfaces hear of a conversation. `seq` grows by at least one per event. */
export type TurnEvent =
  | { readonly type: 'user'; readonly message_id: string; readonly content: string }
  /**
   * The owner wrote the last message anew. What these turns said and did stays visible and is no longer told to the
   * model; what their tools did stays done.
   */
  | { readonly type: 'replaced'; readonly message_id: string; readonly turns: readonly string[] }
  /** From this turn on the model is no longer told so many of the earlier messages, because the conversation is long. */
  | { readonly type: 'trimmed'; readonly left_out: number }
  | { readonly type: 'queued'; readonly position: number }
  /** Work has begun, with this model. */
  | { readonly type: 'started'; readonly provider: string; readonly model: string }
  /** The upstream of the first model could not be had (`code`, and the words for it); the turn went on with the second. */
  | {
      readonly type: 'switched';
      readonly from: { readonly provider: string; readonly model: string };
      readonly to: { readonly provider: string; readonly model: string };
      readonly code: string;
      readonly content: string;
    }
  | { readonly type: 'thinking'; readonly part_id: string; readonly content: string }
  | { readonly type: 'text'; readonly part_id: string; readonly content: string }
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly arguments: Json }
  | {
      readonly type: 'tool_result';
      readonly id: string;
      readonly result: Json;
      readonly is_error: boolean;
      readonly redactions: Readonly<Record<string, number>>;
      readonly outcome: ToolOutcomeKind;
      readonly rule?: string;
      readonly duration_ms?: number;
      readonly audit_seq?: number;
    }
  | {
      readonly type: 'approval';
      readonly id: string;
      readonly call_id: string;
      readonly tool: string;
      readonly arguments: Json;
      readonly summary: string;
      readonly expires_at: string;
    }
  | { readonly type: 'approval_decided'; readonly id: string; readonly status: string; readonly by?: string }
  | {
      readonly type: 'usage';
      readonly input_tokens: number;
      readonly output_tokens: number;
      /** Of the last call alone, in and out: what the next one begins with. Absent where the model did not say. */
      readonly context_tokens?: number;
      readonly cost_usd: number | null;
      readonly model: string;
      readonly provider: string;
    }
  | { readonly type: 'aborted'; readonly by: string }
  | { readonly type: 'error'; readonly code: string; readonly content: string }
  | {
      readonly type: 'done';
      readonly status: TurnStatus;
      readonly can_retry: boolean;
      readonly can_continue: boolean;
    };

/** How a tool call ended. `unknown`: we can't tell whether it took effect, and never run it again by ourselves. */
export type ToolOutcomeKind = 'done' | 'failed' | 'denied' | 'refused' | 'expired' | 'stopped' | 'unknown';

export type TurnStatus = 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'stopped' | 'interrupted';

/** An event as it is sent and stored. */
export type StoredEvent = TurnEvent & {
  readonly seq: number;
  readonly turn_id: string | null;
  /** ISO time. */
  readonly at: string;
};

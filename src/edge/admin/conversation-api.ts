/** The shapes of the API: conversations, their messages and what is said over the socket. */
import type { Json, StoredEvent, TurnStatus } from '../../core/index.ts';

/**
 * GET /api/sessions (`?q=` searches titles and messages for every word of it), newest first. `?limit=` at most so many;
 * `?before=` and `?before_id=`: those after the conversation with this time of its update and this id.
 */
export interface Conversation {
  readonly id: string;
  readonly title: string;
  readonly time: { readonly created: string; readonly updated: string };
  /** The state of the newest turn. */
  readonly status: TurnStatus | null;
  /** Chosen for this conversation, for its next turns; null: the default. */
  readonly model: ConversationModel | null;
  /** What a turn goes on with when its model can't be had; `default`: what `GET /api/models` names. */
  readonly fallback: ConversationFallback;
  /** In the answer to a search: the newest message that has the words; null when only the title has them. */
  readonly found?: { readonly role: 'user' | 'assistant'; readonly snippet: string } | null;
}
export interface ConversationModel {
  readonly provider: string;
  readonly model: string;
}
export type ConversationFallback = ConversationModel | 'default' | 'none';
/** PUT /api/sessions/:id: absent = unchanged; `model: null` = back to the default. Answers the Conversation. */
export interface ConversationChange {
  readonly title?: string | undefined;
  readonly model?: ConversationModel | null | undefined;
  readonly fallback?: ConversationFallback | undefined;
}
/** GET /api/sessions/:id/export?format=: a file to keep, with secrets hidden once more. */
export type ConversationExportFormat = 'markdown' | 'json';
export interface ChatMessage {
  readonly id: string;
  readonly sessionID: string;
  readonly role: 'user' | 'assistant';
  readonly parts: readonly MessagePart[];
  readonly time: { readonly created: string };
  /** The owner edited the message that this came of: the model is not told of it any more. */
  readonly replaced?: true;
}
export type MessagePart =
  | { readonly type: 'text' | 'thinking'; readonly text: string }
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly name: string;
      readonly arguments: Json;
      readonly result: Json;
      readonly is_error: boolean;
    }
  | { readonly type: 'error'; readonly code: string; readonly text: string };

/**
 * GET /api/sessions/:id/events?before=&messages=: the events of so many messages of the person that lie before an event,
 * with the whole of their turns. `from`: the events up to there are left; 0: none.
 */
export interface EarlierEvents {
  readonly events: readonly StoredEvent[];
  readonly from: number;
}

/**
 * WS /api/sessions/:id/chat?ticket=…&after=N: what the server sends. The first is always `connected`. Without `after`,
 * `last=N` begins with the newest N messages of the person.
 */
export type ChatServerEvent =
  | {
      readonly type: 'connected';
      readonly session_id: string;
      /** The events after it follow: what the client said it has, or where the newest messages that it asked for begin. */
      readonly seq: number;
      /** The newest stored event: up to it the past is told again. */
      readonly head: number;
      readonly running: boolean;
    }
  | StoredEvent
  /** A refusal of something that the client sent; not part of the conversation, so it has the seq of the last event. */
  | { readonly type: 'rejected'; readonly code: string; readonly content: string; readonly seq: number };
export type ChatClientMessage =
  | { readonly type: 'message'; readonly content: string }
  /** The last message written anew: the turns that came of it leave the history; what tools did stays done. */
  | { readonly type: 'edit'; readonly message_id: string; readonly content: string }
  | { readonly type: 'abort' }
  /** Runs the last user message once more after a failed, stopped or interrupted turn. */
  | { readonly type: 'retry' }
  /** Lets the assistant go on from what is recorded, without a new message. */
  | { readonly type: 'continue' };

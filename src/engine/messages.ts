import type { Json, StoredEvent } from '../core/index.ts';
import { replacedTurns } from './history.ts';

export interface MessageView {
  readonly id: string;
  readonly sessionID: string;
  readonly role: 'user' | 'assistant';
  readonly parts: readonly MessagePartView[];
  readonly time: { readonly created: string };
  /** The owner edited the message that this came of: the model is not told of it any more. */
  readonly replaced?: true;
}

export type MessagePartView =
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

/** A conversation as messages, oldest first: what a person said, and each turn's answer as one. */
export function messagesOf(sessionID: string, all: readonly StoredEvent[]): MessageView[] {
  interface Growing {
    readonly id: string;
    readonly role: 'user' | 'assistant';
    readonly turn: string | null;
    readonly parts: MessagePartView[];
    readonly created: string;
  }
  const replaced = replacedTurns(all);
  const messages: Growing[] = [];
  const answers = new Map<string, Growing>();
  const tools = new Map<string, { parts: MessagePartView[]; index: number }>();
  const answerOf = (event: StoredEvent) => {
    const key = event.turn_id ?? '';
    let answer = answers.get(key);
    if (!answer) {
      answer = { id: key, role: 'assistant', turn: event.turn_id, parts: [], created: event.at };
      answers.set(key, answer);
      messages.push(answer);
    }
    return answer.parts;
  };
  for (const event of all) {
    switch (event.type) {
      case 'user':
        messages.push({
          id: event.message_id,
          role: 'user',
          turn: event.turn_id,
          parts: [{ type: 'text', text: event.content }],
          created: event.at,
        });
        break;
      case 'text':
      case 'thinking':
        answerOf(event).push({ type: event.type, text: event.content });
        break;
      case 'tool_call': {
        const parts = answerOf(event);
        tools.set(`${event.turn_id}/${event.id}`, { parts, index: parts.length });
        parts.push({
          type: 'tool',
          id: event.id,
          name: event.name,
          arguments: event.arguments,
          result: null,
          is_error: false,
        });
        break;
      }
      case 'tool_result': {
        const place = tools.get(`${event.turn_id}/${event.id}`);
        const call = place?.parts[place.index];
        if (place && call?.type === 'tool')
          place.parts[place.index] = { ...call, result: event.result, is_error: event.is_error };
        break;
      }
      case 'error':
        answerOf(event).push({ type: 'error', code: event.code, text: event.content });
        break;
      default:
        break;
    }
  }
  return messages.map(({ id, role, turn, parts, created }) => ({
    id,
    sessionID,
    role,
    parts,
    time: { created },
    ...(turn !== null && replaced.has(turn) ? { replaced: true as const } : {}),
  }));
}

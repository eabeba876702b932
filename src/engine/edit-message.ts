import { AppError, type StoredEvent } from '../core/index.ts';
import type { TurnRow } from '../host/storage/index.ts';
import { replacedTurns } from './history.ts';

/**
 * The turns that an edit of this message replaces: its own, and those that went on from it. Only the newest message that
 * still counts can be edited. `turns`: oldest first. Error: conflict `not_the_last_message`.
 */
export function replaceable(
  events: readonly StoredEvent[],
  turns: readonly TurnRow[],
  messageId: string,
): string[] {
  const gone = replacedTurns(events);
  const last = events.findLast(
    (event) => event.type === 'user' && event.turn_id !== null && !gone.has(event.turn_id),
  );
  if (last?.type !== 'user' || last.message_id !== messageId) {
    throw new AppError({
      family: 'conflict',
      code: 'not_the_last_message',
      message: 'Only the last message of a conversation can be edited.',
      fix: 'Write a new message instead.',
    });
  }
  const from = turns.findIndex((turn) => turn.id === last.turn_id);
  return turns
    .slice(from === -1 ? turns.length : from)
    .map((turn) => turn.id)
    .filter((id) => !gone.has(id));
}

/** Whether it is the message that a conversation begins with, of those that still count. */
export function isFirstMessage(events: readonly StoredEvent[], messageId: string): boolean {
  const gone = replacedTurns(events);
  const first = events.find(
    (event) => event.type === 'user' && !(event.turn_id !== null && gone.has(event.turn_id)),
  );
  return first?.type === 'user' && first.message_id === messageId;
}

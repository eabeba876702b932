import { AppError, newId, type Principal, type StoredEvent } from '../core/index.ts';
import type { TurnRow } from '../host/storage/index.ts';
import { replacedTurns } from './history.ts';
import type { TurnEndDeps } from './turn-end.ts';

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

/** Calls that took effect, or may have. */
const STARTED: ReadonlySet<string> = new Set(['running', 'done', 'failed', 'unknown']);

export interface MessageEdit {
  readonly conversationId: string;
  readonly messageId: string;
  /** The turns that came of the message before. */
  readonly replaced: readonly string[];
  readonly text: string;
  readonly by: Principal;
}

/** Writes the edit into the conversation, inside the transaction that makes its new turn. What tools did stays done. */
export function replaceMessage(deps: TurnEndDeps, edit: MessageEdit, turnId: string): void {
  const { approvals, calls, gate, events, audit, clock } = deps;
  const { conversationId, messageId, replaced } = edit;
  for (const id of replaced) {
    // A request that outlived its turn would otherwise still run on an approval.
    approvals.cancelTurn(id);
    for (const call of calls.ofTurn(id)) {
      if (call.status === 'seen' || call.status === 'asking')
        gate.give(call, 'stopped', 'The message that it came of was edited before it ran.');
    }
  }
  const message_id = newId('msg', clock.now());
  events.append(conversationId, null, { type: 'replaced', message_id: messageId, turns: replaced });
  events.append(conversationId, turnId, { type: 'user', message_id, content: edit.text });
  audit.append({
    event: 'message.edited',
    principal: edit.by,
    origin: 'page',
    target: conversationId,
    outcome: 'ok',
    details: {
      message: messageId,
      new_message: message_id,
      replaced_turns: replaced.length,
      calls_that_stay_done: replaced.reduce(
        (sum, id) => sum + calls.ofTurn(id).filter((call) => STARTED.has(call.status)).length,
        0,
      ),
    },
  });
}

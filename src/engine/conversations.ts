import {
  AppError,
  isId,
  newId,
  type Clock,
  type Json,
  type Principal,
  type Redactor,
  type StoredEvent,
  type TurnStatus,
} from '../core/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import type {
  ConversationStore,
  ConversationWithStatus,
  Transactions,
  TurnStore,
} from '../host/storage/index.ts';
import type { EventListener, EventLog } from './event-log.ts';
import type { Orphans } from './orphans.ts';
import type { Turns } from './turns.ts';

export interface ConversationView {
  readonly id: string;
  readonly title: string;
  readonly time: { readonly created: string; readonly updated: string };
  readonly status: TurnStatus | null;
}

export interface MessageView {
  readonly id: string;
  readonly sessionID: string;
  readonly role: 'user' | 'assistant';
  readonly parts: readonly MessagePartView[];
  readonly time: { readonly created: string };
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

/** Conversations as the page and other surfaces use them. Errors: `not_found` for an id that is none of ours. */
export interface Conversations {
  create(title: string | undefined, by: Principal): ConversationView;
  list(): readonly ConversationView[];
  get(id: string): ConversationView;
  exists(id: string): boolean;
  /** Stops what runs, then removes the conversation with all its events. The audit log keeps that it existed. */
  delete(id: string, by: Principal): Promise<void>;
  /** The newest `limit` messages, oldest first. */
  messages(id: string, limit: number): readonly MessageView[];
  send(id: string, text: string, by: Principal): void;
  resume(id: string, by: Principal): void;
  stop(id: string, by: Principal): number;
  subscribe(id: string, after: number, listener: EventListener): () => void;
  lastSeq(id: string): number;
  isRunning(id: string): boolean;
}

export interface ConversationsDeps {
  readonly store: ConversationStore;
  readonly turnStore: TurnStore;
  readonly turns: Turns;
  readonly orphans: Orphans;
  readonly events: EventLog;
  readonly approvals: Approvals;
  readonly audit: Audit;
  readonly redactor: Redactor;
  readonly database: Transactions;
  readonly clock: Clock;
}

const UNTITLED = 'New conversation';
const TITLE_LENGTH = 60;
const LIST_LIMIT = 500;
/** Characters of one message. */
const MESSAGE_LIMIT = 64 * 1024;

export function createConversations(deps: ConversationsDeps): Conversations {
  const { store, turns, events, audit, database, clock } = deps;

  function find(id: string): ConversationWithStatus {
    const row = isId('cnv', id) ? store.get(id) : undefined;
    if (!row)
      throw new AppError({ family: 'missing', code: 'not_found', message: 'There is no such conversation.' });
    return row;
  }

  return {
    create(title, by) {
      const now = clock.now();
      const row = {
        id: newId('cnv', now),
        title: cleanTitle(deps.redactor.text(title ?? '').value) || UNTITLED,
        created_at: now,
        updated_at: now,
        seq_ceiling: 0,
      };
      database.tx(() => {
        store.insert(row);
        audit.append({
          event: 'conversation.created',
          principal: by,
          origin: 'page',
          target: row.id,
          outcome: 'ok',
        });
      });
      return view({ ...row, status: null });
    },
    list: () => store.list(LIST_LIMIT).map(view),
    get: (id) => view(find(id)),
    exists: (id) => isId('cnv', id) && store.get(id) !== undefined,
    async delete(id, by) {
      find(id);
      turns.stop(id, by);
      deps.orphans.stop(id);
      await Promise.all([turns.idle(id), deps.orphans.idle(id)]);
      database.tx(() => {
        for (const turn of deps.turnStore.ofConversation(id)) deps.approvals.cancelTurn(turn.id);
        deps.approvals.forget(id);
        store.delete(id);
        audit.append({
          event: 'conversation.deleted',
          principal: by,
          origin: 'page',
          target: id,
          outcome: 'ok',
        });
        database.afterCommit(() => events.forget(id));
      });
    },
    messages: (id, limit) => messagesOf(find(id).id, events.all(id)).slice(-limit),
    send(id, text, by) {
      const row = find(id);
      // A key that its owner pasted by mistake is not kept either.
      const content = deps.redactor.text(text.toWellFormed()).value;
      if (content.trim() === '')
        throw new AppError({ family: 'input', code: 'invalid_request', message: 'The message is empty.' });
      if (content.length > MESSAGE_LIMIT) {
        throw new AppError({
          family: 'input',
          code: 'invalid_request',
          message: `The message is longer than ${MESSAGE_LIMIT} characters.`,
          fix: 'Split it.',
        });
      }
      database.tx(() => {
        if (row.title === UNTITLED && deps.turnStore.latest(id) === undefined)
          store.setTitle(id, cleanTitle(content) || UNTITLED);
        turns.send(id, content, by);
      });
    },
    resume(id, by) {
      find(id);
      turns.resume(id, by);
    },
    stop(id, by) {
      find(id);
      return turns.stop(id, by) + deps.orphans.stop(id);
    },
    subscribe(id, after, listener) {
      find(id);
      return events.subscribe(id, after, listener);
    },
    lastSeq: (id) => events.lastSeq(id),
    isRunning: (id) => turns.isRunning(id),
  };
}

function view(row: ConversationWithStatus): ConversationView {
  return {
    id: row.id,
    title: row.title,
    time: {
      created: new Date(row.created_at).toISOString(),
      updated: new Date(row.updated_at).toISOString(),
    },
    status: row.status as TurnStatus | null,
  };
}

/** One line, at most 60 characters, cut at a word. */
function cleanTitle(text: string): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  const characters = [...line];
  if (characters.length <= TITLE_LENGTH) return line;
  const cut = characters.slice(0, TITLE_LENGTH).join('');
  const space = cut.lastIndexOf(' ');
  return `${space > TITLE_LENGTH / 2 ? cut.slice(0, space) : cut}…`;
}

function messagesOf(sessionID: string, all: readonly StoredEvent[]): MessageView[] {
  const messages: { id: string; role: 'user' | 'assistant'; parts: MessagePartView[]; created: string }[] =
    [];
  const answers = new Map<
    string,
    { id: string; role: 'assistant'; parts: MessagePartView[]; created: string }
  >();
  const tools = new Map<string, { parts: MessagePartView[]; index: number }>();
  const answerOf = (event: StoredEvent) => {
    const key = event.turn_id ?? '';
    let answer = answers.get(key);
    if (!answer) {
      answer = { id: key, role: 'assistant', parts: [], created: event.at };
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
  return messages.map(({ id, role, parts, created }) => ({ id, sessionID, role, parts, time: { created } }));
}

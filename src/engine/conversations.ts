import {
  AppError,
  isId,
  newId,
  type Clock,
  type Principal,
  type Redactor,
  type TurnStatus,
  type StoredEvent,
} from '../core/index.ts';
import type { Approvals } from '../guard/approvals/index.ts';
import type { Audit } from '../guard/audit/index.ts';
import { MAX_WORDS, type ConversationSearch } from '../host/storage/conversation-search.ts';
import type {
  ConversationPlace,
  ConversationStore,
  ConversationWithStatus,
  FallbackChoice,
  Transactions,
  TurnStore,
} from '../host/storage/index.ts';
import { exportConversation, type ExportFormat } from './conversation-export.ts';
import { isFirstMessage } from './edit-message.ts';
import type { EventListener, EventLog } from './event-log.ts';
import { sameModel, type ModelName } from './fallback.ts';
import { messagesOf, type MessageView } from './messages.ts';
import type { Orphans } from './orphans.ts';
import { snippetOf } from './snippet.ts';
import type { Turns } from './turns.ts';

export interface ConversationView {
  readonly id: string;
  readonly title: string;
  readonly time: { readonly created: string; readonly updated: string };
  readonly status: TurnStatus | null;
  /** Chosen for this conversation; null: the default. */
  readonly model: ModelName | null;
  /** What it goes on with when its model can't be had; `default`: what the settings name. */
  readonly fallback: FallbackChoice;
  /** In the answer to a search: the newest message that has the words; null when only the title has them. */
  readonly found?: { readonly role: 'user' | 'assistant'; readonly snippet: string } | null;
}

/** Absent: unchanged. `model: null`: back to the default. */
export interface ConversationChange {
  readonly title?: string | undefined;
  readonly model?: ModelName | null | undefined;
  readonly fallback?: FallbackChoice | undefined;
}

export interface ConversationQuery {
  readonly limit?: number | undefined;
  readonly before?: ConversationPlace | undefined;
}

/** Conversations as the page and other surfaces use them. Errors: `not_found` for an id that is none of ours. */
export interface Conversations {
  create(title: string | undefined, by: Principal): ConversationView;
  /** Newest first, at most 500; with `before` those that come after it in that order. */
  list(query?: ConversationQuery): readonly ConversationView[];
  /** Those whose title, or one of whose messages, has every word of the query; the newest 100. */
  search(query: string): readonly ConversationView[];
  get(id: string): ConversationView;
  /** Errors: `invalid_request` for an empty title; `fallback_is_model`; what `checkModel` throws. */
  change(id: string, change: ConversationChange, by: Principal): ConversationView;
  /** The whole conversation as it stands now, in pieces, with secrets hidden once more. */
  export(
    id: string,
    format: ExportFormat,
    by: Principal,
  ): { readonly name: string; readonly body: AsyncIterable<string> };
  exists(id: string): boolean;
  /** Stops what runs, then removes the conversation with all its events. The audit log keeps that it existed. */
  delete(id: string, by: Principal): Promise<void>;
  /** The newest `limit` messages, oldest first. */
  messages(id: string, limit: number): readonly MessageView[];
  send(id: string, text: string, by: Principal): void;
  /** Errors: as `send`, and `not_the_last_message`, `turn_running`. */
  edit(id: string, messageId: string, text: string, by: Principal): void;
  resume(id: string, by: Principal): void;
  stop(id: string, by: Principal): number;
  subscribe(id: string, after: number, listener: EventListener): () => void;
  /** What to subscribe after, to hear the newest `messages` of the person and what followed. */
  tail(id: string, messages: number): number;
  /** The events of the `messages` of the person before an event; `from`: what lies before them begins there, 0: nothing. */
  earlier(id: string, before: number, messages: number): EarlierEvents;
  lastSeq(id: string): number;
  isRunning(id: string): boolean;
}

export interface EarlierEvents {
  readonly events: readonly StoredEvent[];
  /** The next `before`, less one. */
  readonly from: number;
}

export interface ConversationsDeps {
  readonly store: ConversationStore;
  readonly finder: ConversationSearch;
  /** Whether a conversation may use this model. Throws `AppError` with why not. */
  readonly checkModel: (choice: ModelName) => void;
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
const FOUND_LIMIT = 100;
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

  /** A key that its owner pasted by mistake is not kept either. */
  function checkedMessage(text: string): string {
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
    return content;
  }

  return {
    create(title, by) {
      const now = clock.now();
      const given = cleanTitle(deps.redactor.text(title ?? '').value);
      const row = {
        id: newId('cnv', now),
        title: given || UNTITLED,
        created_at: now,
        updated_at: now,
        seq_ceiling: 0,
        renamed: given === '' ? 0 : 1,
        provider: null,
        model: null,
        fallback: 'default' as const,
        fallback_provider: null,
        fallback_model: null,
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
    list: ({ limit = LIST_LIMIT, before } = {}) => store.list(Math.min(limit, LIST_LIMIT), before).map(view),
    search(query) {
      const words = query
        .toWellFormed()
        .split(/[\s\p{Cc}]+/u)
        .filter((word) => word !== '')
        .slice(0, MAX_WORDS);
      if (words.length === 0) return store.list(FOUND_LIMIT).map(view);
      return deps.finder.find(words, FOUND_LIMIT).map((row) => ({
        ...view(row),
        found:
          row.found_text === null
            ? null
            : {
                role: row.found_type === 'user' ? ('user' as const) : ('assistant' as const),
                snippet: snippetOf(row.found_text, words),
              },
      }));
    },
    change(id, change, by) {
      find(id);
      const title =
        change.title === undefined
          ? undefined
          : oneLine(deps.redactor.text(change.title.toWellFormed()).value);
      if (title === '')
        throw new AppError({ family: 'input', code: 'invalid_request', message: 'The title is empty.' });
      if (change.model) deps.checkModel(change.model);
      const { fallback } = change;
      if (typeof fallback === 'object') deps.checkModel(fallback);
      return database.tx(() => {
        const act = (event: string, details: Readonly<Record<string, string>>): void =>
          void audit.append({ event, principal: by, origin: 'page', target: id, outcome: 'ok', details });
        if (title !== undefined) {
          store.rename(id, title);
          act('conversation.renamed', {});
        }
        const { model } = change;
        if (model !== undefined) {
          store.setModel(id, model);
          act(
            'conversation.model_changed',
            model === null ? { model: 'default' } : { provider: model.provider, model: model.model },
          );
        }
        if (fallback !== undefined) {
          store.setFallback(id, fallback);
          act(
            'conversation.fallback_changed',
            typeof fallback === 'string'
              ? { model: fallback }
              : { provider: fallback.provider, model: fallback.model },
          );
        }
        const changed = view(find(id));
        // Throws away the whole change.
        if (
          changed.model &&
          typeof changed.fallback === 'object' &&
          sameModel(changed.model, changed.fallback)
        )
          throw new AppError({
            family: 'input',
            code: 'fallback_is_model',
            message: 'The fallback is the model itself.',
            fix: 'Choose another model to go on with, or none.',
          });
        return changed;
      });
    },
    export(id, format, by) {
      const conversation = { ...view(find(id)), events: events.snapshot(id) };
      audit.append({
        event: 'conversation.exported',
        principal: by,
        origin: 'page',
        target: id,
        outcome: 'ok',
        details: { format, events: conversation.events.marks.length },
      });
      return {
        name: `${id}.${format === 'json' ? 'json' : 'md'}`,
        body: exportConversation(conversation, format, deps.redactor, clock.now()),
      };
    },
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
    // So many messages of the person have at least as many with the answers.
    messages: (id, limit) => messagesOf(find(id).id, events.since(id, events.tail(id, limit))).slice(-limit),
    tail: (id, messages) => events.tail(id, messages),
    earlier(id, before, messages) {
      find(id);
      const from = events.tail(id, messages, before);
      return { events: events.between(id, from, before), from };
    },
    send(id, text, by) {
      const row = find(id);
      const content = checkedMessage(text);
      database.tx(() => {
        if (row.renamed === 0 && deps.turnStore.latest(id) === undefined)
          store.setTitle(id, cleanTitle(content) || UNTITLED);
        turns.send(id, content, by);
      });
    },
    edit(id, messageId, text, by) {
      const row = find(id);
      const content = checkedMessage(text);
      database.tx(() => {
        if (row.renamed === 0 && isFirstMessage(events.all(id), messageId))
          store.setTitle(id, cleanTitle(content) || UNTITLED);
        turns.edit(id, messageId, content, by);
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
    model: row.provider === null || row.model === null ? null : { provider: row.provider, model: row.model },
    fallback:
      row.fallback !== 'own'
        ? row.fallback
        : row.fallback_provider === null || row.fallback_model === null
          ? 'none'
          : { provider: row.fallback_provider, model: row.fallback_model },
  };
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
}

/** One line, at most 60 characters, cut at a word. */
function cleanTitle(text: string): string {
  const line = oneLine(text);
  const characters = [...line];
  if (characters.length <= TITLE_LENGTH) return line;
  const cut = characters.slice(0, TITLE_LENGTH).join('');
  const space = cut.lastIndexOf(' ');
  return `${space > TITLE_LENGTH / 2 ? cut.slice(0, space) : cut}…`;
}

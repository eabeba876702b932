import type { Database } from './database.ts';

export interface ConversationRow {
  readonly id: string;
  readonly title: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly seq_ceiling: number;
  /** 1: its owner gave the title. 0: it is made from the first message. */
  readonly renamed: number;
  /** Of the model that was chosen for this conversation; null with `model`: the default. */
  readonly provider: string | null;
  readonly model: string | null;
  /** `own`: the two below name it. `default`: what the settings name. */
  readonly fallback: 'default' | 'none' | 'own';
  readonly fallback_provider: string | null;
  readonly fallback_model: string | null;
}

/** What a conversation goes on with when its model can't be had. */
export type FallbackChoice = { readonly provider: string; readonly model: string } | 'default' | 'none';

export interface ConversationWithStatus extends ConversationRow {
  /** The state of the newest turn. */
  readonly status: string | null;
}

/** A place in the list of conversations. */
export interface ConversationPlace {
  readonly updated: number;
  readonly id: string;
}

export interface ConversationStore {
  insert(row: ConversationRow): void;
  get(id: string): ConversationWithStatus | undefined;
  /** Newest first; with `before` those that come after it in that order. */
  list(limit: number, before?: ConversationPlace): ConversationWithStatus[];
  delete(id: string): void;
  /** A title that is made by us. */
  setTitle(id: string, title: string): void;
  /** A title that its owner gave. */
  rename(id: string, title: string): void;
  setModel(id: string, choice: { readonly provider: string; readonly model: string } | null): void;
  setFallback(id: string, choice: FallbackChoice): void;
  touch(id: string, now: number): void;
  setSeqCeiling(id: string, ceiling: number): void;
}

const SELECT = `SELECT c.*, (SELECT t.status FROM turns t WHERE t.conversation_id = c.id
  ORDER BY t.rowid DESC LIMIT 1) AS status FROM conversations c`;

export function createConversationStore(database: Database): ConversationStore {
  return {
    insert(row) {
      database.run(
        `INSERT INTO conversations (id, title, created_at, updated_at, seq_ceiling, renamed, provider, model,
           fallback, fallback_provider, fallback_model)
         VALUES (:id, :title, :created_at, :updated_at, :seq_ceiling, :renamed, :provider, :model,
           :fallback, :fallback_provider, :fallback_model)`,
        { ...row },
      );
    },
    get: (id) => database.get<ConversationWithStatus>(`${SELECT} WHERE c.id = :id`, { id }),
    list: (limit, { updated, id } = { updated: Number.MAX_SAFE_INTEGER, id: '' }) =>
      database.all<ConversationWithStatus>(
        `${SELECT} WHERE (c.updated_at, c.id) < (:updated, :id) ORDER BY c.updated_at DESC, c.id DESC LIMIT :limit`,
        { limit, updated, id },
      ),
    delete(id) {
      database.run('DELETE FROM conversations WHERE id = :id', { id });
    },
    setTitle(id, title) {
      database.run('UPDATE conversations SET title = :title WHERE id = :id', { id, title });
    },
    rename(id, title) {
      database.run('UPDATE conversations SET title = :title, renamed = 1 WHERE id = :id', { id, title });
    },
    setModel(id, choice) {
      database.run('UPDATE conversations SET provider = :provider, model = :model WHERE id = :id', {
        id,
        provider: choice?.provider ?? null,
        model: choice?.model ?? null,
      });
    },
    setFallback(id, choice) {
      const own = typeof choice === 'string' ? undefined : choice;
      database.run(
        `UPDATE conversations SET fallback = :fallback, fallback_provider = :provider, fallback_model = :model
         WHERE id = :id`,
        {
          id,
          fallback: typeof choice === 'string' ? choice : 'own',
          provider: own?.provider ?? null,
          model: own?.model ?? null,
        },
      );
    },
    touch(id, now) {
      database.run('UPDATE conversations SET updated_at = :now WHERE id = :id', { id, now });
    },
    setSeqCeiling(id, ceiling) {
      database.run('UPDATE conversations SET seq_ceiling = :ceiling WHERE id = :id', { id, ceiling });
    },
  };
}

import { wordsCondition } from './has-words.ts';
import type { Database } from './database.ts';
import type { ConversationWithStatus } from './conversation-store.ts';

export interface ConversationHit extends ConversationWithStatus {
  /** The newest message that has every word; null when only the title has them. */
  readonly found_type: 'user' | 'text' | null;
  readonly found_text: string | null;
}

export interface ConversationSearch {
  /**
   * Conversations whose title, or one of whose messages, has every word, whatever the case; newest first. Looks through
   * all messages: 30 to 90 ms for 10,000 of them (bench/search.ts). `words`: 1 to `MAX_WORDS`.
   */
  find(words: readonly string[], limit: number): ConversationHit[];
}

export const MAX_WORDS = 8;

export function createConversationSearch(database: Database): ConversationSearch {
  return {
    find(words, limit) {
      const wanted = words.slice(0, MAX_WORDS);
      const has = (column: string) =>
        wordsCondition(
          'word',
          wanted.map((word) => [word]),
          [column],
        );
      // The quick look at the stored JSON keeps most rows from being parsed.
      const quick = wordsCondition(
        'raw',
        wanted.map((word) => [JSON.stringify(word).slice(1, -1)]),
        ['payload'],
      );
      const content = has("json_extract(payload, '$.content')");
      // With max() SQLite takes the other columns from the row of the greatest seq.
      return database.all<ConversationHit>(
        `WITH hits AS (
           SELECT conversation_id, max(seq) AS seq, type, json_extract(payload, '$.content') AS text
           FROM events WHERE type IN ('user', 'text') AND ${quick.sql} AND ${content.sql}
           GROUP BY conversation_id)
         SELECT c.*, (SELECT t.status FROM turns t WHERE t.conversation_id = c.id
             ORDER BY t.rowid DESC LIMIT 1) AS status,
           h.type AS found_type, h.text AS found_text
         FROM conversations c LEFT JOIN hits h ON h.conversation_id = c.id
         WHERE h.seq IS NOT NULL OR (${has('c.title').sql})
         ORDER BY c.updated_at DESC, c.id DESC LIMIT :limit`,
        { limit, ...quick.values, ...content.values },
      );
    },
  };
}

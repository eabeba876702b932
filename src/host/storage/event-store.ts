import type { Database } from './database.ts';

export interface EventRow {
  readonly conversation_id: string;
  readonly seq: number;
  readonly turn_id: string | null;
  /** Set for streamed parts: a newer event of the same part replaces the older one. */
  readonly part_id: string | null;
  readonly type: string;
  /** JSON text. */
  readonly payload: string;
  readonly at: number;
}

export interface EventStore {
  put(row: EventRow): void;
  /** With a greater seq, in order. */
  after(conversationId: string, seq: number): EventRow[];
  lastSeq(conversationId: string): number;
}

export function createEventStore(database: Database): EventStore {
  return {
    put(row) {
      if (row.part_id !== null) {
        database.run('DELETE FROM events WHERE conversation_id = :conversation_id AND part_id = :part_id', {
          conversation_id: row.conversation_id,
          part_id: row.part_id,
        });
      }
      database.run(
        `INSERT INTO events (conversation_id, seq, turn_id, part_id, type, payload, at)
         VALUES (:conversation_id, :seq, :turn_id, :part_id, :type, :payload, :at)`,
        { ...row },
      );
    },
    after: (conversationId, seq) =>
      database.all<EventRow>(
        'SELECT * FROM events WHERE conversation_id = :conversationId AND seq > :seq ORDER BY seq',
        { conversationId, seq },
      ),
    lastSeq: (conversationId) =>
      database.get<{ seq: number | null }>(
        'SELECT max(seq) AS seq FROM events WHERE conversation_id = :conversationId',
        { conversationId },
      )?.seq ?? 0,
  };
}

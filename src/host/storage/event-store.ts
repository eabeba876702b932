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
  /** With a greater seq, in order; only those before `before` if it is given. */
  after(conversationId: string, seq: number, before?: number): EventRow[];
  /**
   * The seq from which on the newest `messages` of the person before `before` lie, with all of their turns: a turn that
   * began a little earlier and goes on past it is not cut in two. 1 when there are not more than that.
   */
  tail(conversationId: string, before: number, messages: number): number;
  lastSeq(conversationId: string): number;
  /** All of a conversation without what is in them, in order. */
  marks(conversationId: string): EventMark[];
  at(conversationId: string, seq: number): EventRow | undefined;
}

export type EventMark = Pick<EventRow, 'seq' | 'turn_id' | 'part_id' | 'type'>;

/** Seqs on each side of a cut in which the events of one turn are looked for. */
const OVERLAP = 1_000;
const MOST_OVERLAPS = 8;

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
    after: (conversationId, seq, before = Number.MAX_SAFE_INTEGER) =>
      database.all<EventRow>(
        'SELECT * FROM events WHERE conversation_id = :conversationId AND seq > :seq AND seq < :before ORDER BY seq',
        { conversationId, seq, before },
      ),
    tail(conversationId, before, messages) {
      const start = database.get<{ seq: number }>(
        `SELECT seq FROM events WHERE conversation_id = :conversationId AND seq < :before AND type = 'user'
         ORDER BY seq DESC LIMIT 1 OFFSET :skip`,
        { conversationId, before, skip: messages - 1 },
      )?.seq;
      if (start === undefined) return 1;
      let cut = start;
      for (let round = 0; round < MOST_OVERLAPS; round += 1) {
        const begun: number | null | undefined = database.get<{ seq: number | null }>(
          `SELECT min(seq) AS seq FROM events WHERE conversation_id = :conversationId AND seq >= :floor AND seq < :cut
           AND turn_id IN (SELECT turn_id FROM events
             WHERE conversation_id = :conversationId AND seq >= :cut AND seq < :ceiling AND turn_id IS NOT NULL)`,
          { conversationId, cut, floor: cut - OVERLAP, ceiling: cut + OVERLAP },
        )?.seq;
        if (begun === null || begun === undefined) break;
        cut = begun;
      }
      return cut;
    },
    lastSeq: (conversationId) =>
      database.get<{ seq: number | null }>(
        'SELECT max(seq) AS seq FROM events WHERE conversation_id = :conversationId',
        { conversationId },
      )?.seq ?? 0,
    marks: (conversationId) =>
      database.all<EventMark>(
        'SELECT seq, turn_id, part_id, type FROM events WHERE conversation_id = :conversationId ORDER BY seq',
        { conversationId },
      ),
    at: (conversationId, seq) =>
      database.get<EventRow>('SELECT * FROM events WHERE conversation_id = :conversationId AND seq = :seq', {
        conversationId,
        seq,
      }),
  };
}

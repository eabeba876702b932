// Guarantees: every event of a conversation has a greater `seq` than all before it, also after kill -9; whoever subscribes
// with `after` hears everything later exactly once and in order; a durable event is heard only after it is stored.
// Does not: keep streamed text that was not flushed yet (at most about a second) through a crash.
import { errorText, type Clock, type Log, type StoredEvent, type TurnEvent } from '../core/index.ts';
import type { EventMark } from '../host/storage/event-store.ts';
import type { ConversationStore, EventRow, EventStore, Transactions } from '../host/storage/index.ts';

export type EventListener = (event: StoredEvent) => void;

export interface EventLog {
  /** Stores the event in the running transaction (or its own) and sends it after the commit. */
  append(conversationId: string, turnId: string | null, event: TurnEvent): void;
  /** Sends a streamed part at once; `flush` stores the newest state of each part. */
  live(conversationId: string, turnId: string, event: TurnEvent & { part_id: string }): void;
  flush(conversationId: string): void;
  /** First what is stored or live after `after`, then everything new. Returns how to stop. */
  subscribe(conversationId: string, after: number, listener: EventListener): () => void;
  all(conversationId: string): readonly StoredEvent[];
  /** What to subscribe after, to hear the newest `messages` of the person and all that followed; 0: everything. */
  tail(conversationId: string, messages: number, before?: number): number;
  /** The stored events after one seq and before another. */
  between(conversationId: string, after: number, before: number): readonly StoredEvent[];
  /** Those after a seq, stored and live. */
  since(conversationId: string, after: number): readonly StoredEvent[];
  lastSeq(conversationId: string): number;
  /** The conversation as it stands now, to be read bit by bit while it goes on. */
  snapshot(conversationId: string): EventSnapshot;
  /** Drops what is held of a deleted conversation. */
  forget(conversationId: string): void;
  /** Stores what is streamed and not stored yet, for a shutdown. Nothing is stored later by itself. */
  close(): void;
}

export interface EventSnapshot {
  /** Oldest first. */
  readonly marks: readonly Pick<EventMark, 'seq' | 'turn_id' | 'type'>[];
  /** Undefined when the conversation has been deleted since. */
  read(seq: number): StoredEvent | undefined;
}

interface Stream {
  next: number;
  ceiling: number;
  readonly live: Map<string, StoredEvent & { part_id: string }>;
  readonly listeners: Set<EventListener>;
  timer: NodeJS.Timeout | undefined;
}

/** Numbers are promised on disk in blocks, so that a number heard before a crash is never given twice. */
const SEQ_BLOCK = 256;
const FLUSH_MS = 1_000;
/** After a flush that failed, as on a full disk. */
const RETRY_MS = 5_000;

export interface EventLogDeps {
  readonly events: EventStore;
  readonly conversations: ConversationStore;
  readonly database: Transactions;
  readonly clock: Clock;
  readonly log: Log;
}

export function createEventLog({ events, conversations, database, clock, log }: EventLogDeps): EventLog {
  const streams = new Map<string, Stream>();

  function streamOf(id: string): Stream {
    const known = streams.get(id);
    if (known) return known;
    const ceiling = conversations.get(id)?.seq_ceiling ?? 0;
    const stream: Stream = {
      next: ceiling + 1,
      ceiling,
      live: new Map(),
      listeners: new Set(),
      timer: undefined,
    };
    streams.set(id, stream);
    return stream;
  }

  function nextSeq(id: string, stream: Stream): number {
    const seq = stream.next;
    if (seq > stream.ceiling) {
      const ceiling = seq + SEQ_BLOCK;
      try {
        database.tx(() => {
          conversations.setSeqCeiling(id, ceiling);
          database.afterCommit(() => (stream.ceiling = Math.max(stream.ceiling, ceiling)));
        });
      } catch (error) {
        // Those who listen still hear everything; only a crash now could give a number twice.
        log.error('the numbers of a conversation could not be reserved', {
          conversation: id,
          problem: errorText(error),
        });
      }
    }
    stream.next = seq + 1;
    return seq;
  }

  function send(stream: Stream, event: StoredEvent): void {
    for (const listener of stream.listeners) listener(event);
  }

  function flush(id: string): void {
    const stream = streams.get(id);
    if (!stream) return;
    clearTimeout(stream.timer);
    stream.timer = undefined;
    if (stream.live.size === 0) return;
    const parts = [...stream.live.values()];
    database.tx(() => {
      for (const part of parts) events.put(toRow(id, part, part.part_id));
      // Parts that grew meanwhile stay live: nothing runs between the snapshot and the commit.
      database.afterCommit(() => {
        for (const part of parts)
          if (stream.live.get(part.part_id) === part) stream.live.delete(part.part_id);
      });
    });
  }

  let closed = false;

  /** What could not be stored stays live, and is tried again. */
  function flushLater(id: string, stream: Stream): void {
    stream.timer = undefined;
    try {
      flush(id);
    } catch (error) {
      log.error('streamed text could not be stored', { conversation: id, problem: errorText(error) });
      if (!closed) stream.timer = setTimeout(() => flushLater(id, stream), RETRY_MS);
    }
  }

  function all(id: string, after: number): StoredEvent[] {
    const stored = new Map<string | number, StoredEvent>();
    for (const row of events.after(id, after)) stored.set(row.part_id ?? row.seq, toEvent(row));
    for (const part of streams.get(id)?.live.values() ?? [])
      if (part.seq > after) stored.set(part.part_id, part);
    return [...stored.values()].toSorted((a, b) => a.seq - b.seq);
  }

  return {
    append(id, turnId, event) {
      const stream = streamOf(id);
      // Streamed parts come before what follows them, also on disk.
      flush(id);
      database.tx(() => {
        const stored: StoredEvent = {
          ...event,
          seq: nextSeq(id, stream),
          turn_id: turnId,
          at: new Date(clock.now()).toISOString(),
        };
        events.put(toRow(id, stored, null));
        database.afterCommit(() => send(stream, stored));
      });
    },
    live(id, turnId, event) {
      const stream = streamOf(id);
      const stored = {
        ...event,
        seq: nextSeq(id, stream),
        turn_id: turnId,
        at: new Date(clock.now()).toISOString(),
      };
      stream.live.set(event.part_id, stored);
      if (!closed) stream.timer ??= setTimeout(() => flushLater(id, stream), FLUSH_MS);
      send(stream, stored);
    },
    flush,
    subscribe(id, after, listener) {
      const stream = streamOf(id);
      for (const event of all(id, after)) listener(event);
      stream.listeners.add(listener);
      return () => stream.listeners.delete(listener);
    },
    all: (id) => all(id, 0),
    tail: (id, messages, before = Number.MAX_SAFE_INTEGER) => events.tail(id, before, messages) - 1,
    between: (id, after, before) => events.after(id, after, before).map(toEvent),
    since: all,
    lastSeq: (id) =>
      Math.max(events.lastSeq(id), ...[...(streams.get(id)?.live.values() ?? [])].map((part) => part.seq)),
    snapshot(id) {
      const marks = new Map<string | number, EventMark>();
      for (const mark of events.marks(id)) marks.set(mark.part_id ?? mark.seq, mark);
      const ended = new Set(
        [...marks.values()].flatMap((mark) => (mark.type === 'done' ? [mark.turn_id] : [])),
      );
      // Only a part of a turn that goes on can grow, and is another event then.
      const held = new Map<number, StoredEvent>();
      for (const mark of marks.values()) {
        const row = mark.part_id === null || ended.has(mark.turn_id) ? undefined : events.at(id, mark.seq);
        if (row) held.set(row.seq, toEvent(row));
      }
      for (const part of streams.get(id)?.live.values() ?? []) {
        marks.set(part.part_id, part);
        held.set(part.seq, part);
      }
      return {
        marks: [...marks.values()].toSorted((a, b) => a.seq - b.seq),
        read(seq) {
          const known = held.get(seq);
          if (known) return known;
          const row = events.at(id, seq);
          return row && toEvent(row);
        },
      };
    },
    forget(id) {
      const stream = streams.get(id);
      clearTimeout(stream?.timer);
      streams.delete(id);
    },
    close() {
      closed = true;
      for (const [id, stream] of streams) {
        clearTimeout(stream.timer);
        flushLater(id, stream);
      }
    },
  };
}

function toRow(conversationId: string, event: StoredEvent, partId: string | null): EventRow {
  const { seq, turn_id, at, type, ...payload } = event;
  return {
    conversation_id: conversationId,
    seq,
    turn_id,
    part_id: partId,
    type,
    payload: JSON.stringify(payload),
    at: Date.parse(at),
  };
}

function toEvent(row: EventRow): StoredEvent {
  return {
    ...(JSON.parse(row.payload) as object),
    type: row.type,
    seq: row.seq,
    turn_id: row.turn_id,
    at: new Date(row.at).toISOString(),
  } as StoredEvent;
}

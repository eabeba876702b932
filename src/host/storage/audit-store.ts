import type { Database } from './database.ts';

/** A row of the log, exactly as it is hashed. */
export interface AuditRow {
  readonly seq: number;
  readonly at: number;
  readonly event: string;
  readonly actor: string;
  readonly origin: string;
  readonly target: string;
  readonly outcome: string;
  /** JSON text. */
  readonly details: string;
  readonly prev_hash: string;
  readonly hash: string;
}

export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
  readonly mac: string;
}

export interface AuditQuery {
  readonly event?: string | undefined;
  /** Rows with a greater seq, oldest first; without it the newest come first. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface AuditStore {
  last(): AuditRow | undefined;
  append(row: AuditRow): void;
  list(query: AuditQuery): AuditRow[];
  head(): AuditHead | undefined;
  setHead(head: AuditHead): void;
}

export function createAuditStore(database: Database): AuditStore {
  return {
    last: () => database.get<AuditRow>('SELECT * FROM audit ORDER BY seq DESC LIMIT 1'),
    append(row) {
      database.run(
        `INSERT INTO audit (seq, at, event, actor, origin, target, outcome, details, prev_hash, hash)
         VALUES (:seq, :at, :event, :actor, :origin, :target, :outcome, :details, :prev_hash, :hash)`,
        { ...row },
      );
    },
    list({ event, after, limit }) {
      // An event filter names one event or, ending in a dot, a family: "login." finds login.ok and login.failed.
      const from = event ?? '';
      const to = event === undefined ? '\u{10ffff}' : event.endsWith('.') ? `${event}\u{10ffff}` : event;
      const order = after === undefined ? 'DESC' : 'ASC';
      return database.all<AuditRow>(
        `SELECT * FROM audit WHERE event >= :from AND event <= :to AND seq > :after ORDER BY seq ${order} LIMIT :limit`,
        { from, to, after: after ?? 0, limit },
      );
    },
    head: () => database.get<AuditHead>('SELECT seq, hash, mac FROM audit_head WHERE id = 1'),
    setHead(head) {
      database.run(
        `INSERT INTO audit_head (id, seq, hash, mac) VALUES (1, :seq, :hash, :mac)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac`,
        { ...head },
      );
    },
  };
}

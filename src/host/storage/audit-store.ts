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
  /** The newest row and the signed head, read at one moment. */
  ends(): { readonly last: AuditRow | undefined; readonly head: AuditHead | undefined };
  append(row: AuditRow): void;
  list(query: AuditQuery): AuditRow[];
  setHead(head: AuditHead): void;
}

export function createAuditStore(database: Database): AuditStore {
  return {
    ends() {
      // One statement, so that a writer beside us can't come between the two.
      const found = database.get<
        AuditRow & { head_seq: number | null; head_hash: string; head_mac: string; seq: number | null }
      >(
        `SELECT a.*, h.seq AS head_seq, h.hash AS head_hash, h.mac AS head_mac
         FROM (SELECT max(seq) AS newest FROM audit) LEFT JOIN audit a ON a.seq = newest LEFT JOIN audit_head h ON h.id = 1`,
      );
      if (!found) return { last: undefined, head: undefined };
      const { head_seq, head_hash, head_mac, ...row } = found;
      return {
        last: row.seq === null ? undefined : row,
        head: head_seq === null ? undefined : { seq: head_seq, hash: head_hash, mac: head_mac },
      };
    },
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
    setHead(head) {
      database.run(
        `INSERT INTO audit_head (id, seq, hash, mac) VALUES (1, :seq, :hash, :mac)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac`,
        { ...head },
      );
    },
  };
}

import { conditions, type AuditFilter } from './audit-filter.ts';
import { createAuditPages, TIME_BLOCK, type AuditPages } from './audit-pages.ts';
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

export interface AuditQuery extends Pick<AuditFilter, 'event'> {
  /** Rows with a greater seq, oldest first; without it the newest come first. */
  readonly after?: number | undefined;
  readonly limit: number;
}

export interface AuditStore extends AuditPages {
  /** The newest row and the signed head, read at one moment. */
  ends(): { readonly last: AuditRow | undefined; readonly head: AuditHead | undefined };
  append(row: AuditRow): void;
  list(query: AuditQuery): AuditRow[];
  setHead(head: AuditHead): void;
}

export function createAuditStore(database: Database): AuditStore {
  return {
    ...createAuditPages(database),
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
      database.run(
        `INSERT INTO audit_times (block, first_at, last_at) VALUES (:block, :at, :at)
         ON CONFLICT (block) DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
         WHERE excluded.first_at < first_at OR excluded.last_at > last_at`,
        { block: Math.floor(row.seq / TIME_BLOCK), at: row.at },
      );
    },
    list({ event, after, limit }) {
      const { indexed, read, values } = conditions({ event });
      const [by] = indexed;
      const where = ['seq > :after', ...indexed.map(({ sql }) => sql), ...read].join(' AND ');
      return database.all<AuditRow>(
        `SELECT * FROM audit ${by ? `INDEXED BY ${by.index}` : 'NOT INDEXED'} WHERE ${where}
         ORDER BY seq ${after === undefined ? 'DESC' : 'ASC'} LIMIT :limit`,
        { ...values, after: after ?? 0, limit },
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

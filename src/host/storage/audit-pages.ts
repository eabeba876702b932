// Guarantees: a page of the log is found in a bounded number of steps, whatever is asked for and however long the log is;
// what was not looked through is told (`edge`), so that asking on from there misses nothing and repeats nothing.
// Does not: check the log. Whoever can write the database can hide a row from a filter by damaging an index; verification
// reads the rows themselves.
// An attacker may control: texts inside rows, and every value of a filter (they are bound, never part of a statement).
import type { SQLInputValue } from 'node:sqlite';
import { conditions, type AuditFilter, type Conditions, type Indexed } from './audit-filter.ts';
import type { AuditRow } from './audit-store.ts';
import type { Database } from './database.ts';

export interface AuditPageQuery extends AuditFilter {
  /** `older`: from `start` back to the beginning, newest first. `newer`: from `start` on, oldest first. */
  readonly direction: 'older' | 'newer';
  /** Not included; without it from the end (`older`) or the beginning (`newer`). */
  readonly start?: number | undefined;
  /** `newer` only: the last seq that may be told. */
  readonly through?: number | undefined;
  readonly limit: number;
}

export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** The last seq that was looked at: the next page starts there. */
  readonly edge: number;
  /** Nothing more lies in this direction. */
  readonly end: boolean;
  /** The newest entry there is; 0 where there is none. */
  readonly newest: number;
}

export interface AuditPages {
  /** Goes on until the page is full, the log ends or `enough()` says so; it looks at something in any case. */
  page(query: AuditPageQuery, enough: () => boolean): AuditPage;
}

/** How many seqs the range of times is known for: the same in migration 0005. */
export const TIME_BLOCK = 1000;
/** Rows that lie beside each other and are looked at in one step. */
const SCAN = 5_000;
/** The same where words are looked for: long details take their time. */
const SCAN_WORDS = 1_000;
/** Rows that an index leads to, each somewhere else on the disk. */
const HOPS = 1_000;

export function createAuditPages(database: Database): AuditPages {
  type Values = Record<string, SQLInputValue>;

  /** The next seqs, first and last included, in which the times can be. */
  function span(query: AuditPageQuery, first: number, last: number): readonly [number, number] | undefined {
    const { from, to, direction } = query;
    if (from === undefined && to === undefined) return [first, last];
    const values: Values = {
      low: block(first),
      high: block(last),
      from: from ?? 0,
      to: to ?? Number.MAX_SAFE_INTEGER,
    };
    const hit = 'last_at >= :from AND first_at < :to';
    const order = direction === 'older' ? 'DESC' : 'ASC';
    const found = database.get<{ block: number }>(
      `SELECT block FROM audit_times WHERE block BETWEEN :low AND :high AND ${hit} ORDER BY block ${order} LIMIT 1`,
      values,
    );
    if (!found) return undefined;
    const beyond = database.get<{ block: number }>(
      `SELECT block FROM audit_times WHERE block BETWEEN :low AND :high AND NOT (${hit}) ORDER BY block ${order} LIMIT 1`,
      direction === 'older' ? { ...values, high: found.block } : { ...values, low: found.block },
    );
    return direction === 'older'
      ? [
          Math.max(first, beyond ? (beyond.block + 1) * TIME_BLOCK : first),
          Math.min(last, (found.block + 1) * TIME_BLOCK - 1),
        ]
      : [
          Math.max(first, found.block * TIME_BLOCK),
          Math.min(last, beyond ? beyond.block * TIME_BLOCK - 1 : last),
        ];
  }

  return {
    page(query, enough) {
      const { direction, limit } = query;
      const older = direction === 'older';
      const order = older ? 'DESC' : 'ASC';
      const { indexed, read, values } = conditions(query);
      const newest = database.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM audit')?.seq ?? 0;
      const last = Math.min(newest, query.through ?? newest);
      let [low, high] = older
        ? [1, Math.min(newest, (query.start ?? newest + 1) - 1)]
        : [(query.start ?? 0) + 1, last];
      const rows: AuditRow[] = [];

      /** How far one step may go: so that no more than a bounded number of rows is read. */
      function reach(by: Indexed | undefined, first: number, until: number): number {
        if (by === undefined) {
          if (read.length === 0) return older ? first : until;
          const scan = query.text === undefined ? SCAN : SCAN_WORDS;
          return older ? Math.max(first, until - scan + 1) : Math.min(until, first + scan - 1);
        }
        if (indexed.length === 1 && read.length === 0) return older ? first : until;
        const far = database.get<{ seq: number }>(
          `SELECT seq FROM audit INDEXED BY ${by.index} WHERE ${by.sql} AND seq BETWEEN :first AND :until
           ORDER BY seq ${order} LIMIT 1 OFFSET :hops`,
          { ...only(values, by.sql), first, until, hops: HOPS - 1 },
        );
        return far?.seq ?? (older ? first : until);
      }

      while (low <= high && rows.length < limit) {
        const part = span(query, low, high);
        if (!part) {
          if (older) high = low - 1;
          else low = high + 1;
          break;
        }
        const [first, until] = part;
        let by: Indexed | undefined;
        let edge = reach(undefined, first, until);
        for (const [number, each] of indexed.entries()) {
          const far = reach(each, first, until);
          if (number === 0 || (older ? far < edge : far > edge)) [by, edge] = [each, far];
        }
        const where = ['seq BETWEEN :first AND :until', ...indexed.map(({ sql }) => sql), ...read].join(
          ' AND ',
        );
        const found = database.all<AuditRow>(
          `SELECT * FROM audit ${by ? `INDEXED BY ${by.index}` : 'NOT INDEXED'} WHERE ${where}
           ORDER BY seq ${order} LIMIT :limit`,
          {
            ...values,
            first: older ? edge : first,
            until: older ? until : edge,
            limit: limit - rows.length,
          },
        );
        rows.push(...found);
        const full = rows.length === limit;
        const stop = full ? (rows.at(-1)?.seq ?? edge) : edge;
        if (older) high = stop - 1;
        else low = stop + 1;
        if (enough()) break;
      }
      return { rows, edge: older ? high + 1 : low - 1, end: low > high, newest };
    },
  };
}

function block(seq: number): number {
  return Math.floor(seq / TIME_BLOCK);
}

/** SQLite refuses values that a statement does not name. */
function only(values: Conditions['values'], sql: string): Record<string, SQLInputValue> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => new RegExp(`:${name}\\b`).test(sql)));
}

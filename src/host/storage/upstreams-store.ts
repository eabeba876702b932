import type { Database } from './database.ts';

/** What the owner set for an upstream; one that was never touched has no row. */
interface UpstreamRow {
  readonly name: string;
  readonly enabled: boolean;
  /** Null: the upstream's own address. */
  readonly base_url: string | null;
}

export interface UpstreamsStore {
  get(name: string): UpstreamRow | undefined;
  put(row: UpstreamRow, now: number): void;
}

export function createUpstreamsStore(database: Database): UpstreamsStore {
  return {
    get(name) {
      const row = database.get<{ name: string; enabled: number; base_url: string | null }>(
        'SELECT name, enabled, base_url FROM upstreams WHERE name = :name',
        { name },
      );
      return row && { ...row, enabled: row.enabled === 1 };
    },
    put({ name, enabled, base_url }, now) {
      database.run(
        `INSERT INTO upstreams (name, enabled, base_url, updated_at) VALUES (:name, :enabled, :base_url, :now)
         ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled, base_url = excluded.base_url, updated_at = excluded.updated_at`,
        { name, enabled: enabled ? 1 : 0, base_url, now },
      );
    },
  };
}

import type { Database } from './database.ts';

/** What is known of a secret for scripts besides its value. */
export interface SecretRow {
  readonly name: string;
  /** JSON list of hosts. */
  readonly hosts: string;
  readonly note: string;
  /** A day, YYYY-MM-DD. */
  readonly rotate_by: string | null;
  /** 1: hard enough to guess to be looked for in texts. */
  readonly matched: number;
  readonly created_at: number;
  readonly updated_at: number;
  /** When the value was set. */
  readonly rotated_at: number;
  readonly used_at: number | null;
  readonly used_by: string | null;
}

export interface SecretsStore {
  get(name: string): SecretRow | undefined;
  /** By name. */
  list(): SecretRow[];
  /** Inserts or replaces. */
  put(row: SecretRow): void;
  setUsed(name: string, at: number, by: string): void;
  /** Whether there was one. */
  remove(name: string): boolean;
}

export function createSecretsStore(database: Database): SecretsStore {
  return {
    get: (name) => database.get<SecretRow>('SELECT * FROM secrets WHERE name = :name', { name }),
    list: () => database.all<SecretRow>('SELECT * FROM secrets ORDER BY name'),
    put(row) {
      database.run(
        `INSERT INTO secrets (name, hosts, note, rotate_by, matched, created_at, updated_at, rotated_at, used_at, used_by)
         VALUES (:name, :hosts, :note, :rotate_by, :matched, :created_at, :updated_at, :rotated_at, :used_at, :used_by)
         ON CONFLICT (name) DO UPDATE SET hosts = excluded.hosts, note = excluded.note, rotate_by = excluded.rotate_by,
           matched = excluded.matched, updated_at = excluded.updated_at, rotated_at = excluded.rotated_at`,
        { ...row },
      );
    },
    setUsed(name, at, by) {
      database.run('UPDATE secrets SET used_at = :at, used_by = :by WHERE name = :name', { name, at, by });
    },
    remove: (name) => database.run('DELETE FROM secrets WHERE name = :name', { name }) > 0,
  };
}

import type { Database } from './database.ts';

/** A secret value as it lies on disk: encrypted, bound to its id, kind and name. */
export interface SealedRow {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly nonce: Uint8Array;
  readonly box: Uint8Array;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface SealedStore {
  get(kind: string, name: string): SealedRow | undefined;
  /** Sorted by kind and name. */
  list(): SealedRow[];
  /** Inserts, or replaces nonce, box and time of the row with this id. */
  put(row: SealedRow): void;
  /** Whether there was one. */
  remove(kind: string, name: string): boolean;
}

export function createSealedStore(database: Database): SealedStore {
  return {
    get: (kind, name) =>
      database.get<SealedRow>('SELECT * FROM sealed WHERE kind = :kind AND name = :name', { kind, name }),
    list: () => database.all<SealedRow>('SELECT * FROM sealed ORDER BY kind, name'),
    put(row) {
      database.run(
        `INSERT INTO sealed (id, kind, name, nonce, box, created_at, updated_at)
         VALUES (:id, :kind, :name, :nonce, :box, :created_at, :updated_at)
         ON CONFLICT (id) DO UPDATE SET nonce = excluded.nonce, box = excluded.box, updated_at = excluded.updated_at`,
        { ...row },
      );
    },
    remove: (kind, name) =>
      database.run('DELETE FROM sealed WHERE kind = :kind AND name = :name', { kind, name }) > 0,
  };
}

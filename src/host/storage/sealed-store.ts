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

/** A value that is no longer in use, as it lay in its record. */
export interface RetiredRow extends Pick<SealedRow, 'id' | 'kind' | 'name' | 'nonce' | 'box'> {
  readonly number: number;
  /** Ms; from then on it need not be hidden any more. */
  readonly until: number;
}

export interface SealedStore {
  get(kind: string, name: string): SealedRow | undefined;
  /** Sorted by kind and name. */
  list(): SealedRow[];
  /** Inserts, or replaces nonce, box and time of the row with this id. */
  put(row: SealedRow): void;
  /** Whether there was one. */
  remove(kind: string, name: string): boolean;
  /** Keeps a copy of a record that is about to be replaced or removed. */
  retire(row: SealedRow, until: number): void;
  /** Oldest first. */
  retired(): RetiredRow[];
  /** Replaces nonce and box of a retired value. */
  putRetired(row: Pick<RetiredRow, 'number' | 'nonce' | 'box'>): void;
  forgetRetired(before: number): void;
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
    retire({ id, kind, name, nonce, box }, until) {
      database.run(
        `INSERT INTO retired_secrets (id, kind, name, nonce, box, until)
         VALUES (:id, :kind, :name, :nonce, :box, :until)`,
        { id, kind, name, nonce, box, until },
      );
    },
    retired: () => database.all<RetiredRow>('SELECT * FROM retired_secrets ORDER BY number'),
    putRetired({ number, nonce, box }) {
      database.run('UPDATE retired_secrets SET nonce = :nonce, box = :box WHERE number = :number', {
        number,
        nonce,
        box,
      });
    },
    forgetRetired(before) {
      database.run('DELETE FROM retired_secrets WHERE until <= :before', { before });
    },
  };
}

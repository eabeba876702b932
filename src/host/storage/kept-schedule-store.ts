import type { Database } from './database.ts';

/** A schedule of the original, kept as data. */
export interface KeptScheduleRow {
  readonly id: string;
  readonly name: string;
  /** JSON, as the original had it, checked when it came. */
  readonly definition: string;
  readonly imported_at: number;
}

export interface KeptScheduleStore {
  has(id: string): boolean;
  /** By name. */
  list(): KeptScheduleRow[];
  add(row: KeptScheduleRow): void;
}

export function createKeptScheduleStore(database: Database): KeptScheduleStore {
  return {
    has: (id) => database.get('SELECT 1 FROM kept_schedules WHERE id = :id', { id }) !== undefined,
    list: () => database.all<KeptScheduleRow>('SELECT * FROM kept_schedules ORDER BY name, id'),
    add(row) {
      database.run(
        `INSERT INTO kept_schedules (id, name, definition, imported_at)
         VALUES (:id, :name, :definition, :imported_at)`,
        { ...row },
      );
    },
  };
}

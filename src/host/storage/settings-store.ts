import type { Json } from '../../core/index.ts';
import type { Database } from './database.ts';

/** Small facts that outlive a restart and belong to no other table, as JSON by name. */
export interface SettingsStore {
  get(key: string): Json | undefined;
  set(key: string, value: Json, now: number): void;
  delete(key: string): void;
}

export function createSettingsStore(database: Database): SettingsStore {
  return {
    get(key) {
      const row = database.get<{ value: string }>('SELECT value FROM settings WHERE key = :key', { key });
      return row === undefined ? undefined : (JSON.parse(row.value) as Json);
    },
    set(key, value, now) {
      database.run(
        `INSERT INTO settings (key, value, updated_at) VALUES (:key, :value, :now)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
        { key, value: JSON.stringify(value), now },
      );
    },
    delete(key) {
      database.run('DELETE FROM settings WHERE key = :key', { key });
    },
  };
}

import type { Database } from './database.ts';

export interface UserRow {
  readonly id: string;
  /** As it was typed; unique without regard to the case of ASCII letters. */
  readonly username: string;
  /** A PHC string, or a bcrypt hash that was imported and not used yet. */
  readonly password_hash: string;
  readonly created_at: number;
  readonly password_changed_at: number;
  readonly last_login_at: number | null;
}

export interface UsersStore {
  count(): number;
  /** By name. */
  list(): UserRow[];
  byId(id: string): UserRow | undefined;
  byName(username: string): UserRow | undefined;
  insert(row: UserRow): void;
  /** `changedAt` undefined: the same password, hashed anew. */
  setPassword(id: string, hash: string, changedAt: number | undefined): void;
  setLastLogin(id: string, at: number): void;
}

export function createUsersStore(database: Database): UsersStore {
  return {
    count: () => database.get<{ n: number }>('SELECT count(*) AS n FROM users')?.n ?? 0,
    list: () => database.all<UserRow>('SELECT * FROM users ORDER BY username'),
    byId: (id) => database.get<UserRow>('SELECT * FROM users WHERE id = :id', { id }),
    byName: (username) =>
      database.get<UserRow>('SELECT * FROM users WHERE username = :username', { username }),
    insert(row) {
      database.run(
        `INSERT INTO users (id, username, password_hash, created_at, password_changed_at, last_login_at)
         VALUES (:id, :username, :password_hash, :created_at, :password_changed_at, :last_login_at)`,
        { ...row },
      );
    },
    setPassword(id, hash, changedAt) {
      database.run(
        `UPDATE users SET password_hash = :hash, password_changed_at = coalesce(:changed_at, password_changed_at)
         WHERE id = :id`,
        { id, hash, changed_at: changedAt ?? null },
      );
    },
    setLastLogin(id, at) {
      database.run('UPDATE users SET last_login_at = :at WHERE id = :id', { id, at });
    },
  };
}

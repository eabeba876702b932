import type { Database } from './database.ts';

/** A login and everything that was refreshed from it. */
export interface LoginFamilyRow {
  readonly id: string;
  readonly user_id: string;
  readonly created_at: number;
  readonly last_used_at: number;
  readonly expires_at: number;
  readonly address: string;
  readonly user_agent: string;
  readonly revoked_at: number | null;
  readonly revoked_why: string | null;
}

interface RefreshTokenRow {
  /** SHA-256 of the token, in hex. */
  readonly token_hash: string;
  readonly family_id: string;
  readonly issued_at: number;
  readonly used_at: number | null;
}

export interface LoginStore {
  insertFamily(row: LoginFamilyRow): void;
  family(id: string): LoginFamilyRow | undefined;
  /** Families of a user that are neither revoked nor expired, the last used first. */
  liveFamilies(userId: string, now: number): LoginFamilyRow[];
  touchFamily(id: string, usedAt: number, expiresAt: number): void;
  /** False when it was revoked before. */
  revokeFamily(id: string, at: number, why: string): boolean;
  insertToken(row: RefreshTokenRow): void;
  token(hash: string): RefreshTokenRow | undefined;
  /** False when it was used before: of two uses at once one wins. */
  useToken(hash: string, at: number): boolean;
  /** Forgets families that ended before, and tokens that were used before. */
  prune(endedBefore: number): number;
}

export function createLoginStore(database: Database): LoginStore {
  return {
    insertFamily(row) {
      database.run(
        `INSERT INTO login_families
           (id, user_id, created_at, last_used_at, expires_at, address, user_agent, revoked_at, revoked_why)
         VALUES
           (:id, :user_id, :created_at, :last_used_at, :expires_at, :address, :user_agent, :revoked_at, :revoked_why)`,
        { ...row },
      );
    },
    family: (id) => database.get<LoginFamilyRow>('SELECT * FROM login_families WHERE id = :id', { id }),
    liveFamilies: (userId, now) =>
      database.all<LoginFamilyRow>(
        `SELECT * FROM login_families WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now
         ORDER BY last_used_at DESC, id DESC`,
        { user_id: userId, now },
      ),
    touchFamily(id, usedAt, expiresAt) {
      database.run(
        'UPDATE login_families SET last_used_at = :used_at, expires_at = :expires_at WHERE id = :id',
        { id, used_at: usedAt, expires_at: expiresAt },
      );
    },
    revokeFamily: (id, at, why) =>
      database.run(
        'UPDATE login_families SET revoked_at = :at, revoked_why = :why WHERE id = :id AND revoked_at IS NULL',
        { id, at, why },
      ) === 1,
    insertToken(row) {
      database.run(
        `INSERT INTO refresh_tokens (token_hash, family_id, issued_at, used_at)
         VALUES (:token_hash, :family_id, :issued_at, :used_at)`,
        { ...row },
      );
    },
    token: (hash) =>
      database.get<RefreshTokenRow>('SELECT * FROM refresh_tokens WHERE token_hash = :hash', { hash }),
    useToken: (hash, at) =>
      database.run('UPDATE refresh_tokens SET used_at = :at WHERE token_hash = :hash AND used_at IS NULL', {
        hash,
        at,
      }) === 1,
    prune: (endedBefore) =>
      database.run(
        `DELETE FROM login_families WHERE expires_at < :before OR (revoked_at IS NOT NULL AND revoked_at < :before)`,
        { before: endedBefore },
      ) +
      database.run('DELETE FROM refresh_tokens WHERE used_at IS NOT NULL AND used_at < :before', {
        before: endedBefore,
      }),
  };
}

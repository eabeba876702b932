// Guarantees: an access token is a JWT signed by us (HS256 only, our issuer, audience, kind and key id), no older than
// admin.jwt.access_expiry (15 minutes, at most 60), of a session that has not ended and a user who exists: a logout acts at once (S-33, S-65, A-07).
// Does not: bind a token to a client: who steals one has it until it or its session ends.
// An attacker may control: every byte of the token presented.
import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { AppError, newId, type Clock } from '../../core/index.ts';
import type { UserRow, UsersStore } from '../../host/storage/users-store.ts';
import type { Sessions } from './sessions.ts';

const ISSUER = 'openpact';
const AUDIENCE = 'openpact-admin';
const ALGORITHM = 'HS256';
const MIN_KEY_BYTES = 32;
const MAX_TOKEN_LENGTH = 4096;
/** For logout only: a token of a page that slept. */
const LONG_AGO_S = 30 * 24 * 3600;

export interface TokensDeps {
  /** At least 32 bytes. */
  readonly key: Uint8Array;
  readonly users: UsersStore;
  readonly sessions: Pick<Sessions, 'isLive'>;
  readonly clock: Clock;
  /** Seconds. Default 15 minutes. */
  readonly accessSeconds?: number | undefined;
}

interface AccessToken {
  readonly token: string;
  /** ms. */
  readonly expiresAt: number;
}

export interface AccessFacts {
  readonly user: UserRow;
  readonly familyId: string;
  readonly expiresAt: number;
}

export interface Tokens {
  issue(user: UserRow, familyId: string): Promise<AccessToken>;
  /** Undefined for every token that is not good, whatever the reason: the outside learns no more. */
  verify(token: string): Promise<AccessFacts | undefined>;
  /** The session that a token of ours was made for, even if the token has expired. Only for ending it. */
  familyOf(token: string): Promise<{ readonly familyId: string; readonly userId: string } | undefined>;
}

export function createTokens(deps: TokensDeps): Tokens {
  const { key, users, sessions, clock } = deps;
  const seconds = deps.accessSeconds ?? 15 * 60;
  if (key.length < MIN_KEY_BYTES) throw shortKey();
  const kid = createHash('sha256').update('openpact access token key').update(key).digest('hex').slice(0, 12);

  async function claims(token: string, clockTolerance: number) {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: 'JWT',
        requiredClaims: ['sub', 'sid', 'jti', 'exp', 'iat', 'type'],
        currentDate: new Date(clock.now()),
        clockTolerance,
      });
      const { sub, sid, exp } = payload;
      if (protectedHeader.kid !== kid || payload['type'] !== 'access') return undefined;
      if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') return undefined;
      return { sub, sid, exp };
    } catch {
      // jose throws for every way in which a token can be bad; each is the same answer.
      return undefined;
    }
  }

  return {
    async issue(user, familyId) {
      const now = Math.floor(clock.now() / 1000);
      const token = await new SignJWT({ name: user.username, sid: familyId, type: 'access' })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(user.id)
        .setJti(newId('jwt', clock.now()))
        .setIssuedAt(now)
        .setExpirationTime(now + seconds)
        .sign(key);
      return { token, expiresAt: (now + seconds) * 1000 };
    },
    async verify(token) {
      const good = await claims(token, 0);
      if (!good || !sessions.isLive(good.sid)) return undefined;
      const user = users.byId(good.sub);
      return user && { user, familyId: good.sid, expiresAt: good.exp * 1000 };
    },
    async familyOf(token) {
      const known = await claims(token, LONG_AGO_S);
      return known && { familyId: known.sid, userId: known.sub };
    },
  };
}

/**
 * The key of the access tokens: the text of ADMIN_JWT_SECRET where it is set, or the one that the workspace keeps.
 * Error: `jwt_secret_short` (config).
 */
export function tokenKey(secret: string | undefined, kept: Uint8Array): Uint8Array {
  if (secret === undefined || secret === '') return kept;
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < MIN_KEY_BYTES) throw shortKey();
  return bytes;
}

function shortKey(): AppError {
  return new AppError({
    family: 'config',
    code: 'jwt_secret_short',
    message: `ADMIN_JWT_SECRET is shorter than ${MIN_KEY_BYTES} bytes, so tokens could be forged.`,
    fix: 'Set a random one (openssl rand -base64 32), or leave it out: OpenPact then keeps its own.',
  });
}

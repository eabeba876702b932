// Guarantees: a refresh token is 256 bits, only its SHA-256 is stored, and it is good for one use. Its predecessor is
// accepted for ten seconds more and leads to the same successor, so that two tabs that refresh at once both live. A later
// use of a used token means that two parties hold it: the whole family (everything since that login) ends, audited.
// A family ends after `idleMs` without use, after `maxMs` in any case, on logout, and when the password changes.
// Does not: tell the owner of a stolen token from the thief before the second use.
// An attacker may control: the token presented, how often and when; not the clock.
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { newId, newToken, type Clock, type Principal } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { LoginFamilyRow, LoginStore } from '../../host/storage/login-store.ts';
import type { UserRow, UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';

const GRACE_MS = 10_000;
const MAX_PER_USER = 20;
const KEEP_ENDED_MS = 30 * 24 * 3600_000;
/** Refreshes that two tabs could do within the grace; more is a loop. */
const MAX_STEPS = 50;

export interface SessionsDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly logins: LoginStore;
  readonly audit: Audit;
  readonly clock: Clock;
  /** At least 32 bytes: successors are derived from it. */
  readonly key: Uint8Array;
  /** Milliseconds without use after which a session ends. Default 72 hours. */
  readonly idleMs?: number | undefined;
  /** Milliseconds after its login when a session ends in any case. Default 30 days. */
  readonly maxMs?: number | undefined;
}

export interface ClientFacts {
  readonly address: string;
  readonly userAgent: string;
}

export interface StartedSession {
  readonly refreshToken: string;
  readonly familyId: string;
  /** When the refresh token ends, ms. */
  readonly expiresAt: number;
}

type RefreshOutcome =
  | { readonly kind: 'ok'; readonly user: UserRow; readonly session: StartedSession }
  | { readonly kind: 'unknown' | 'ended' | 'reused' };

export interface Sessions {
  /** Call it inside the transaction of the act that lets somebody in. */
  start(user: UserRow, client: ClientFacts): StartedSession;
  refresh(token: string, client: ClientFacts): RefreshOutcome;
  /** The family that a refresh token belongs to, whatever its state; for logout. */
  familyOf(token: string): LoginFamilyRow | undefined;
  isLive(familyId: string): boolean;
  list(userId: string): readonly LoginFamilyRow[];
  /** Ends one family and writes `event`; false when it had ended. Goes ahead without an audit row: it reduces power. */
  end(familyId: string, why: string, by: Principal, event: 'login.logout' | 'session.revoked'): boolean;
  /** Ends all of a user; the number that ended. */
  endAll(userId: string, why: string, by: Principal): number;
  /** Hears, soon after, that a family may have ended: ask `isLive`. */
  onEnded(listener: (familyId: string) => void): () => void;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { database, users, logins, audit, clock } = deps;
  const idleMs = deps.idleMs ?? 72 * 3600_000;
  const maxMs = deps.maxMs ?? 30 * 24 * 3600_000;
  const successorKey = Buffer.from(hkdfSync('sha256', deps.key, '', 'openpact refresh successor', 32));
  const listeners = new Set<(familyId: string) => void>();

  const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
  const successorOf = (token: string): string =>
    createHmac('sha256', successorKey).update(token).digest('base64url');
  const live = (family: LoginFamilyRow | undefined): family is LoginFamilyRow =>
    family !== undefined && family.revoked_at === null && family.expires_at > clock.now();
  const expiry = (createdAt: number, now: number): number => Math.min(now + idleMs, createdAt + maxMs);

  function revoke(family: LoginFamilyRow, why: string): boolean {
    const ended = logins.revokeFamily(family.id, clock.now(), why);
    // After the transaction that we may be in: listeners look at what is committed.
    if (ended) queueMicrotask(() => listeners.forEach((listener) => listener(family.id)));
    return ended;
  }

  function rotate(token: string, family: LoginFamilyRow, now: number): StartedSession {
    const expiresAt = expiry(family.created_at, now);
    const next = successorOf(token);
    logins.useToken(hashOf(token), now);
    logins.insertToken({ token_hash: hashOf(next), family_id: family.id, issued_at: now, used_at: null });
    logins.touchFamily(family.id, now, expiresAt);
    return { refreshToken: next, familyId: family.id, expiresAt };
  }

  /** The newest of the chain that starts at a used token: another tab may have gone on from its successor already. */
  function newestAfter(token: string): string | undefined {
    let current = successorOf(token);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const row = logins.token(hashOf(current));
      if (!row) return undefined;
      if (row.used_at === null) return current;
      current = successorOf(current);
    }
    return undefined;
  }

  return {
    start(user, client) {
      const now = clock.now();
      const id = newId('fam', now);
      const refreshToken = newToken();
      const expiresAt = expiry(now, now);
      database.tx(() => {
        logins.prune(now - KEEP_ENDED_MS);
        const before = logins.liveFamilies(user.id, now);
        for (const old of before.slice(MAX_PER_USER - 1)) revoke(old, 'too_many');
        logins.insertFamily({
          id,
          user_id: user.id,
          created_at: now,
          last_used_at: now,
          expires_at: expiresAt,
          address: client.address,
          user_agent: client.userAgent.slice(0, 300),
          revoked_at: null,
          revoked_why: null,
        });
        logins.insertToken({
          token_hash: hashOf(refreshToken),
          family_id: id,
          issued_at: now,
          used_at: null,
        });
      });
      return { refreshToken, familyId: id, expiresAt };
    },

    refresh: (token, client) =>
      database.tx((): RefreshOutcome => {
        const now = clock.now();
        const row = logins.token(hashOf(token));
        if (!row) return { kind: 'unknown' };
        const family = logins.family(row.family_id);
        const user = family && users.byId(family.user_id);
        if (!live(family) || !user) return { kind: 'ended' };
        if (row.used_at === null) return { kind: 'ok', user, session: rotate(token, family, now) };
        // A clock that was set back counts as late: the grace never grows.
        const age = now - row.used_at;
        const newest = age >= 0 && age <= GRACE_MS ? newestAfter(token) : undefined;
        if (newest !== undefined) {
          return {
            kind: 'ok',
            user,
            session: { refreshToken: newest, familyId: family.id, expiresAt: family.expires_at },
          };
        }
        revoke(family, 'refresh_reused');
        audit.note({
          event: 'login.refresh_reused',
          principal: { kind: 'anonymous', address: client.address },
          origin: 'page',
          target: family.id,
          outcome: 'refused',
          details: { user: user.username, age_ms: age },
        });
        return { kind: 'reused' };
      }),

    familyOf(token) {
      const row = logins.token(hashOf(token));
      return row && logins.family(row.family_id);
    },

    isLive: (familyId) => live(logins.family(familyId)),
    list: (userId) => logins.liveFamilies(userId, clock.now()),

    end: (familyId, why, by, event) =>
      database.tx(() => {
        const family = logins.family(familyId);
        if (!live(family) || !revoke(family, why)) return false;
        audit.note({
          event,
          principal: by,
          origin: 'page',
          target: familyId,
          outcome: 'ok',
          details: { why },
        });
        return true;
      }),

    endAll: (userId, why, by) =>
      database.tx(() => {
        const families = logins.liveFamilies(userId, clock.now());
        for (const family of families) {
          revoke(family, why);
          audit.note({
            event: 'session.revoked',
            principal: by,
            origin: by.kind === 'user' ? 'page' : 'cli',
            target: family.id,
            outcome: 'ok',
            details: { why },
          });
        }
        return families.length;
      }),

    onEnded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

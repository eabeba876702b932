// Guarantees: a session begins only with the right password, in one transaction with its audit row; every failure is
// audited, refusals by the limits once per stretch; the outside can't tell an unknown user from a wrong password.
// An attacker may control: user name and password, address within their networks. What they type as a user name is
// recorded only when such a user exists: people type passwords there.
import { AppError, errorText, type Clock, type Log, type Principal } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { UserRow, UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { isBcrypt } from './bcrypt-hash.ts';
import { LoginLimited, type Credentials } from './credentials.ts';
import type { PasswordHasher } from './passwords.ts';
import type { ClientFacts, Sessions, StartedSession } from './sessions.ts';

export interface LoginDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly sessions: Sessions;
  readonly credentials: Credentials;
  readonly hasher: PasswordHasher;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Login {
  /** Errors: `invalid_credentials` (auth), `rate_limited`, `busy` (limit). */
  login(
    who: { readonly username: string; readonly password: string },
    client: ClientFacts,
  ): Promise<{ readonly user: UserRow; readonly session: StartedSession }>;
}

export function createLogin(deps: LoginDeps): Login {
  const { database, users, sessions, credentials, hasher, audit, clock, log } = deps;

  /** The stored hash is of another cost than today's, or was imported: make it anew while the password is at hand. */
  async function hashAnew(user: UserRow, password: string): Promise<UserRow> {
    try {
      const password_hash = await hasher.hash(password);
      return database.tx(() => {
        const now = users.byId(user.id);
        if (now === undefined) return user;
        // Another login was quicker, with the same password; after a change of the password this one ends.
        if (now.password_hash !== user.password_hash)
          return now.password_changed_at === user.password_changed_at ? now : user;
        users.setPassword(user.id, password_hash, undefined);
        audit.append({
          event: 'password.rehashed',
          principal: { kind: 'system' },
          origin: 'system',
          target: user.id,
          outcome: 'ok',
          details: { from: isBcrypt(user.password_hash) ? 'bcrypt' : 'argon2id' },
        });
        return { ...user, password_hash };
      });
    } catch (error) {
      log.warn('a password hash could not be renewed; the next login tries again', {
        problem: errorText(error),
      });
      return user;
    }
  }

  return {
    async login({ username, password }, client) {
      const anonymous: Principal = { kind: 'anonymous', address: client.address };
      const found = users.byName(username.trim().normalize('NFC'));
      const entry = { principal: anonymous, origin: 'page', target: found?.username ?? '' } as const;
      let verdict;
      try {
        verdict = await credentials.check({
          username: found?.username ?? username,
          user: found,
          password,
          address: client.address,
        });
      } catch (error) {
        if (error instanceof LoginLimited && error.first) {
          audit.note({ ...entry, event: 'login.limited', outcome: 'refused' });
        }
        throw error;
      }
      if (!verdict.ok || !found) {
        audit.note({ ...entry, event: 'login.failed', outcome: 'refused', details: { known: !!found } });
        throw invalidCredentials();
      }
      const user = verdict.rehash ? await hashAnew(found, password) : found;
      const session = database.tx(() => {
        // The password may have been changed while we hashed.
        if (users.byId(user.id)?.password_hash !== user.password_hash) throw invalidCredentials();
        users.setLastLogin(user.id, clock.now());
        const started = sessions.start(user, client);
        audit.append({
          event: 'login.ok',
          principal: { kind: 'user', id: user.id, name: user.username },
          origin: 'page',
          target: user.id,
          outcome: 'ok',
          details: { address: client.address, session: started.familyId },
        });
        return started;
      });
      return { user, session };
    },
  };
}

function invalidCredentials(): AppError {
  return new AppError({
    family: 'auth',
    code: 'invalid_credentials',
    message: 'The user name or the password is wrong.',
  });
}

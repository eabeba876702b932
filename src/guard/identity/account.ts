// Guarantees: a password is changed only with the current one (or by the operator of the machine), in one transaction
// with its audit row and the end of every session of that user.
import { AppError, type Clock, type Principal } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { UserRow, UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { requireGoodPassword } from './password-rule.ts';
import type { PasswordHasher } from './passwords.ts';
import type { StepUp } from './ports.ts';
import type { ClientFacts, Sessions, StartedSession } from './sessions.ts';

export interface AccountDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly sessions: Sessions;
  readonly stepUp: StepUp;
  readonly hasher: PasswordHasher;
  readonly audit: Audit;
  readonly clock: Clock;
}

interface PasswordChange {
  readonly current_password: string;
  readonly new_password: string;
  readonly confirm_password: string;
}

export interface Account {
  /**
   * Ends every session, then starts one for the client that asked.
   * Errors: `password_mismatch`, `invalid_password` (input), `wrong_password` (forbidden), `rate_limited`, `busy` (limit).
   */
  changePassword(user: UserRow, change: PasswordChange, client: ClientFacts): Promise<StartedSession>;
  /** For `openpact user reset-password`. Errors: `user_not_found` (missing), `invalid_password` (input). */
  resetPassword(username: string, password: string): Promise<void>;
}

export function createAccount(deps: AccountDeps): Account {
  const { database, users, sessions, stepUp, hasher, audit, clock } = deps;

  function store(user: UserRow, hash: string, by: Principal): void {
    users.setPassword(user.id, hash, clock.now());
    sessions.endAll(user.id, 'password_changed', by);
    audit.append({
      event: 'password.changed',
      principal: by,
      origin: by.kind === 'user' ? 'page' : 'cli',
      target: user.id,
      outcome: 'ok',
    });
  }

  return {
    async changePassword(user, change, client) {
      if (change.new_password !== change.confirm_password) {
        throw new AppError({
          family: 'input',
          code: 'password_mismatch',
          message: 'The two passwords differ.',
        });
      }
      requireGoodPassword(change.new_password, user.username);
      const principal: Principal = { kind: 'user', id: user.id, name: user.username };
      await stepUp.requireStepUp({
        principal,
        address: client.address,
        act: 'password.change',
        password: change.current_password,
      });
      if (change.new_password === change.current_password) {
        throw new AppError({
          family: 'input',
          code: 'invalid_password',
          message: 'The new password is the old one.',
        });
      }
      const hash = await hasher.hash(change.new_password);
      return database.tx(() => {
        if (users.byId(user.id)?.password_hash !== user.password_hash) {
          throw new AppError({
            family: 'conflict',
            code: 'conflict',
            message: 'The password was changed by somebody else meanwhile.',
            fix: 'Log in again.',
          });
        }
        store(user, hash, principal);
        return sessions.start(user, client);
      });
    },

    async resetPassword(username, password) {
      const user = users.byName(username.trim().normalize('NFC'));
      if (!user) {
        throw new AppError({
          family: 'missing',
          code: 'user_not_found',
          message: `There is no user "${username}".`,
        });
      }
      requireGoodPassword(password, user.username);
      const hash = await hasher.hash(password);
      database.tx(() => store(user, hash, { kind: 'operator' }));
    },
  };
}

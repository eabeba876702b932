// Guarantees: an account that comes from elsewhere is made only where there is none, in one transaction with its entry in
// the audit log, and ends the setup's account step like one made on the page; the hash it brought checks its password.
// Does not: look at the strength of a password that it can't know.
// An attacker may control: name and hash, in the file that the owner imports.
import { AppError, newId, type Clock, type Principal } from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { requireUsername } from './account-rule.ts';
import { bcryptCost } from './bcrypt-hash.ts';
import { setupComplete, STEP_SETTING } from './setup.ts';

export interface ImportedAccount {
  readonly username: string;
  /** A bcrypt hash. */
  readonly hash: string;
  /** Milliseconds; since when the password is assumed to be what it is. */
  readonly createdAt: number;
}

export interface ImportedAccountDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly settings: SettingsStore;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Errors: `setup_complete` (forbidden), `invalid_username`, `invalid_hash` (input). */
export function createImportedAccount({ database, users, settings, audit, clock }: ImportedAccountDeps) {
  return ({ username, hash, createdAt }: ImportedAccount, by: Principal): void => {
    const name = requireUsername(username);
    const cost = bcryptCost(hash);
    if (cost === undefined) {
      throw new AppError({
        family: 'input',
        code: 'invalid_hash',
        message: 'The password hash is none of bcrypt.',
      });
    }
    database.tx(() => {
      if (users.count() > 0) throw setupComplete();
      const now = clock.now();
      const since = Math.min(createdAt, now);
      const id = newId('usr', now);
      users.insert({
        id,
        username: name,
        password_hash: hash,
        created_at: since,
        password_changed_at: since,
        last_login_at: null,
      });
      settings.set(STEP_SETTING, 'profile', now);
      audit.append({
        event: 'setup.account',
        principal: by,
        origin: 'cli',
        target: id,
        outcome: 'ok',
        details: { imported: true, username: name, hash: 'bcrypt', cost },
      });
    });
  };
}

// Guarantees: the first account can only be made by somebody who read the one-time code on the console or in
// `secure/data/setup_code`; of any number of attempts at once exactly one makes an account (S-34); a restart voids the
// code; the profile is set once, by the account.
// Does not: keep out whoever can read the console or the workspace.
// An attacker may control: every field of the request, how many at once. Wrong codes are limited per address.
import { AppError, errorText, newId, type Clock, type Log, type Principal } from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { UserRow, UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { requireName, requireTimezone, requireUsername } from './account-rule.ts';
import { addressKey } from './address-key.ts';
import { createAttempts } from './attempts.ts';
import { LoginLimited } from './credentials.ts';
import { requireGoodPassword } from './password-rule.ts';
import type { PasswordHasher } from './passwords.ts';
import type { Profile, ProfileWriter, SetupCodeFile } from './ports.ts';
import type { ClientFacts, Sessions, StartedSession } from './sessions.ts';
import { newSetupCode, sameSetupCode } from './setup-code.ts';

export type SetupStep = 'account' | 'profile' | 'complete';

interface NewAccount {
  readonly username: string;
  readonly password: string;
  readonly confirm_password: string;
  readonly setup_code: string;
}

export interface SetupDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly settings: SettingsStore;
  readonly sessions: Sessions;
  readonly hasher: PasswordHasher;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly codeFile: SetupCodeFile;
  readonly profileWriter: ProfileWriter;
}

export interface Setup {
  step(): SetupStep;
  /** Call once at start. Makes a new code while there is no account, and returns it for the console. */
  begin(): Promise<string | undefined>;
  /**
   * Errors: `setup_complete` (forbidden), `invalid_setup_code` (forbidden), `rate_limited`, `invalid_username`,
   * `invalid_password`, `password_mismatch` (input).
   */
  createAccount(
    account: NewAccount,
    client: ClientFacts,
  ): Promise<{ readonly user: UserRow; readonly session: StartedSession }>;
  /** Errors: `account_required`, `invalid_agent_name`, `invalid_user_name`, `invalid_timezone` (input), `profile_complete` (forbidden). */
  saveProfile(profile: Profile, by: Principal): Promise<void>;
}

/** Settings key of the step that comes next. */
export const STEP_SETTING = 'setup.step';
/** Settings key under which the profile is kept beside the files made from it. */
export const PROFILE_SETTING = 'profile';

export function createSetup(deps: SetupDeps): Setup {
  const { database, users, settings, sessions, hasher, audit, clock, log, codeFile, profileWriter } = deps;
  const wrongCodes = createAttempts({ max: 5, windowMs: 60_000, clock });
  let code: string | undefined;
  let complete = false;
  let saving = false;

  function step(): SetupStep {
    // The last step is never left again, so it need not be read for every request.
    if (complete) return 'complete';
    if (users.count() === 0) return 'account';
    complete = settings.get(STEP_SETTING) === 'complete';
    return complete ? 'complete' : 'profile';
  }

  async function forgetCode(): Promise<void> {
    code = undefined;
    try {
      await codeFile.remove();
    } catch (error) {
      // It opens nothing any more; the owner should still know that it lies there.
      log.warn('the used setup code could not be deleted', { problem: errorText(error) });
    }
  }

  function refused(client: ClientFacts, reason: string): void {
    audit.note({
      event: 'setup.account',
      principal: { kind: 'anonymous', address: client.address },
      origin: 'page',
      target: '',
      outcome: 'refused',
      details: { reason },
    });
  }

  function requireCode(typed: string, client: ClientFacts): void {
    const attempt = wrongCodes.take(addressKey(client.address));
    if (!attempt.ok) {
      if (attempt.first) refused(client, 'too many wrong codes');
      throw new LoginLimited(attempt.retryAfterMs, attempt.first, 'Too many wrong setup codes.');
    }
    if (code !== undefined && sameSetupCode(typed, code)) {
      attempt.giveBack();
      return;
    }
    refused(client, 'wrong code');
    throw new AppError({
      family: 'forbidden',
      code: 'invalid_setup_code',
      message: 'The setup code is not the one of this start.',
      fix: 'Copy it from the console, or from secure/data/setup_code in the workspace.',
    });
  }

  return {
    step,

    async begin() {
      if (step() !== 'account') {
        await forgetCode();
        return undefined;
      }
      code = newSetupCode();
      await codeFile.write(code);
      return code;
    },

    async createAccount(account, client) {
      if (step() !== 'account') throw setupComplete();
      requireCode(account.setup_code, client);
      const username = requireUsername(account.username);
      if (account.password !== account.confirm_password) {
        throw new AppError({
          family: 'input',
          code: 'password_mismatch',
          message: 'The two passwords differ.',
        });
      }
      requireGoodPassword(account.password, username);
      const password_hash = await hasher.hash(account.password);
      const made = database.tx(() => {
        // Others may have come this far too while we hashed: the first to get here has it.
        if (users.count() > 0) throw setupComplete();
        const now = clock.now();
        const user: UserRow = {
          id: newId('usr', now),
          username,
          password_hash,
          created_at: now,
          password_changed_at: now,
          last_login_at: now,
        };
        users.insert(user);
        settings.set(STEP_SETTING, 'profile', now);
        const session = sessions.start(user, client);
        audit.append({
          event: 'setup.account',
          principal: { kind: 'user', id: user.id, name: user.username },
          origin: 'page',
          target: user.id,
          outcome: 'ok',
          details: { address: client.address, session: session.familyId },
        });
        return { user, session };
      });
      await forgetCode();
      return made;
    },

    async saveProfile(profile, by) {
      const at = step();
      if (at === 'account') {
        throw new AppError({
          family: 'input',
          code: 'account_required',
          message: 'The profile comes after the account.',
        });
      }
      if (at === 'complete' || saving) throw profileComplete();
      const clean: Profile = {
        agent_name: requireName('agent_name', profile.agent_name),
        personality: profile.personality,
        user_name: requireName('user_name', profile.user_name),
        timezone: requireTimezone(profile.timezone),
      };
      const entry = { event: 'setup.profile', principal: by, origin: 'page', target: 'profile' } as const;
      saving = true;
      try {
        audit.append({ ...entry, outcome: 'intent' });
        await profileWriter.write(clean);
        database.tx(() => {
          const now = clock.now();
          settings.set(PROFILE_SETTING, { ...clean }, now);
          settings.set(STEP_SETTING, 'complete', now);
          audit.append({ ...entry, outcome: 'ok' });
        });
      } finally {
        saving = false;
      }
    },
  };
}

/** There is an account already. */
export function setupComplete(): AppError {
  return new AppError({
    family: 'forbidden',
    code: 'setup_complete',
    message: 'There is an account already.',
    fix: 'Log in. If the password is lost: openpact user reset-password.',
  });
}

function profileComplete(): AppError {
  return new AppError({
    family: 'forbidden',
    code: 'profile_complete',
    message: 'The profile is set already.',
    fix: 'Edit SOUL.md and USER.md in the workspace.',
  });
}

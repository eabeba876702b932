import type { Clock, Log } from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { LoginStore } from '../../host/storage/login-store.ts';
import type { UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { createAccount, type Account } from './account.ts';
import { isBcrypt } from './bcrypt-hash.ts';
import { createCredentials, type CredentialsOptions } from './credentials.ts';
import { createLogin, type Login } from './login.ts';
import { createPasswordHasher, type PasswordHasherOptions } from './passwords.ts';
import type { ProfileWriter, SetupCodeFile, StepUp } from './ports.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSetup, type Setup } from './setup.ts';
import { createStepUp } from './step-up.ts';
import { createTickets, type Tickets } from './tickets.ts';
import { createTokens, type Tokens } from './tokens.ts';

export interface IdentityDeps {
  readonly database: Transactions;
  readonly users: UsersStore;
  readonly logins: LoginStore;
  readonly settings: SettingsStore;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** At least 32 bytes; see `tokenKey`. */
  readonly key: Uint8Array;
  readonly codeFile: SetupCodeFile;
  readonly profileWriter: ProfileWriter;
  readonly options?: IdentityOptions | undefined;
}

export interface IdentityOptions {
  /** Seconds; default 15 minutes. */
  readonly accessSeconds?: number | undefined;
  /** Milliseconds without use; default 72 hours. */
  readonly refreshIdleMs?: number | undefined;
  /** Milliseconds in any case; default 30 days. */
  readonly refreshMaxMs?: number | undefined;
  readonly login?: CredentialsOptions | undefined;
  readonly hasher?: PasswordHasherOptions | undefined;
}

/** Who is who: accounts, sessions, tokens and tickets, wired to each other. */
export interface Identity {
  readonly setup: Setup;
  readonly login: Login;
  readonly account: Account;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly tickets: Tickets;
  readonly stepUp: StepUp;
  readonly users: Pick<UsersStore, 'byId'>;
}

export function createIdentity(deps: IdentityDeps): Identity {
  const { users, clock, key, options = {} } = deps;
  const hasher = createPasswordHasher(options.hasher);
  const sessions = createSessions({ ...deps, idleMs: options.refreshIdleMs, maxMs: options.refreshMaxMs });
  const credentials = createCredentials({
    hasher,
    clock,
    options: options.login,
    imported: () => users.list().find((user) => isBcrypt(user.password_hash))?.password_hash,
  });
  const stepUp = createStepUp({ ...deps, credentials });
  return {
    setup: createSetup({ ...deps, sessions, hasher }),
    login: createLogin({ ...deps, sessions, credentials, hasher }),
    account: createAccount({ ...deps, sessions, stepUp, hasher }),
    sessions,
    tokens: createTokens({ key, users, sessions, clock, accessSeconds: options.accessSeconds }),
    tickets: createTickets({ clock }),
    stepUp,
    users,
  };
}

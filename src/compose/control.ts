import { AppError } from '../core/index.ts';
import { describeConfig, type LoadedConfig } from '../config/index.ts';
import type { ControlHandlers } from '../edge/cli/index.ts';
import { newestRows, type Audit } from '../guard/audit/index.ts';
import type { Seal } from '../guard/secrets/index.ts';
import type { Identity } from '../guard/identity/index.ts';
import type { AuditStore } from '../host/storage/index.ts';
import type { UsersStore } from '../host/storage/users-store.ts';
import { auditView } from './audit-port.ts';

export interface ControlDeps {
  readonly version: string;
  readonly loaded: LoadedConfig;
  readonly audit: Audit;
  readonly auditStore: AuditStore;
  readonly identity: Pick<Identity, 'account' | 'sessions'>;
  readonly users: UsersStore;
  readonly seal: Seal;
  /** Ends what is still looked for. */
  readonly signal?: AbortSignal | undefined;
}

/** The acts of the command line, inside the running instance. */
export function controlHandlers({
  version,
  loaded,
  audit,
  auditStore,
  identity,
  users,
  seal,
  signal,
}: ControlDeps): ControlHandlers {
  return {
    version: async () => ({ version, pid: process.pid }),
    configShow: async () => ({ settings: describeConfig(loaded) }),
    auditVerify: () => audit.verify(),
    auditList: async (query) => ({ entries: (await newestRows(auditStore, query, signal)).map(auditView) }),
    vaultStatus: async () => ({ sealed: seal.sealed(), protection: seal.protection }),
    async vaultUnlock({ passphrase }) {
      await seal.unlock(passphrase, { principal: { kind: 'operator' }, origin: 'cli' });
      return { sealed: seal.sealed() };
    },
    async vaultLock() {
      seal.lock({ principal: { kind: 'operator' }, origin: 'cli' });
      return { sealed: seal.sealed() };
    },
    async resetPassword({ username, password }) {
      const name = username ?? onlyUser(users);
      const user = users.byName(name);
      const ended = user ? identity.sessions.list(user.id).length : 0;
      await identity.account.resetPassword(name, password);
      return { username: user?.username ?? name, ended_logins: ended };
    },
  };
}

function onlyUser(users: UsersStore): string {
  const all = users.list();
  const [only] = all;
  if (only && all.length === 1) return only.username;
  throw new AppError({
    family: 'input',
    code: 'username_needed',
    message: all.length === 0 ? 'There is no user yet.' : 'There are several users.',
    fix:
      all.length === 0
        ? 'Open the page and finish the setup.'
        : `Name one with --username: ${all.map((user) => user.username).join(', ')}.`,
  });
}

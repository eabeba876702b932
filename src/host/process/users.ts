/**
 * The three Linux users, and whether this process may start others' processes.
 *
 * Guarantees: ids come from /etc/passwd and /etc/group by their fixed names, else they are the fixed numbers; nothing is
 * ever created. Children get users of their own only when this process holds SETUID, SETGID and KILL and is not root.
 * Does not: say that file modes fit the users (own-workspace.ts sets them, the isolation probe tries them).
 * An attacker may control: nothing; both files belong to root.
 */
import { readFileSync } from 'node:fs';
import { AppError } from '../../core/index.ts';
import { field, readProcessStatus } from './process-status.ts';
import type { UserIds } from './types.ts';

export interface Users {
  /** OpenPact itself, and the owner of the workspace. */
  readonly system: UserIds;
  /** Engines. In the group of `system`. */
  readonly ai: UserIds;
  /** Scripts. In a group of its own, owns no file. */
  readonly script: UserIds;
}

export const numericIds = { group: 41_000, system: 41_001, ai: 41_002, script: 41_003 } as const;

export interface Accounts {
  readonly passwd: string;
  readonly group: string;
}

/** Errors (config): `users_wrong` when accounts of these names could not keep anything apart. */
export function findUsers(accounts: Accounts = readAccounts()): Users {
  const named = (name: string): UserIds | undefined => {
    const [, , uid, gid] = entry(accounts.passwd, name) ?? [];
    return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
  };
  const group = Number(entry(accounts.group, 'openpact')?.[2] ?? numericIds.group);
  const script = named('openpact-script');
  const users = {
    system: { uid: named('openpact-system')?.uid ?? numericIds.system, gid: group },
    ai: { uid: named('openpact-ai')?.uid ?? numericIds.ai, gid: group },
    script: script ?? { uid: numericIds.script, gid: numericIds.script },
  };
  const uids = Object.values(users).map(({ uid }) => uid);
  const ids = [...uids, group, users.script.gid];
  const sound =
    new Set(uids).size === 3 &&
    users.script.gid !== group &&
    ids.every((id) => Number.isSafeInteger(id) && id > 0);
  if (sound) return users;
  throw new AppError({
    family: 'config',
    code: 'users_wrong',
    message: `The accounts openpact-system, openpact-ai and openpact-script do not keep anything apart: user ids ${uids.join(', ')}, group ids ${group} and ${users.script.gid}.`,
    fix: 'Give each a user id of its own above 0, and openpact-script a group that is not openpact. Or remove them: then the ids 41000 to 41003 are used.',
  });
}

function readAccounts(): Accounts {
  return { passwd: readOr('/etc/passwd'), group: readOr('/etc/group') };
}

/** An image from nothing has no accounts. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function entry(text: string, name: string): string[] | undefined {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find(([found]) => found === name);
}

/** The numbers of linux/capability.h that matter here. */
const numbers = { chown: 0, dac_override: 1, fowner: 3, kill: 5, setgid: 6, setuid: 7 } as const;
export type Capability = keyof typeof numbers;

/** What the launcher needs to start, watch and end a child of another user, and nothing else. */
export const launcherCapabilities: readonly Capability[] = ['setuid', 'setgid', 'kill'];

/** The capabilities out of `wanted` that this process can use. None outside Linux. */
export function heldCapabilities(wanted: readonly Capability[]): Capability[] {
  if (process.platform !== 'linux') return [];
  const effective = BigInt(`0x${field(readProcessStatus(process.pid), 'CapEff') ?? '0'}`);
  return wanted.filter((name) => (effective >> BigInt(numbers[name])) % 2n === 1n);
}

/** The users of children, or null where they can only run as the user of this process. */
export function usersOfChildren(): Users | null {
  if (process.geteuid?.() === 0) return null;
  return heldCapabilities(launcherCapabilities).length === launcherCapabilities.length ? findUsers() : null;
}

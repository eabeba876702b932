/** Tries, as each of the children's users, what users and file modes alone must refuse. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setprivArguments, type Tools } from './order.ts';
import type { UserIds } from './types.ts';
import type { Users } from './users.ts';

export const usersChecks = [
  'user_ids',
  'user_capabilities',
  'user_group',
  'user_private_read',
  'user_private_list',
  'user_private_write',
  'user_shared_write',
  'user_shared_create',
  'user_shared_rename',
  'user_shared_remove',
  'user_parent_environ',
  'user_parent_memory',
  'user_parent_signal',
  'user_parent_trace',
  'user_becomes_parent',
  'user_becomes_root',
] as const;

/** One line of JSON from each user, each with every check. Rejects when a probe gives no answer. */
export type TryUsers = () => Promise<readonly string[]>;

const deadlineMs = 5_000;

export function startUsersProbe(users: Users, assets: string, tools: Tools): TryUsers {
  return async () => {
    const scene = await mkdtemp(path.join(tmpdir(), 'openpact-users-'));
    try {
      await setScene(scene);
      const ask = (user: UserIds, kind: 'member' | 'stranger'): Promise<string> =>
        answerOf(tools, user, [path.join(assets, 'users-probe.pl'), ...facts(users, user, scene), kind]);
      return await Promise.all([ask(users.ai, 'member'), ask(users.script, 'stranger')]);
    } finally {
      await rm(scene, { recursive: true, force: true });
    }
  };
}

/** A workspace in small, with the modes of the real one. */
async function setScene(scene: string): Promise<void> {
  const folders = [
    ['private', 0o700],
    ['shared', 0o750],
    ['shared/folder', 0o750],
    ['shared/memory', 0o2770],
  ] as const;
  await chmod(scene, 0o711);
  for (const [name, mode] of folders) {
    await mkdir(path.join(scene, name));
    await chmod(path.join(scene, name), mode);
  }
  for (const [name, mode] of [
    ['private/file', 0o600],
    ['shared/file', 0o640],
  ] as const) {
    await writeFile(path.join(scene, name), 'not for the probe');
    await chmod(path.join(scene, name), mode);
  }
}

function facts(users: Users, { uid, gid }: UserIds, scene: string): string[] {
  const numbers = [process.pid, users.system.uid, uid, gid].map(String);
  return [process.arch, ...numbers, scene];
}

async function answerOf(tools: Tools, user: UserIds, args: readonly string[]): Promise<string> {
  const spawned = spawn(tools.setpriv, [...setprivArguments(user), '--', tools.perl, ...args], {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  let errors = '';
  spawned.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
  spawned.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
  const timer = setTimeout(() => spawned.kill('SIGKILL'), deadlineMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    spawned.once('error', reject);
    spawned.once('close', resolve);
  });
  clearTimeout(timer);
  if (code === 0) return output.trim();
  throw new Error(
    `the probe of user ${user.uid} ended early (exit ${code}) ${errors.trim().slice(-300)}`.trim(),
  );
}

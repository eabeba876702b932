/** A master key that comes from outside: from the first start to a rekey, and each way in which it can be the wrong one. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AuditChain, SecretList, VaultStatus } from '../../src/edge/admin/api.ts';
import { findUsers } from '../../src/host/process/index.ts';
import { PRODUCT } from '../support/product.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';

const VALUE = 'ghp_8fJ2kQxW/5tZp9&LmNv3RsYb7Hd';
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

const newKey = (bytes = 32): string => `${randomBytes(bytes).toString('base64')}\n`;

test('a master key from outside opens the workspace, stands nowhere in it, and is replaced by a rekey; without it, or with another, damaged or shorter one, nothing starts and nothing is changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-key-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const root = process.getuid?.() === 0;
  const { uid, gid } = findUsers().system;
  /** As root the program becomes openpact-system, and the key must be that user's. */
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (root) chownSync(path, uid, gid);
    chmodSync(path, mode);
    return path;
  };
  const foreign = file('foreign', newKey());
  if (root) chownSync(foreign, 0, 0);
  const key = file('key', newKey());
  const start = async (path: string | undefined, workspace?: string): Promise<RunningProgram> => {
    const program = await startProgram({
      ...(workspace === undefined ? {} : { workspace }),
      ...(path === undefined ? {} : { env: { OPENPACT_MASTER_KEY_FILE: path } }),
    });
    undo.push(() => program.kill());
    return program;
  };
  const first = await start(key);
  undo.push(() => first.remove());
  const { workspace } = first;
  const own = join(workspace, 'secure/data/master_key');
  expect((await first.api<VaultStatus>('GET', '/api/vault')).body).toEqual({
    sealed: false,
    protection: 'external',
  });
  expect((await first.api('POST', '/api/secrets', { name: 'TOKEN', value: VALUE })).status).toBe(201);
  const shown = JSON.stringify([
    (await first.api('GET', '/api/audit?limit=500')).body,
    (await first.api('GET', '/api/vault')).body,
  ]);
  const text = readFileSync(key, 'utf8').trim();
  expect([shown, first.log()].some((one) => one.includes(text))).toBe(false);
  await first.stop();
  expect(existsSync(own)).toBe(false);
  const database = join(workspace, 'secure/data/openpact.db');
  const before = readFileSync(database);
  for (const bytes of [text, VALUE]) expect(before.includes(bytes)).toBe(false);

  for (const [path, code] of [
    [undefined, 'master_key_missing'],
    [join(folder, 'nowhere'), 'config_invalid'],
    [file('world', newKey(), 0o644), 'chmod 600'],
    [file('readable', newKey(), 0o604), 'config_invalid'],
    [file('short', newKey(31)), 'master_key_damaged'],
    [file('other', newKey()), 'master_key_wrong'],
    ...(root ? [[foreign, `chown ${uid} ${foreign} && chmod 400 ${foreign}`] as const] : []),
  ] as const) {
    await expect(start(path, workspace), String(path)).rejects.toThrow(code);
    expect(existsSync(own)).toBe(false);
  }
  const { status } = spawnSync(process.execPath, [PRODUCT, 'start', '--workspace', workspace, '--json'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], OPENPACT_MASTER_KEY_FILE: join(folder, 'world') },
  });
  expect(status).toBe(78);
  expect(readFileSync(database).equals(before)).toBe(true);

  // A rekey takes the next one from a file that is as private as ours would be.
  const rekey = (...more: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [PRODUCT, 'secrets', 'rekey', ...more, '--workspace', workspace, '--json'],
      { encoding: 'utf8', env: { PATH: process.env['PATH'], OPENPACT_MASTER_KEY_FILE: key } },
    );
    return { status, said: stdout + stderr };
  };
  const open = file('open', newKey());
  chmodSync(open, 0o644);
  symlinkSync(file('target', newKey()), join(folder, 'link'));
  for (const [path, code] of [
    [undefined, 'rekey_key_file'],
    [open, 'private_file_open'],
    [join(folder, 'link'), 'private_file_unreadable'],
    ...(root ? [[foreign, 'private_file_'] as const] : []),
  ] as const) {
    const { status, said } = rekey(...(path === undefined ? [] : ['--new-key-file', path]));
    expect([path, status === 0, said]).toEqual([path, false, expect.stringContaining(code)]);
    expect(said).not.toContain(text);
  }
  const next = file('next', newKey());
  expect(rekey('--new-key-file', next)).toMatchObject({ status: 0 });
  await expect(start(key, workspace)).rejects.toThrow('master_key_wrong');
  const again = await start(next, workspace);
  expect((await again.api<SecretList>('GET', '/api/secrets')).body.secrets.map(({ name }) => name)).toEqual([
    'TOKEN',
  ]);
  const { events } = await again.say(`Is ${VALUE} good?`);
  expect(JSON.stringify(events)).toContain('[REDACTED:TOKEN]');
  await again.api('POST', '/api/audit/verify', {});
  const verified = async (): Promise<boolean | undefined> =>
    (await again.api<AuditChain>('GET', '/api/audit/chain')).body.last?.ok;
  await expect.poll(verified, { timeout: 20_000 }).toBe(true);
}, 400_000);

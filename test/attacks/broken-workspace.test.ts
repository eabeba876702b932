/** A workspace that was damaged, restored badly or tampered with: never started open, never overwritten. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PRODUCT } from '../support/product.ts';
import { start } from '../support/with-fake-model.ts';

const DAMAGES: Readonly<Record<string, { damage: (data: string) => void; code: string }>> = {
  'no database beside its key': {
    damage: (data) => {
      for (const name of ['openpact.db', 'openpact.db-wal', 'openpact.db-shm'])
        rmSync(join(data, name), { force: true });
    },
    code: 'database_missing',
  },
  'an empty database beside its key': {
    damage: (data) => {
      for (const name of ['openpact.db-wal', 'openpact.db-shm']) rmSync(join(data, name), { force: true });
      truncateSync(join(data, 'openpact.db'), 0);
    },
    code: 'database_missing',
  },
  'a database of garbage': {
    damage: (data) => writeFileSync(join(data, 'openpact.db'), 'garbage '.repeat(2000)),
    code: 'database_corrupt',
  },
  'no master key': { damage: (data) => rmSync(join(data, 'master_key')), code: 'master_key_missing' },
  'another master key': {
    damage: (data) =>
      writeFileSync(join(data, 'master_key'), `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 }),
    code: 'master_key_wrong',
  },
  'a configuration that others can read': {
    damage: (data) => {
      writeFileSync(join(data, '..', 'config.yaml'), 'logging:\n  level: info\n', { mode: 0o644 });
      chmodSync(join(data, '..', 'config.yaml'), 0o644);
    },
    code: 'workspace_modes',
  },
  'a configuration with a key that does not exist': {
    damage: (data) =>
      writeFileSync(join(data, '..', 'config.yaml'), 'admin:\n  open: true\n', { mode: 0o600 }),
    code: 'config_invalid',
  },
};

for (const [name, { damage, code }] of Object.entries(DAMAGES)) {
  test(`${name}: the start is refused with what to do, and nothing is changed`, async () => {
    const program = await start();
    await program.stop();
    const data = join(program.workspace, 'secure', 'data');
    damage(data);
    const before = code === 'database_missing' ? '' : readFileSync(join(data, 'openpact.db'), 'latin1');
    const { status, stdout } = spawnSync(
      process.execPath,
      [PRODUCT, 'start', '--json', '--port', '0', '--workspace', program.workspace],
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect(status).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({ error: code, fix: expect.stringMatching(/.{10}/) });
    if (before !== '') expect(readFileSync(join(data, 'openpact.db'), 'latin1') === before).toBe(true);
  });
}

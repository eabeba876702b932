/** Somebody who can write the database, against `openpact audit verify`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { start } from '../support/with-fake-model.ts';

const MAIN = resolve(import.meta.dirname, '..', '..', 'src', 'main.ts');

function verify(workspace: string): { status: number | null; verdict: { ok: boolean; problem?: string } } {
  const { status, stdout } = spawnSync(
    process.execPath,
    [MAIN, 'audit', 'verify', '--json', '--workspace', workspace],
    {
      env: { PATH: process.env['PATH'] ?? '' },
      encoding: 'utf8',
    },
  );
  return { status, verdict: JSON.parse(stdout) as { ok: boolean } };
}

test('a changed row, a removed row and a cut-off end are found, beside the running program and without it', async () => {
  const program = await start();
  expect(verify(program.workspace)).toMatchObject({ status: 0, verdict: { ok: true } });
  const tamper = (sql: string): void => {
    const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'));
    database.exec(sql);
    database.close();
  };
  tamper("UPDATE audit SET target = 'somebody else' WHERE seq = 2");
  expect(verify(program.workspace)).toMatchObject({
    status: 1,
    verdict: { ok: false, problem: expect.stringContaining('entry 2') },
  });
  await program.stop();
  expect(verify(program.workspace)).toMatchObject({ status: 1, verdict: { ok: false } });

  const other = await start();
  await other.stop();
  const path = join(other.workspace, 'secure', 'data', 'openpact.db');
  const database = new DatabaseSync(path);
  database.exec('DELETE FROM audit WHERE seq > 3');
  database.close();
  expect(verify(other.workspace)).toMatchObject({
    status: 1,
    verdict: { problem: expect.stringContaining('cut off') },
  });
  const list = execFileSync(
    process.execPath,
    [MAIN, 'audit', 'list', '--json', '--workspace', other.workspace],
    { encoding: 'utf8' },
  );
  expect((JSON.parse(list) as { entries: unknown[] }).entries).toHaveLength(3);
});

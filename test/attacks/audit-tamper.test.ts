/** Somebody who can write the database, against `openpact audit verify`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PRODUCT } from '../support/product.ts';
import { start } from '../support/with-fake-model.ts';

function verify(workspace: string): { status: number | null; verdict: { ok: boolean; problem?: string } } {
  const { status, stdout } = spawnSync(
    process.execPath,
    [PRODUCT, 'audit', 'verify', '--json', '--workspace', workspace],
    {
      env: { PATH: process.env['PATH'] ?? '' },
      encoding: 'utf8',
    },
  );
  return { status, verdict: JSON.parse(stdout) as { ok: boolean } };
}

const TAMPERINGS: Readonly<Record<string, { sql: string; says: string }>> = {
  'a changed row': {
    sql: "UPDATE audit SET target = 'somebody else' WHERE seq = 2",
    says: 'entry 2 was changed',
  },
  'a removed row': { sql: 'DELETE FROM audit WHERE seq = 3', says: 'entry 3 is missing' },
  'an added row': {
    sql: "INSERT INTO audit SELECT seq + 1, at, 'approval.approved', actor, origin, target, outcome, details, hash, hash FROM audit ORDER BY seq DESC LIMIT 1",
    says: 'was added without a signature',
  },
  'a cut-off end': { sql: 'DELETE FROM audit WHERE seq > 3', says: 'cut off' },
};

test('a changed, a removed and an added row and a cut-off end are found, beside the running program and without it, and no later entry covers them up', async () => {
  for (const [name, { sql, says }] of Object.entries(TAMPERINGS)) {
    const program = await start();
    if (name === 'a changed row')
      expect(verify(program.workspace)).toMatchObject({ status: 0, verdict: { ok: true, signed: true } });
    const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'));
    database.exec(sql);
    database.close();
    expect(verify(program.workspace), name).toMatchObject({
      status: 1,
      verdict: { ok: false, problem: expect.stringContaining(says) },
    });
    await program.newConversation();
    expect(verify(program.workspace), `${name}, after the next entry`).toMatchObject({
      status: 1,
      verdict: { ok: false },
    });
    await program.stop();
    expect(verify(program.workspace), `${name}, without the program`).toMatchObject({
      status: 1,
      verdict: { ok: false },
    });
    const list = execFileSync(
      process.execPath,
      [PRODUCT, 'audit', 'list', '--json', '--workspace', program.workspace],
      { encoding: 'utf8' },
    );
    expect((JSON.parse(list) as { entries: unknown[] }).entries.length).toBeGreaterThan(3);
  }
}, 180_000);

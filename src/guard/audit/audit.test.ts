import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorkbench, type Workbench } from '../../../test/fakes/workbench.ts';
import { verifyChain } from './verify-chain.ts';

const ENTRY = {
  event: 'test.row',
  principal: { kind: 'system' },
  origin: 'system',
  target: 'x',
  outcome: 'ok',
} as const;
let bench: Workbench;
beforeEach(() => {
  bench = createWorkbench();
  for (let i = 1; i <= 20; i += 1) {
    bench.audit.append({
      event: 'test.row',
      principal: { kind: 'system' },
      origin: 'system',
      target: `row ${i}`,
      outcome: 'ok',
      details: { i },
    });
  }
});
afterEach(async () => {
  await bench.close();
  bench.remove();
});

test('an untouched log verifies', async () => {
  expect(await bench.audit.verify()).toMatchObject({ ok: true, rows: 20 });
});

const attacks: Readonly<Record<string, string>> = {
  'a changed text': "UPDATE audit SET target = 'row x' WHERE seq = 7",
  'a changed detail': "UPDATE audit SET details = '{}' WHERE seq = 20",
  'a changed time': 'UPDATE audit SET at = at + 1 WHERE seq = 7',
  'a deleted row': 'DELETE FROM audit WHERE seq = 7',
  'a deleted row with the rest moved up':
    'DELETE FROM audit WHERE seq = 7; UPDATE audit SET seq = -seq WHERE seq > 7; UPDATE audit SET seq = -seq - 1 WHERE seq < 0',
  'two rows that changed places':
    'UPDATE audit SET seq = -1 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 8; UPDATE audit SET seq = 8 WHERE seq = -1',
  'a cut-off end': 'DELETE FROM audit WHERE seq > 15',
  'everything gone': 'DELETE FROM audit',
  'a cut-off end with the head removed': 'DELETE FROM audit WHERE seq > 15; DELETE FROM audit_head',
  'a cut-off end with a forged head':
    'DELETE FROM audit WHERE seq > 15; UPDATE audit_head SET seq = 15, hash = (SELECT hash FROM audit WHERE seq = 15)',
};

for (const [name, sql] of Object.entries(attacks)) {
  test(`verification finds ${name}`, async () => {
    for (const statement of sql.split(';')) bench.database.run(statement);
    expect(await bench.audit.verify()).toMatchObject({ ok: false });
  });
}

test('a row that somebody added with a right hash is found, also after the next entry', async () => {
  const { last } = bench.auditStore.ends();
  const content = [21, 1, 'approval.approved', 'user:owner', 'page', 'apr_x', 'ok', '{}', last?.hash];
  bench.database.run(
    `INSERT INTO audit VALUES (21, 1, 'approval.approved', 'user:owner', 'page', 'apr_x', 'ok', '{}', '${last?.hash}', '${createHash('sha256').update(JSON.stringify(content)).digest('hex')}')`,
  );
  expect(await bench.audit.verify()).toMatchObject({
    ok: false,
    problem: expect.stringContaining('entry 21'),
  });
  bench.audit.append(ENTRY);
  expect(await bench.audit.verify()).toMatchObject({
    ok: false,
    seq: 22,
    problem: expect.stringContaining('not the one that was signed'),
  });
});

const LAUNDERED: Readonly<Record<string, string>> = {
  'a cut-off end': 'DELETE FROM audit WHERE seq > 15',
  'an emptied log': 'DELETE FROM audit; DELETE FROM audit_head',
  'a head that was moved back':
    'DELETE FROM audit WHERE seq > 15; UPDATE audit_head SET seq = 15, hash = (SELECT hash FROM audit WHERE seq = 15)',
};

for (const [name, sql] of Object.entries(LAUNDERED)) {
  test(`${name} is not covered up by the next entry`, async () => {
    for (const statement of sql.split(';')) bench.database.run(statement);
    bench.audit.append(ENTRY);
    bench.audit.append(ENTRY);
    expect(await bench.audit.verify()).toMatchObject({
      ok: false,
      problem: expect.stringContaining('not the one that was signed'),
    });
    expect(bench.audit.list({ event: 'audit.broken', limit: 5 })).toHaveLength(1);
  });
}

test('a forged signature is only found with the key, a broken chain also without', async () => {
  bench.database.run("UPDATE audit_head SET mac = 'forged'");
  expect(await verifyChain(bench.auditStore, null)).toMatchObject({ ok: true });
  expect(await bench.audit.verify()).toMatchObject({
    ok: false,
    problem: expect.stringContaining('signature'),
  });
  bench.database.run("UPDATE audit SET target = 'row x' WHERE seq = 7");
  expect(await verifyChain(bench.auditStore, null)).toMatchObject({ ok: false, seq: 7 });
});

test('rows are redacted before they are hashed, and a digest is over what is shown', async () => {
  bench.audit.append({
    event: 'test.secret',
    principal: { kind: 'system' },
    origin: 'system',
    target: 's3cret-value',
    outcome: 'ok',
    details: { key: 's3cret-value' },
  });
  const [row] = bench.audit.list({ event: 'test.secret', limit: 1 });
  expect(row).toMatchObject({ target: '[REDACTED:TEST]', details: '{"key":"[REDACTED:TEST]"}' });
  expect(bench.audit.digest({ a: 's3cret-value' })).toBe(bench.audit.digest({ a: '[REDACTED:TEST]' }));
  expect(bench.audit.digest({ a: 1, b: 2 })).toBe(bench.audit.digest({ b: 2, a: 1 }));
});

test('a row and the change that it tells of are stored together or not at all', () => {
  expect(() =>
    bench.database.tx(() => {
      bench.database.run("INSERT INTO settings VALUES ('x', '1', 0)");
      bench.audit.append({
        event: 'test.row',
        principal: { kind: 'system' },
        origin: 'system',
        target: 'x',
        outcome: 'ok',
      });
      throw new Error('later');
    }),
  ).toThrow('later');
  expect(bench.database.all('SELECT * FROM settings')).toEqual([]);
  expect(bench.auditStore.ends().last?.seq).toBe(20);
});

test('an act that only reduces power goes ahead when its row cannot be written', () => {
  bench.database.run('ALTER TABLE audit RENAME TO audit_gone');
  const entry = {
    event: 'test.row',
    principal: { kind: 'system' },
    origin: 'system',
    target: 'x',
    outcome: 'ok',
  } as const;
  expect(() => bench.audit.append(entry)).toThrow(expect.objectContaining({ code: 'audit_failed' }));
  expect(() => bench.audit.note(entry)).not.toThrow();
  bench.database.run('ALTER TABLE audit_gone RENAME TO audit');
});

test('the list filters by event and by family of events', () => {
  bench.audit.append({
    event: 'login.ok',
    principal: { kind: 'system' },
    origin: 'system',
    target: 'x',
    outcome: 'ok',
  });
  bench.audit.append({
    event: 'login.failed',
    principal: { kind: 'system' },
    origin: 'system',
    target: 'x',
    outcome: 'refused',
  });
  expect(bench.audit.list({ event: 'login.', limit: 10 }).map((row) => row.event)).toEqual([
    'login.failed',
    'login.ok',
  ]);
  expect(bench.audit.list({ event: 'login.ok', limit: 10 })).toHaveLength(1);
  expect(bench.audit.list({ after: 20, limit: 10 }).map((row) => row.seq)).toEqual([21, 22]);
});

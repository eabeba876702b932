import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWorkbench, OWNER, until, type Workbench } from '../../../test/fakes/workbench.ts';
import { silentLog, systemClock } from '../../core/index.ts';
import { createChainWatch, type ChainWatch } from './chain-watch.ts';

const ENTRY = {
  event: 'test.row',
  principal: { kind: 'system' },
  origin: 'system',
  target: 'x',
  outcome: 'ok',
} as const;
let bench: Workbench;
let watch: ChainWatch;

function fill(count: number): void {
  bench.database.tx(() => {
    for (let i = 0; i < count; i += 1)
      bench.audit.append({ ...ENTRY, details: { i, text: 'x'.repeat(200) } });
  });
}

beforeEach(() => {
  bench = createWorkbench();
  watch = createChainWatch({ audit: bench.audit, clock: systemClock, log: silentLog });
});
afterEach(async () => {
  await watch.stop();
  await bench.close();
  bench.remove();
});

const ended = () => until(() => watch.status().running === null && watch.status().last !== null);

test('a check goes on in slices: entries are written between them, and it holds all the same', async () => {
  fill(12_000);
  watch.check(OWNER);
  let written = 0;
  const seen: number[] = [];
  while (watch.status().running !== null) {
    bench.audit.append(ENTRY);
    written += 1;
    seen.push(watch.status().running?.rows ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(written).toBeGreaterThan(5);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(new Set(seen).size).toBeGreaterThan(3);
  expect(watch.status().last).toMatchObject({ by: OWNER, verdict: { ok: true, rows: 12_000, signed: true } });
  expect(watch.status().head).toMatchObject({ seq: 12_000 + written + 1, signed: true });
  expect(bench.audit.list({ event: 'audit.verified', limit: 5 })).toMatchObject([
    { actor: 'user:owner', outcome: 'ok', details: '{"entries":12000}' },
  ]);
});

test('there is one check at a time', async () => {
  fill(12_000);
  const first = watch.check(OWNER);
  const second = watch.check(OWNER);
  expect(second.running?.startedAt).toBe(first.running?.startedAt);
  await ended();
  expect(bench.audit.list({ event: 'audit.verified', limit: 5 })).toHaveLength(1);
});

test('a check by itself that finds nothing writes nothing', async () => {
  fill(100);
  watch.start();
  await ended();
  expect(watch.status().last).toMatchObject({ by: null, verdict: { ok: true } });
  expect(bench.audit.list({ event: 'audit.verified', limit: 5 })).toEqual([]);
});

test('a changed entry is found, told and written down', async () => {
  fill(3_000);
  bench.database.run("UPDATE audit SET target = 'y' WHERE seq = 2345");
  watch.start();
  await ended();
  expect(watch.status().last).toMatchObject({
    verdict: { ok: false, rows: 2_344, seq: 2_345, problem: 'entry 2345 was changed' },
  });
  expect(bench.audit.list({ event: 'audit.verified', limit: 5 })).toMatchObject([{ outcome: 'failed' }]);
});

test('rows that vanish while they are checked are found', async () => {
  fill(12_000);
  watch.check(OWNER);
  await new Promise((resolve) => setImmediate(resolve));
  expect(watch.status().running).not.toBeNull();
  bench.database.run('DELETE FROM audit WHERE seq > 11000');
  await ended();
  expect(watch.status().last).toMatchObject({ verdict: { ok: false, seq: 11_001 } });
});

test('stopping ends a check that runs, and none begins after it', async () => {
  fill(12_000);
  watch.check(OWNER);
  await watch.stop();
  expect(watch.status()).toMatchObject({ running: null, last: null });
  expect(watch.check(OWNER).running).toBeNull();
});

test('a head that was moved is told without a check', () => {
  fill(10);
  bench.database.run("UPDATE audit_head SET mac = 'forged'");
  expect(watch.status().head).toMatchObject({ seq: 10, signed: false });
});

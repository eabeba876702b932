import { expect, test } from 'vitest';
import type { AuditRow } from '../host/storage/index.ts';
import { bootTime } from '../host/files/boot-time.ts';
import { clockFloor, machineTime } from './clock-floor.ts';

const BOOT = { boot: '00000000-0000-4000-8000-000000000001', up_ms: 50_000 };
const later = (ms: number) => ({ ...BOOT, up_ms: BOOT.up_ms + ms });
const row = (event: string, at: number, details: object): AuditRow => ({
  seq: 1,
  at,
  event,
  actor: 'system',
  origin: 'system',
  target: '',
  outcome: 'ok',
  details: JSON.stringify(details),
  prev_hash: '',
  hash: '',
});
const floorOf = (rows: readonly AuditRow[], now: Parameters<typeof clockFloor>[1]) =>
  clockFloor({ list: () => rows }, now);

test('what went by since the last start or stop counts, whatever the clock says', () => {
  const stopped = row('system.stopped', 1_000_000, machineTime(BOOT));
  const started = row('system.started', 900_000, machineTime(BOOT));
  expect(floorOf([stopped, started], later(7_200_000))).toBe(8_200_000);
  // Killed: there is no stop.
  expect(floorOf([started], later(60_000))).toBe(960_000);
  expect(floorOf([row('system.created', 2_000_000, {}), stopped], later(1))).toBe(1_000_001);
});

test('where the machine started anew, or says nothing, the time of the last entry is what is known', () => {
  const stopped = row('system.stopped', 1_000_000, machineTime(BOOT));
  expect(floorOf([stopped], { ...later(5_000), boot: '00000000-0000-4000-8000-000000000002' })).toBe(
    1_000_000,
  );
  expect(floorOf([stopped], null)).toBe(1_000_000);
  expect(floorOf([row('system.stopped', 1_000_000, { why: 'x' })], later(5_000))).toBe(1_000_000);
  expect(floorOf([stopped], later(-10_000))).toBe(1_000_000);
  expect(floorOf([row('system.stopped', 7, { machine: { boot: BOOT.boot, up_ms: 'x' } })], later(1))).toBe(7);
  expect(floorOf([], later(1))).toBeUndefined();
});

test('on Linux the machine says how long it has run, and goes on saying the same start', async () => {
  const first = bootTime();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = bootTime();
  if (process.platform !== 'linux') return expect([first, second]).toEqual([null, null]);
  expect(second?.boot).toBe(first?.boot);
  expect((second?.up_ms ?? 0) - (first?.up_ms ?? 0)).toBeGreaterThanOrEqual(40);
});

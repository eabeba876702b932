import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from '../host/storage/index.ts';
import {
  createScriptRunStore,
  type ScriptRunRow,
  type ScriptRunStore,
} from '../host/storage/script-run-store.ts';
import { runChart } from './script-chart.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-03-02T12:34:56Z');
const directory = mkdtempSync(join(tmpdir(), 'openpact-chart-'));
let database: Database;
let store: ScriptRunStore;
let number = 0;

beforeAll(() => {
  database = openDatabase({ path: join(directory, 'openpact.db') });
  store = createScriptRunStore(database);
});
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => database.run('DELETE FROM script_runs'));

function ran(over: Partial<ScriptRunRow>): ScriptRunRow {
  number += 1;
  const row: ScriptRunRow = {
    id: `run_${String(number).padStart(6, '0')}`,
    name: 'job',
    hash: 'sha256:x',
    kind: 'run',
    caller: 'user:owner',
    origin: 'page',
    conversation_id: null,
    function: null,
    arguments: '',
    granted: null,
    started_at: NOW,
    duration_ms: 1,
    queued_ms: 0,
    steps: 1,
    outcome: 'ok',
    code: null,
    message: null,
    requests: '[]',
    request_count: 0,
    bytes: 0,
    secrets: '[]',
    hidden: '{}',
    ...over,
  };
  store.insert(row);
  return row;
}

test('runs are counted in the hour in which they began, by outcome; empty hours are there too', () => {
  ran({});
  ran({ outcome: 'error' });
  ran({ outcome: 'killed', started_at: NOW - 35 * 60_000 });
  ran({ outcome: 'unknown', started_at: NOW - 23 * HOUR });
  ran({ started_at: NOW - 24 * HOUR });
  ran({ name: 'other' });
  const { stretches, complete } = runChart(store, 'job', 'hour', NOW);
  expect(stretches).toHaveLength(24);
  expect(stretches.at(-1)).toEqual({ at: '2026-03-02T12:00:00.000Z', ok: 1, error: 1, killed: 0, other: 0 });
  expect(stretches.at(-2)).toMatchObject({ at: '2026-03-02T11:00:00.000Z', killed: 1 });
  expect(stretches[0]).toMatchObject({ at: '2026-03-01T13:00:00.000Z', other: 1, ok: 0 });
  expect(complete).toBe(true);
});

test('by the day the chart goes back thirty days', () => {
  ran({ started_at: NOW - 29 * 24 * HOUR });
  ran({ started_at: NOW - 30 * 24 * HOUR });
  const { stretches } = runChart(store, 'job', 'day', NOW);
  expect(stretches).toHaveLength(30);
  expect(stretches[0]).toMatchObject({ at: '2026-02-01T00:00:00.000Z', ok: 1 });
});

test('it says when older runs are not kept any more', () => {
  for (let i = 0; i < 1_000; i += 1) ran({});
  expect(runChart(store, 'job', 'hour', NOW).complete).toBe(false);
});

test('runs are listed newest first, from a cursor on, and of one outcome', () => {
  const rows = ['ok', 'error', 'ok', 'error', 'ok'].map((outcome) =>
    ran({ outcome: outcome as ScriptRunRow['outcome'] }),
  );
  const ids = rows.map(({ id }) => id).toReversed();
  const list = (...args: Parameters<ScriptRunStore['list']>) => store.list(...args).map(({ id }) => id);
  expect(list('job', 2)).toEqual(ids.slice(0, 2));
  expect(list('job', 2, { before: ids[1] })).toEqual(ids.slice(2, 4));
  expect(list('job', 9, { outcome: 'error' })).toEqual([ids[1], ids[3]]);
  expect(list('job', 9, { outcome: 'error', before: ids[1] })).toEqual([ids[3]]);
});

test('the last run can be a live test', () => {
  ran({});
  const test = ran({ kind: 'test' });
  expect(store.last('job')?.id).toBe(test.id);
});

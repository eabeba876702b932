import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditStore, openDatabase, type AuditStore, type Database } from '../../host/storage/index.ts';
import { newestRows } from './newest-rows.ts';

const ROWS = 12_000;
const folder = mkdtempSync(join(tmpdir(), 'openpact-newest-rows-'));
let database: Database;
let store: AuditStore;

beforeAll(() => {
  database = openDatabase({ path: join(folder, 'openpact.db') });
  store = createAuditStore(database);
  database.tx(() => {
    for (let seq = 1; seq <= ROWS; seq += 1)
      store.append({
        seq,
        at: seq,
        event: seq % 3_000 === 0 ? 'script.run' : 'turn.created',
        actor: 'user:owner',
        origin: 'page',
        target: 'weather',
        outcome: 'ok',
        details: `{"word":"w${seq % 4_000}"}`,
        prev_hash: '',
        hash: String(seq),
      });
  });
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const seqs = async (...ask: [Parameters<typeof newestRows>[1], AbortSignal?]): Promise<number[]> =>
  (await newestRows(store, ...ask)).map(({ seq }) => seq);

test('what a filter shows comes whole, newest first, however far apart it lies', async () => {
  expect(await seqs({ script: 'weather', limit: 50 })).toEqual([12_000, 9_000, 6_000, 3_000]);
  expect(await seqs({ script: 'weather', limit: 3 })).toEqual([12_000, 9_000, 6_000]);
  expect(await seqs({ text: 'w17"', limit: 50 })).toEqual([8_017, 4_017, 17]);
  expect(await seqs({ limit: 2 })).toEqual([12_000, 11_999]);
});

test('others run between two pieces, and a signal ends it with what was found', async () => {
  const ending = new AbortController();
  setImmediate(() => ending.abort());
  // The first one lies farther away than one piece.
  expect(await seqs({ text: 'w17"', limit: 50 }, ending.signal)).toEqual([]);
  expect(ending.signal.aborted).toBe(true);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditFilter } from './audit-filter.ts';
import { createAuditStore, openDatabase, type AuditRow, type AuditStore, type Database } from './index.ts';

const ROWS = 12_000;
const folder = mkdtempSync(join(tmpdir(), 'openpact-audit-pages-'));
let database: Database;
let store: AuditStore;
const all: AuditRow[] = [];

/** Three entries share each time; between 5,000 and 5,500 the clock was a year ahead. */
function rowOf(seq: number): AuditRow {
  const at = 1_000_000 + Math.floor(seq / 3) * 1000 + (seq >= 5_000 && seq < 5_500 ? 31_536_000_000 : 0);
  const conversation = `cnv_${seq % 40}`;
  const base = { seq, at, origin: 'page', outcome: 'ok', details: '{}', prev_hash: '', hash: String(seq) };
  if (seq === 17) return { ...base, event: 'policy.changed', actor: 'user:owner', target: 'policy' };
  // A policy that is a script, too.
  if (seq % 997 === 3) return { ...base, event: 'script.run', actor: 'user:owner', target: 'policy' };
  if (seq % 701 === 5)
    return {
      ...base,
      event: 'login.failed',
      actor: `anonymous:10.0.0.${seq % 9}`,
      target: 'owner',
      outcome: 'refused',
    };
  if (seq % 7 === 0)
    return {
      ...base,
      event: 'turn.created',
      actor: 'user:owner',
      target: `trn_${seq}`,
      details: JSON.stringify({ conversation }),
    };
  if (seq % 7 === 1)
    return { ...base, event: 'conversation.renamed', actor: 'user:owner', target: conversation };
  if (seq === 6_003) return { ...base, event: 'tool.call.slow', actor: 'system', target: 'Needle 100%_"x"' };
  return {
    ...base,
    event: seq % 7 < 4 ? 'tool.intent' : 'tool.result',
    actor: `assistant:${conversation}`,
    target: `read_file notes/${seq % 100}.md`,
    outcome: seq % 7 < 4 ? 'intent' : seq % 1009 === 0 ? 'failed' : 'ok',
  };
}

beforeAll(() => {
  database = openDatabase({ path: join(folder, 'openpact.db') });
  store = createAuditStore(database);
  database.tx(() => {
    for (let seq = 1; seq <= ROWS; seq += 1) {
      const row = rowOf(seq);
      all.push(row);
      store.append(row);
    }
  });
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const conversationOf = (row: AuditRow): string | undefined =>
  (JSON.parse(row.details) as { conversation?: string }).conversation ??
  (row.actor.startsWith('assistant:')
    ? row.actor.slice(10)
    : row.target.startsWith('cnv_')
      ? row.target
      : undefined);

const FILTERS: Readonly<Record<string, readonly [AuditFilter, (row: AuditRow) => boolean]>> = {
  nothing: [{}, () => true],
  'an event': [{ event: 'login.failed' }, (row) => row.event === 'login.failed'],
  'a family': [{ event: 'tool.' }, (row) => row.event.startsWith('tool.')],
  'a deeper family': [{ event: 'tool.call.' }, (row) => row.event.startsWith('tool.call.')],
  'an actor': [{ principal: 'user:owner' }, (row) => row.actor === 'user:owner'],
  'a kind of actor': [{ principal: 'anonymous:' }, (row) => row.actor.startsWith('anonymous:')],
  'an outcome': [{ outcome: 'failed' }, (row) => row.outcome === 'failed'],
  'the usual outcome': [{ outcome: 'ok' }, (row) => row.outcome === 'ok'],
  'a target': [{ target: 'policy' }, (row) => row.target === 'policy'],
  'a script': [{ script: 'policy' }, (row) => row.target === 'policy' && row.event.startsWith('script.')],
  'a script and an event of others': [{ script: 'policy', event: 'policy.changed' }, () => false],
  'a script and a target': [{ script: 'policy', target: 'other' }, () => false],
  'a conversation': [{ conversation: 'cnv_8' }, (row) => conversationOf(row) === 'cnv_8'],
  'a time from': [{ from: 3_000_000 }, (row) => row.at >= 3_000_000],
  'a time to': [{ to: 1_500_000 }, (row) => row.at < 1_500_000],
  'a range of times': [
    { from: 2_600_000, to: 2_900_000 },
    (row) => row.at >= 2_600_000 && row.at < 2_900_000,
  ],
  'a time when the clock was wrong': [{ from: 31_536_000_000 }, (row) => row.at >= 31_536_000_000],
  'one time that three entries share': [{ from: 2_000_000, to: 2_000_001 }, (row) => row.at === 2_000_000],
  'a word': [{ text: 'NEEDLE 100%_"' }, (row) => row.seq === 6_003],
  'a word that nothing has': [{ text: 'no%needle' }, () => false],
  'an actor that is not there': [{ principal: 'user:nobody' }, () => false],
  'several at once': [
    { event: 'tool.', principal: 'assistant:', outcome: 'failed', from: 1_500_000, text: 'READ_file' },
    (row) => row.event.startsWith('tool.') && row.outcome === 'failed' && row.at >= 1_500_000,
  ],
  'two that never meet': [{ event: 'turn.created', outcome: 'failed' }, () => false],
};

for (const [name, [filter, matches]] of Object.entries(FILTERS)) {
  for (const direction of ['older', 'newer'] as const) {
    test(`pages by ${name}, ${direction} first, tell every entry once and in order`, () => {
      const wanted = all.filter(matches).map(({ seq }) => seq);
      if (direction === 'older') wanted.reverse();
      const found: number[] = [];
      let start: number | undefined;
      let steps = 0;
      for (;;) {
        const page = store.page({ ...filter, direction, start, limit: 173 }, () => true);
        expect(page.rows.length).toBeLessThanOrEqual(173);
        found.push(...page.rows.map(({ seq }) => seq));
        if (page.end) break;
        if (start !== undefined)
          expect(direction === 'older' ? page.edge < start : page.edge > start).toBe(true);
        start = page.edge;
        steps += 1;
        expect(steps).toBeLessThan(ROWS);
      }
      expect(found).toEqual(wanted);
    });
  }
}

test('a page without a limit of time is full where there is enough to fill it', () => {
  const page = store.page(
    { direction: 'older', outcome: 'ok', principal: 'user:owner', text: 'trn', limit: 500 },
    () => false,
  );
  expect(page.rows).toHaveLength(500);
});

test('a search that finds nothing stops after a bounded number of entries and says where', () => {
  const page = store.page({ direction: 'older', text: 'nowhere', limit: 10 }, () => true);
  expect(page).toMatchObject({ rows: [], end: false });
  expect(page.edge).toBeGreaterThan(1);
  expect(page.edge).toBeLessThan(ROWS);
});

test('entries that come while pages are read move none of them', () => {
  const first = store.page({ direction: 'older', limit: 100 }, () => true);
  database.tx(() => store.append({ ...rowOf(ROWS + 1), at: 1 }));
  const second = store.page({ direction: 'older', start: first.edge, limit: 100 }, () => true);
  expect(second.rows[0]?.seq).toBe((first.rows.at(-1)?.seq ?? 0) - 1);
  const news = store.page({ direction: 'newer', start: ROWS, limit: 100 }, () => true);
  expect(news).toMatchObject({ edge: ROWS + 1, end: true });
  expect(news.rows.map(({ seq }) => seq)).toEqual([ROWS + 1]);
  // The clock went back: the entry is found by its time all the same.
  const early = store.page({ direction: 'older', to: 2, limit: 10 }, () => false);
  expect(early.rows.map(({ seq }) => seq)).toEqual([ROWS + 1]);
  const upTo = store.page({ direction: 'newer', start: ROWS - 5, through: ROWS - 2, limit: 100 }, () => true);
  expect(upTo.rows.map(({ seq }) => seq)).toEqual([ROWS - 4, ROWS - 3, ROWS - 2]);
});

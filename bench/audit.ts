/**
 * The activity page on a long log: how long a page of each filter takes, how far a search gets in one answer, what an entry
 * costs to write, and how a check of the whole chain and an export treat memory and those who wait.
 * `node bench/audit.ts` makes logs of 100,000 and 1,000,000 entries; `node bench/audit.ts FOLDER...` measures what
 * `bench/fill.ts` made there.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { auditPort } from '../src/compose/audit-port.ts';
import { silentLog, systemClock } from '../src/core/index.ts';
import type { AuditFilterQuery } from '../src/edge/admin/api.ts';
import { createAudit, createChainWatch } from '../src/guard/audit/index.ts';
import { createAuditStore, openDatabase } from '../src/host/storage/index.ts';
import { plainRedactor } from '../test/fakes/plain-redactor.ts';
import { BEGAN, BENCH_KEY, fillAudit, PACE } from './fill-audit.ts';

const OWNER = { principal: { kind: 'user', id: 'usr_1', name: 'owner' }, address: '127.0.0.1' } as const;
const ROUNDS = 9;
const iso = (ms: number): string => new Date(ms).toISOString();

function queries(rows: number): Record<string, AuditFilterQuery & { before?: number }> {
  const middle = BEGAN + (rows / 2) * PACE;
  const conversation = `cnv_${'7'.padStart(26, '0')}`;
  return {
    'newest 100': {},
    'from the middle back': { before: Math.floor(rows / 2) },
    'one event': { event: 'tool.refused' },
    'an event at the very beginning': { event: 'policy.changed' },
    'a family': { event: 'login.' },
    'one actor': { principal: 'user:owner' },
    'a kind of actor': { principal: 'anonymous:' },
    'an outcome': { outcome: 'refused' },
    'a target': { target: 'read_file notes/day-77.md' },
    'a conversation': { conversation },
    'an hour in the middle': { from: iso(middle), to: iso(middle + 3_600_000) },
    'an outcome in a week, by one actor': {
      from: iso(middle),
      to: iso(middle + 7 * 86_400_000),
      outcome: 'refused',
      principal: 'anonymous:10.0.3.7',
    },
    'two that never meet': { event: 'login.', principal: 'user:owner' },
    'a word that nothing has': { q: 'no-such-word' },
    'a word in a conversation': { conversation, q: 'no-such-word' },
  };
}

async function measure(folder: string): Promise<void> {
  const opening = performance.now();
  const database = openDatabase({ path: join(folder, 'openpact.db') });
  const opened = performance.now() - opening;
  const store = createAuditStore(database);
  const audit = createAudit({
    store,
    database,
    clock: systemClock,
    log: silentLog,
    redactor: plainRedactor,
    key: BENCH_KEY,
  });
  const watch = createChainWatch({ audit, clock: systemClock, log: silentLog });
  const ending = new AbortController();
  const port = auditPort({ audit, store, watch, clock: systemClock, signal: ending.signal });
  const rows = audit.head().seq;
  console.log(
    `\n${rows.toLocaleString('en')} entries; opened and checked by SQLite in ${(opened / 1000).toFixed(1)} s`,
  );
  console.log(`page of 100${' '.repeat(30)}first   median    worst ms   found  searched back`);
  for (const [name, query] of Object.entries(queries(rows))) {
    const times: number[] = [];
    let shown = '';
    for (let round = 0; round < ROUNDS; round += 1) {
      const began = performance.now();
      const list = await port.list({ ...query, limit: 100 });
      JSON.stringify(list);
      times.push(performance.now() - began);
      const from = query.before ?? rows + 1;
      shown = `${String(list.entries.length).padStart(6)}  ${list.end ? 'all' : (from - list.edge).toLocaleString('en')}`;
    }
    const [first = 0] = times;
    times.sort((a, b) => a - b);
    const figures = [first, times[Math.floor(ROUNDS / 2)] ?? 0, times.at(-1) ?? 0].map((ms) =>
      ms.toFixed(1).padStart(8),
    );
    console.log(`${name.padEnd(38)}${figures.join(' ')}   ${shown}`);
  }

  const writes: number[] = [];
  for (let i = 0; i < 300; i += 1) {
    const began = performance.now();
    audit.append({
      event: 'bench.row',
      principal: OWNER.principal,
      origin: 'page',
      target: 'x',
      outcome: 'ok',
    });
    writes.push(performance.now() - began);
  }
  writes.sort((a, b) => a - b);
  console.log(
    `an entry written and synced: median ${(writes[150] ?? 0).toFixed(2)} ms, 99th of 100 ${(writes[297] ?? 0).toFixed(2)} ms`,
  );

  const long = async (name: string, act: () => Promise<number>): Promise<void> => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const before = process.memoryUsage().rss;
    let peak = before;
    const look = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50);
    delay.enable();
    const began = performance.now();
    const done = await act();
    const seconds = (performance.now() - began) / 1000;
    delay.disable();
    clearInterval(look);
    console.log(
      `${name}: ${seconds.toFixed(1)} s, ${Math.round(done / seconds).toLocaleString('en')} entries/s; others wait at most ${(delay.max / 1e6).toFixed(0)} ms (99%: ${(delay.percentile(99) / 1e6).toFixed(0)} ms); memory ${(before / 1e6).toFixed(0)} -> at most ${(peak / 1e6).toFixed(0)} MB`,
    );
  };
  await long('the chain checked', async () => {
    watch.check(OWNER.principal);
    while (watch.status().running !== null) await new Promise((resolve) => setTimeout(resolve, 20));
    const verdict = watch.status().last?.verdict;
    if (verdict?.ok !== true) throw new Error(`it does not verify: ${JSON.stringify(verdict)}`);
    return verdict.rows;
  });
  for (const format of ['jsonl', 'csv'] as const) {
    await long(`exported as ${format}`, async () => {
      const { body } = await port.export({ format }, OWNER);
      let lines = 0;
      for await (const piece of body) lines += piece.split('\n').length - 1;
      return lines;
    });
  }
  database.close();
}

const folders = process.argv.slice(2);
if (folders.length > 0) for (const folder of folders) await measure(folder);
else {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-bench-'));
  const database = openDatabase({ path: join(folder, 'openpact.db') });
  database.run('PRAGMA synchronous = OFF');
  for (const rows of [100_000, 1_000_000]) {
    fillAudit(database, rows);
    await measure(folder);
  }
  database.close();
  rmSync(folder, { recursive: true, force: true });
}

import { describe, expect, test } from 'vitest';
import { AppError } from '../core/index.ts';
import type { Approval } from '../edge/admin/api.ts';
import type { InboxItem } from '../edge/admin/inbox-api.ts';
import type { InboxQuery } from '../edge/admin/ports.ts';
import { createInboxStore } from '../host/storage/inbox-store.ts';
import { OWNER, hashOf } from '../../test/support/script-bench.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { HOUR, inboxStage, names, scriptsOf, textOf } from './inbox.test-support.ts';

const stage = inboxStage();

describe('the list', () => {
  test('calls of tools and versions of scripts wait in one queue, oldest first; without a kind there are calls alone', async () => {
    const first = stage.ask();
    await stage.save('a', 1);
    const second = stage.ask();
    expect(names(stage.list({ status: 'waiting' }).approvals)).toEqual([
      `${first.id} pending`,
      'a pending',
      `${second.id} pending`,
    ]);
    expect(stage.list({ status: 'waiting' })).toMatchObject({
      pending: 2,
      waiting: { tools: 2, scripts: 1 },
    });
    expect(names(stage.list({ kind: 'tool', status: 'pending' }).approvals)).toEqual([
      `${second.id} pending`,
      `${first.id} pending`,
    ]);
    expect(names(stage.list({ kind: 'script', status: 'waiting' }).approvals)).toEqual(['a pending']);
  });

  test('what became of each: decided, expired, withdrawn, replaced, rejected, approved, deleted; with who, when and why', async () => {
    const denied = stage.ask();
    stage.now += 1;
    stage.approvals.decide(denied.id, 'deny', OWNER, { reason: 'not now' });
    const late = stage.ask();
    stage.now += HOUR;
    stage.approvals.expireDue();
    const withdrawn = stage.ask();
    stage.now += 1;
    stage.approvals.cancelTurn('trn_1');
    await stage.save('a', 1);
    await stage.save('a', 2);
    stage.now += 1;
    await stage.bench.decisions.approve('a', { hash: hashOf(textOf(2)) }, OWNER);
    await stage.save('b', 3);
    stage.now += 1;
    await stage.bench.decisions.reject('b', { hash: hashOf(textOf(3)), reason: 'no' }, OWNER);
    await stage.save('c', 4);
    stage.now += 1;
    await stage.bench.library.remove('c', OWNER);
    const items = stage.list({ status: 'decided' }).approvals;
    expect(names(items)).toEqual([
      'c cancelled',
      'b denied',
      'a approved',
      'a superseded',
      `${withdrawn.id} cancelled`,
      `${late.id} expired`,
      `${denied.id} denied`,
    ]);
    const [c, b, a, old] = scriptsOf(items);
    expect(c).toMatchObject({ decided_by: 'user:owner', script_status: null });
    expect(b).toMatchObject({ decided_by: 'user:owner', reason: 'no', script_status: 'rejected' });
    expect(a).toMatchObject({ decided_by: 'user:owner', script_status: 'approved' });
    expect(old).toMatchObject({
      decided_by: 'assistant:cnv_1',
      replaced_by: hashOf(textOf(2)),
      conversation_id: 'cnv_1',
      conversation_title: 'title of cnv_1',
    });
    expect(Date.parse(old?.decided_at ?? '')).toBeGreaterThan(Date.parse(old?.created_at ?? ''));
    expect(stage.list({ status: 'waiting' }).approvals).toEqual([]);
    expect(names(stage.list({ status: 'denied' }).approvals)).toEqual(['b denied', `${denied.id} denied`]);
    expect(names(stage.list({ status: 'superseded' }).approvals)).toEqual(['a superseded']);
    expect(stage.inbox.waiting()).toMatchObject({ tools: [], scripts: [], last_ended: c?.id });
  });

  test('a text that was decided on before and comes back does not wait, and is not told as decided anew', async () => {
    await stage.save('a', 1);
    await stage.bench.decisions.approve('a', { hash: hashOf(textOf(1)) }, OWNER);
    await stage.save('a', 2);
    await stage.save('a', 1);
    expect(names(stage.list({}).approvals)).toEqual(['a superseded', 'a approved']);
    expect(stage.list({}).waiting.scripts).toBe(0);
  });

  test('versions of a deleted script no longer fill the room for pending ones', async () => {
    await stage.save('a', 1);
    await stage.save('a', 2);
    expect(stage.bench.store.countPending()).toBe(2);
    await stage.bench.library.remove('a', OWNER);
    expect(stage.bench.store.countPending()).toBe(0);
  });

  test('a waiting script tells its power, and what of it the last approved version had not', async () => {
    const with1 = '# @hosts: a.example\nresult = http.get("https://a.example/x")\n';
    const with2 =
      '# @hosts: a.example, b.example\n# @description: Two \u202Ehosts\nresult = http.get("https://a.example/x")\n';
    await stage.bench.save('a', with1);
    expect(scriptsOf(stage.list({ status: 'waiting' }).approvals)[0]).toMatchObject({
      approved_hash: null,
      script_status: 'pending',
      file: 'same',
      power: { summary: 'GET to a.example.', fresh_count: 1, warnings: 0 },
    });
    await stage.bench.decisions.approve('a', { hash: hashOf(with1) }, OWNER);
    stage.now += 1;
    await stage.bench.save('a', with2);
    expect(scriptsOf(stage.list({ status: 'waiting' }).approvals)[0]).toMatchObject({
      approved_hash: hashOf(with1),
      power: {
        fresh: ['may speak to b.example (GET)'],
        fresh_count: 1,
        description: 'Two \u202Ehosts',
      },
    });
  });

  test('one version whose text is damaged says so and hides no other', async () => {
    await stage.save('a', 1);
    await stage.save('b', 2);
    stage.bench.database.run("UPDATE script_texts SET source = 'other' WHERE hash = :hash", {
      hash: hashOf(textOf(1)),
    });
    const fresh = openedAnew();
    const [a, b] = scriptsOf(fresh.list({ kind: 'script', status: 'waiting', limit: 10 }).approvals);
    expect(a).toMatchObject({ name: 'a', power: null, problem: expect.stringContaining('not what it was') });
    expect(b).toMatchObject({ name: 'b', problem: null });
  });

  test('pages meet without a gap and without a repeat, also where many rows have one time, whatever the filter', async () => {
    const expected: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      // Three calls and a script in the same millisecond.
      const at = stage.now + 10;
      for (let k = 0; k < 3; k += 1) {
        stage.now = at - 1;
        expected.push(stage.ask(k === 0 ? 'other_tool' : 'workspace_write', { i, k }, `cnv_${i % 2}`).id);
      }
      stage.now = at - 1;
      await stage.save(`s${i}`, i);
      expected.push(`s${i}`);
    }
    const seen = (items: readonly InboxItem[]) =>
      items.map((item) => (item.kind === 'script' ? item.name : item.id));
    for (const limit of [1, 2, 3, 7, 100]) {
      const forward = seen(stage.everything({ status: 'waiting', limit }));
      expect([...forward].toSorted()).toEqual([...expected].toSorted());
      expect(seen(stage.everything({ status: 'pending', limit }))).toEqual(forward.toReversed());
      expect(stage.everything({ status: 'waiting', limit, tool: 'other_tool' })).toHaveLength(20);
      expect(stage.everything({ limit, conversation: 'cnv_1' })).toHaveLength(30 + 20);
      expect(stage.everything({ limit, q: 'number 59' })).toHaveLength(1);
      expect(seen(stage.everything({ limit, script: 's3.star' }))).toEqual(['s3']);
    }
    const ids = [expected[0] ?? '', 'scv_1', 'scv_x', 'nonsense'];
    expect(new Set(seen(stage.list({ ids }).approvals))).toEqual(new Set([expected[0], 's0']));
  });

  test('words are found in what a call says, in what it would do, and in who wrote a script, and are no pattern', async () => {
    const one = stage.ask('workspace_write', { path: 'x.md', content: 'a "quoted" 100% line' });
    stage.ask('workspace_write', { path: 'y.md' });
    await stage.save('weather', 1);
    expect(names(stage.list({ q: '"QUOTED"' }).approvals)).toEqual([`${one.id} pending`]);
    expect(names(stage.list({ q: '100%' }).approvals)).toEqual([`${one.id} pending`]);
    expect(names(stage.list({ q: '1%0' }).approvals)).toEqual([]);
    expect(names(stage.list({ q: 'WEATH cnv_1' }).approvals)).toEqual(['weather pending']);
  });

  test('a decision that the full disk did not take is not listed as waiting', () => {
    const one = stage.ask();
    const two = stage.ask();
    stage.bench.database.run('PRAGMA query_only = 1');
    stage.approvals.decide(one.id, 'deny', OWNER, {});
    expect(names(stage.list({ status: 'waiting' }).approvals)).toEqual([`${two.id} pending`]);
    expect(stage.inbox.waiting().tools).toEqual([two.id]);
    expect(stage.list({}).pending).toBe(1);
    stage.bench.database.run('PRAGMA query_only = 0');
  });

  test('with 10,000 old ones and 1,000 that wait each page costs no more than a page', () => {
    const { database } = stage.bench;
    const fill = (from: number, to: number, status: string): void => {
      database.run(
        `WITH RECURSIVE n(i) AS (SELECT CAST(:from AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :to)
         INSERT INTO approvals (id, kind, status, conversation_id, turn_id, step, idx, tool, arguments, digest,
           summary, why, created_at, expires_at, decided_at, decided_by, reason)
         SELECT 'apr_' || i, 'tool', :status, 'cnv_' || (i % 100), 'trn_1', 0, i, 'tool_' || (i % 5),
           '{"content":"' || replace(hex(zeroblob(1000)), '0', 'z') || '"}', 'd' || i, 'Write file ' || i, 'why', i, i + 1000000,
           CASE WHEN :status = 'pending' THEN NULL ELSE i + 5 END, 'user:owner', NULL FROM n`,
        { from, to, status },
      );
    };
    database.tx(() => {
      fill(0, 9_990, 'approved');
      fill(9_990, 10_000, 'expired');
      fill(10_000, 11_000, 'pending');
    });
    const began = performance.now();
    expect(stage.everything({ status: 'decided', limit: 500, kind: 'tool' })).toHaveLength(10_000);
    const all = performance.now() - began;
    const timed = (query: Partial<InboxQuery>) => {
      const start = performance.now();
      const found = stage.list({ limit: 50, ...query });
      return { ...found, ms: performance.now() - start };
    };
    const middle = '5000t-apr_4995';
    for (const query of [
      { status: 'waiting' },
      { status: 'decided' },
      { status: 'decided', cursor: middle },
      { status: 'expired' },
      { status: 'decided', conversation: 'cnv_7' },
      { status: 'decided', tool: 'tool_3', cursor: middle },
      { status: 'decided', q: 'nothing has this' },
      {},
    ] as const) {
      const { ms, approvals: items } = timed(query);
      expect(ms, JSON.stringify(query)).toBeLessThan(all / 8);
      expect(items.length, JSON.stringify(query)).toBe(
        'q' in query ? 0 : query.status === 'expired' ? 10 : 50,
      );
    }
    // Nothing is sorted, and the table is not read from one end to the other.
    const plan = database
      .all<{ detail: string }>(
        `EXPLAIN QUERY PLAN SELECT id, coalesce(decided_at, created_at) AS at FROM approvals
         WHERE coalesce(decided_at, created_at) <= 5000 AND status <> 'pending' AND tool = 'tool_3'
         ORDER BY coalesce(decided_at, created_at) DESC, id DESC LIMIT 51`,
      )
      .map(({ detail }) => detail)
      .join('\n');
    expect(plan).toContain('approvals_by_time');
    expect(plan).not.toContain('TEMP B-TREE');
    const with77 = Array.from({ length: 10_000 }, (_, i) => `${i}`).filter((each) => each.includes('77'));
    // Older than where the first look for words ends among the calls.
    database.run("INSERT INTO script_texts VALUES ('h', 'x', 1)");
    database.run(
      `INSERT INTO script_versions (name, hash, author, by_assistant, how, message, created_at, ended_how, ended_at)
       VALUES ('file_77', 'h', 'unknown', 0, 'folder', '', 1, 'superseded', 2)`,
    );
    expect(stage.everything({ status: 'decided', limit: 50, q: 'file 77' })).toHaveLength(with77.length + 1);
    expect(stage.inbox.waiting().tools).toHaveLength(1_000);
  });
});

function openedAnew(): Inbox {
  return createInbox({
    approvals: stage.approvals,
    scripts: {
      store: stage.bench.store,
      library: {
        ...stage.bench.library,
        facts: (hash) => {
          if (hash === hashOf(textOf(1)))
            throw new AppError({
              family: 'config',
              code: 'script_damaged',
              message: 'The stored text is not what it was.',
            });
          return stage.bench.library.facts(hash);
        },
      },
    },
    store: createInboxStore(stage.bench.database),
    look: () => undefined,
    toolView: (row) => ({ ...row }) as unknown as Approval,
    titleOf: () => null,
  });
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InboxItem, InboxList, ScriptRequest } from '../edge/admin/inbox-api.ts';
import type { Approval } from '../edge/admin/api.ts';
import type { InboxQuery } from '../edge/admin/ports.ts';
import { createApprovals, type Approvals } from '../guard/approvals/index.ts';
import { createApprovalStore } from '../host/storage/index.ts';
import { createInboxStore } from '../host/storage/inbox-store.ts';
import { AppError, silentLog, type Clock, type Json } from '../core/index.ts';
import { openScriptBench, OWNER, MODEL, hashOf, type ScriptBench } from '../../test/support/script-bench.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createFolderLook } from './script-folder.ts';
import { decideBatch } from './inbox-batch.ts';

const ACTOR = { principal: OWNER as Extract<typeof OWNER, { kind: 'user' }>, address: '127.0.0.1' };
const HOUR = 3_600_000;
const text = (n: number): string => `# @description: Number ${n}\nresult = ${n}\n`;

let now = 0;
let bench: ScriptBench;
let approvals: Approvals;
let inbox: Inbox;
let batch: ReturnType<typeof decideBatch>;
let asked = 0;
/** The password that is asked for, where it is. */
const stepUps: (string | undefined)[] = [];

beforeEach(() => {
  now = 1_800_000_000_000;
  asked = 0;
  stepUps.length = 0;
  const clock: Clock = { now: () => now, monotonic: () => now };
  bench = openScriptBench({ clock });
  approvals = createApprovals({
    store: createApprovalStore(bench.database),
    database: bench.database,
    audit: bench.audit,
    redactor: bench.redactor,
    clock,
    log: silentLog,
    expireAfterMs: HOUR,
  });
  inbox = createInbox({
    approvals,
    scripts: bench,
    store: createInboxStore(bench.database),
    toolView: (row) => ({ ...row }) as unknown as Approval,
    titleOf: (id) => `title of ${id}`,
    look: createFolderLook(bench.library, silentLog),
  });
  batch = decideBatch({ approvals, scripts: bench, stepUp: undefined, log: silentLog });
});
afterEach(() => bench.close());

function ask(tool = 'workspace_write', args: Json = { path: `f${asked}.md` }, conversation = 'cnv_1') {
  now += 1;
  asked += 1;
  return approvals.request({
    kind: 'tool',
    conversationId: conversation,
    call: { turn_id: 'trn_1', step: 0, idx: asked },
    tool,
    arguments: args,
    summary: `Write file number ${asked}`,
    why: 'because',
    principal: MODEL,
  });
}
async function save(name: string, n: number) {
  now += 1;
  await bench.save(name, text(n));
}
const list = (query: Partial<InboxQuery> = {}): InboxList =>
  inbox.list({ kind: 'all', limit: 100, ...query });
const names = (items: readonly InboxItem[]): string[] =>
  items.map((item) => (item.kind === 'script' ? `${item.name} ${item.status}` : `${item.id} ${item.status}`));
const scripts = (items: readonly InboxItem[]): ScriptRequest[] =>
  items.filter((item) => item.kind === 'script');
function everything(query: Partial<InboxQuery>): InboxItem[] {
  const found: InboxItem[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < 1_000; i += 1) {
    const { approvals: items, next } = list({ ...query, cursor });
    found.push(...items);
    if (next === null) return found;
    cursor = next;
  }
  throw new Error('the pages have no end');
}

describe('the list', () => {
  test('calls of tools and versions of scripts wait in one queue, oldest first; without a kind there are calls alone', async () => {
    const first = ask();
    await save('a', 1);
    const second = ask();
    expect(names(list({ status: 'waiting' }).approvals)).toEqual([
      `${first.id} pending`,
      'a pending',
      `${second.id} pending`,
    ]);
    expect(list({ status: 'waiting' })).toMatchObject({ pending: 2, waiting: { tools: 2, scripts: 1 } });
    expect(names(list({ kind: 'tool', status: 'pending' }).approvals)).toEqual([
      `${second.id} pending`,
      `${first.id} pending`,
    ]);
    expect(names(list({ kind: 'script', status: 'waiting' }).approvals)).toEqual(['a pending']);
  });

  test('what became of each: decided, expired, withdrawn, replaced, rejected, approved, deleted; with who, when and why', async () => {
    const denied = ask();
    now += 1;
    approvals.decide(denied.id, 'deny', OWNER, { reason: 'not now' });
    const late = ask();
    now += HOUR;
    approvals.expireDue();
    const withdrawn = ask();
    now += 1;
    approvals.cancelTurn('trn_1');
    await save('a', 1);
    await save('a', 2);
    now += 1;
    await bench.decisions.approve('a', { hash: hashOf(text(2)) }, OWNER);
    await save('b', 3);
    now += 1;
    await bench.decisions.reject('b', { hash: hashOf(text(3)), reason: 'no' }, OWNER);
    await save('c', 4);
    now += 1;
    await bench.library.remove('c', OWNER);
    const items = list({ status: 'decided' }).approvals;
    expect(names(items)).toEqual([
      'c cancelled',
      'b denied',
      'a approved',
      'a superseded',
      `${withdrawn.id} cancelled`,
      `${late.id} expired`,
      `${denied.id} denied`,
    ]);
    const [c, b, a, old] = scripts(items);
    expect(c).toMatchObject({ decided_by: 'user:owner', script_status: null });
    expect(b).toMatchObject({ decided_by: 'user:owner', reason: 'no', script_status: 'rejected' });
    expect(a).toMatchObject({ decided_by: 'user:owner', script_status: 'approved' });
    expect(old).toMatchObject({
      decided_by: 'assistant:cnv_1',
      replaced_by: hashOf(text(2)),
      conversation_id: 'cnv_1',
      conversation_title: 'title of cnv_1',
    });
    expect(Date.parse(old?.decided_at ?? '')).toBeGreaterThan(Date.parse(old?.created_at ?? ''));
    expect(list({ status: 'waiting' }).approvals).toEqual([]);
    expect(names(list({ status: 'denied' }).approvals)).toEqual(['b denied', `${denied.id} denied`]);
    expect(names(list({ status: 'superseded' }).approvals)).toEqual(['a superseded']);
    expect(inbox.waiting()).toMatchObject({ tools: [], scripts: [], last_ended: c?.id });
  });

  test('a text that was decided on before and comes back does not wait, and is not told as decided anew', async () => {
    await save('a', 1);
    await bench.decisions.approve('a', { hash: hashOf(text(1)) }, OWNER);
    await save('a', 2);
    await save('a', 1);
    expect(names(list({}).approvals)).toEqual(['a superseded', 'a approved']);
    expect(list({}).waiting.scripts).toBe(0);
  });

  test('versions of a deleted script no longer fill the room for pending ones', async () => {
    await save('a', 1);
    await save('a', 2);
    expect(bench.store.countPending()).toBe(2);
    await bench.library.remove('a', OWNER);
    expect(bench.store.countPending()).toBe(0);
  });

  test('a waiting script tells its power, and what of it the last approved version had not', async () => {
    const with1 = '# @hosts: a.example\nresult = http.get("https://a.example/x")\n';
    const with2 =
      '# @hosts: a.example, b.example\n# @description: Two \u202Ehosts\nresult = http.get("https://a.example/x")\n';
    await bench.save('a', with1);
    expect(scripts(list({ status: 'waiting' }).approvals)[0]).toMatchObject({
      approved_hash: null,
      script_status: 'pending',
      file: 'same',
      power: { summary: 'GET to a.example.', fresh_count: 1, warnings: 0 },
    });
    await bench.decisions.approve('a', { hash: hashOf(with1) }, OWNER);
    now += 1;
    await bench.save('a', with2);
    expect(scripts(list({ status: 'waiting' }).approvals)[0]).toMatchObject({
      approved_hash: hashOf(with1),
      power: {
        fresh: ['may speak to b.example (GET)'],
        fresh_count: 1,
        description: 'Two \u202Ehosts',
      },
    });
  });

  test('one version whose text is damaged says so and hides no other', async () => {
    await save('a', 1);
    await save('b', 2);
    bench.database.run("UPDATE script_texts SET source = 'other' WHERE hash = :hash", {
      hash: hashOf(text(1)),
    });
    const fresh = openedAnew();
    const [a, b] = scripts(fresh.list({ kind: 'script', status: 'waiting', limit: 10 }).approvals);
    expect(a).toMatchObject({ name: 'a', power: null, problem: expect.stringContaining('not what it was') });
    expect(b).toMatchObject({ name: 'b', problem: null });
  });

  test('pages meet without a gap and without a repeat, also where many rows have one time, whatever the filter', async () => {
    const expected: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      // Three calls and a script in the same millisecond.
      const at = now + 10;
      for (let k = 0; k < 3; k += 1) {
        now = at - 1;
        expected.push(ask(k === 0 ? 'other_tool' : 'workspace_write', { i, k }, `cnv_${i % 2}`).id);
      }
      now = at - 1;
      await save(`s${i}`, i);
      expected.push(`s${i}`);
    }
    const seen = (items: readonly InboxItem[]) =>
      items.map((item) => (item.kind === 'script' ? item.name : item.id));
    for (const limit of [1, 2, 3, 7, 100]) {
      const forward = seen(everything({ status: 'waiting', limit }));
      expect([...forward].toSorted()).toEqual([...expected].toSorted());
      expect(seen(everything({ status: 'pending', limit }))).toEqual(forward.toReversed());
      expect(everything({ status: 'waiting', limit, tool: 'other_tool' })).toHaveLength(20);
      expect(everything({ limit, conversation: 'cnv_1' })).toHaveLength(30 + 20);
      expect(everything({ limit, q: 'number 59' })).toHaveLength(1);
      expect(seen(everything({ limit, script: 's3.star' }))).toEqual(['s3']);
    }
    const ids = [expected[0] ?? '', 'scv_1', 'scv_x', 'nonsense'];
    expect(new Set(seen(list({ ids }).approvals))).toEqual(new Set([expected[0], 's0']));
  });

  test('words are found in what a call says, in what it would do, and in who wrote a script, and are no pattern', async () => {
    const one = ask('workspace_write', { path: 'x.md', content: 'a "quoted" 100% line' });
    ask('workspace_write', { path: 'y.md' });
    await save('weather', 1);
    expect(names(list({ q: '"QUOTED"' }).approvals)).toEqual([`${one.id} pending`]);
    expect(names(list({ q: '100%' }).approvals)).toEqual([`${one.id} pending`]);
    expect(names(list({ q: '1%0' }).approvals)).toEqual([]);
    expect(names(list({ q: 'WEATH cnv_1' }).approvals)).toEqual(['weather pending']);
  });

  test('a decision that the full disk did not take is not listed as waiting', () => {
    const one = ask();
    const two = ask();
    bench.database.run('PRAGMA query_only = 1');
    approvals.decide(one.id, 'deny', OWNER, {});
    expect(names(list({ status: 'waiting' }).approvals)).toEqual([`${two.id} pending`]);
    expect(inbox.waiting().tools).toEqual([two.id]);
    expect(list({}).pending).toBe(1);
    bench.database.run('PRAGMA query_only = 0');
  });

  test('with 10,000 old ones and 1,000 that wait each page costs no more than a page', () => {
    const { database } = bench;
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
    expect(everything({ status: 'decided', limit: 500, kind: 'tool' })).toHaveLength(10_000);
    const all = performance.now() - began;
    const timed = (query: Partial<InboxQuery>) => {
      const start = performance.now();
      const found = list({ limit: 50, ...query });
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
    expect(everything({ status: 'decided', limit: 50, q: 'file 77' })).toHaveLength(with77.length + 1);
    expect(inbox.waiting().tools).toHaveLength(1_000);
  });
});

function openedAnew(): Inbox {
  return createInbox({
    approvals,
    scripts: {
      store: bench.store,
      library: {
        ...bench.library,
        facts: (hash) => {
          if (hash === hashOf(text(1)))
            throw new AppError({
              family: 'config',
              code: 'script_damaged',
              message: 'The stored text is not what it was.',
            });
          return bench.library.facts(hash);
        },
      },
    },
    store: createInboxStore(bench.database),
    look: () => undefined,
    toolView: (row) => ({ ...row }) as unknown as Approval,
    titleOf: () => null,
  });
}

describe('a batch', () => {
  const approve = ({ id, digest }: { id: string; digest: string }) =>
    ({ id, digest, decision: 'approve' }) as const;
  const outcomes = async (decisions: Parameters<typeof batch>[0]['decisions']) =>
    (await batch({ decisions }, ACTOR)).results.map(({ outcome, status }) => `${outcome} ${status}`);

  test('decides each for itself, with an entry in the log for each, and says what became of each', async () => {
    const [one, two, stale, gone, mine] = [ask(), ask(), ask(), ask(), ask()];
    approvals.decide(gone.id, 'deny', OWNER, {});
    const before = bench.events('approval.approved').length;
    expect(
      await outcomes([
        approve(one),
        { ...approve(two), decision: 'deny', reason: 'no' },
        { ...approve(stale), digest: one.digest },
        approve(gone),
        { id: 'apr_nobody', digest: 'x', decision: 'approve' },
        { ...approve(mine), decision: 'deny', digest: 'x' },
      ]),
    ).toEqual([
      'done approved',
      'done denied',
      'changed pending',
      'already_decided denied',
      'not_found null',
      'changed pending',
    ]);
    expect(bench.events('approval.approved').length - before).toBe(1);
    expect(bench.events('approval.denied').map(({ target }) => target)).toEqual([gone.id, two.id]);
    expect(approvals.get(two.id)?.reason).toBe('no');
    expect(approvals.countPending()).toBe(2);
  });

  test('what ran out is told as that, and not approved', async () => {
    const one = ask();
    now += HOUR;
    expect(await outcomes([approve(one)])).toEqual(['expired expired']);
    expect(bench.events('approval.approved')).toEqual([]);
  });

  test('of two batches at once each request is decided by one', async () => {
    const rows = Array.from({ length: 20 }, () => ask());
    const [a, b] = await Promise.all([
      outcomes(rows.map(approve)),
      outcomes(rows.toReversed().map((row) => ({ ...approve(row), decision: 'deny' as const }))),
    ]);
    const won = [...a, ...b].filter((outcome) => outcome.startsWith('done'));
    expect(won).toHaveLength(20);
    expect([...a, ...b].filter((outcome) => outcome.startsWith('already_decided'))).toHaveLength(20);
    expect(bench.events('approval.approved').length + bench.events('approval.denied').length).toBe(20);
  });

  test('rejects scripts with the reason, and never approves one', async () => {
    await save('a', 1);
    await save('b', 2);
    await save('b', 3);
    const [a, b] = scripts(list({ status: 'waiting' }).approvals);
    const old = scripts(list({ status: 'superseded' }).approvals)[0];
    if (!a || !b || !old) throw new Error('they do not wait');
    const deny = (item: ScriptRequest, digest = item.hash) =>
      ({ id: item.id, digest, decision: 'deny', reason: 'because' }) as const;
    expect(await outcomes([{ ...deny(a), decision: 'approve' }, deny(a, b.hash), deny(old)])).toEqual([
      'failed null',
      'changed null',
      'changed superseded',
    ]);
    expect(bench.library.require('a').status).toBe('pending');
    expect(await outcomes([deny(a), deny(b), deny(b)])).toEqual([
      'done denied',
      'done denied',
      'already_decided denied',
    ]);
    const { results } = await batch({ decisions: [deny(b), deny(old)] }, ACTOR);
    expect(results.map(({ message }) => message)).toEqual([
      'This version was rejected already.',
      'A newer version took its place.',
    ]);
    expect(bench.library.require('a')).toMatchObject({ status: 'rejected', version: { reason: 'because' } });
    expect(bench.events('script.rejected')).toHaveLength(2);
    expect(bench.events('script.approved')).toEqual([]);
  });

  test('asks for the password once, before the first, and only where something is approved', async () => {
    const guarded = decideBatch({
      approvals,
      scripts: bench,
      log: silentLog,
      stepUp: {
        async requireStepUp({ password }) {
          stepUps.push(password);
          if (password !== 'right')
            throw new AppError({ family: 'forbidden', code: 'step_up_required', message: 'no' });
        },
      },
    });
    const [one, two, three] = [ask(), ask(), ask()];
    await expect(guarded({ decisions: [approve(one), approve(two)] }, ACTOR)).rejects.toMatchObject({
      code: 'step_up_required',
    });
    expect(approvals.countPending()).toBe(3);
    await guarded({ decisions: [{ ...approve(three), decision: 'deny' }] }, ACTOR);
    await guarded({ decisions: [approve(one), approve(two)], password: 'right' }, ACTOR);
    expect(stepUps).toEqual([undefined, 'right']);
    expect(approvals.countPending()).toBe(0);
  });

  test('one that can not be stored does not take the others with it', async () => {
    const [one, two, three] = [ask(), ask(), ask()];
    const entry = bench.audit.append.bind(bench.audit);
    const broken = createApprovals({
      store: createApprovalStore(bench.database),
      database: bench.database,
      audit: {
        ...bench.audit,
        append(row) {
          if (row.target === two.id) throw new Error('no space');
          return entry(row);
        },
      },
      redactor: bench.redactor,
      clock: { now: () => now, monotonic: () => now },
      log: silentLog,
      expireAfterMs: HOUR,
    });
    const over = decideBatch({ approvals: broken, scripts: bench, stepUp: undefined, log: silentLog });
    const { results } = await over({ decisions: [approve(one), approve(two), approve(three)] }, ACTOR);
    expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done']);
    expect([one, two, three].map(({ id }) => broken.get(id)?.status)).toEqual([
      'approved',
      'pending',
      'approved',
    ]);
  });
});

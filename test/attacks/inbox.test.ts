/** What somebody with a session, or a model that asks and asks, tries with the inbox of the running program. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Approval, AuditList, BatchAnswer, InboxList, ScriptRequest } from '../../src/edge/admin/api.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { getScript, modelCalls } from '../support/script-chat.ts';
import { useModel } from '../support/with-fake-model.ts';

let model: FakeModel;
let program: RunningProgram;
const undo: (() => Promise<void> | void)[] = [];
/** The program that the following goes against. */
async function begin(off: readonly string[]): Promise<void> {
  const [mine, of] = [
    await startFakeModel({}),
    await startProgram({ off, config: 'server: {rate_limit: {rate: 10000, burst: 100000}}\n' }),
  ];
  undo.push(
    () => mine.close(),
    () => of.remove(),
    () => of.kill(),
  );
  [model, program] = [mine, of];
  await useModel(program, model);
}
beforeAll(() => begin([]), 60_000);
afterAll(async () => {
  for (const act of undo.toReversed()) await act();
});

const list = async (query: string): Promise<InboxList> =>
  (await program.api<InboxList>('GET', `/api/approvals?${query}`)).body;
const batch = (decisions: readonly unknown[], more: object = {}) =>
  program.api<BatchAnswer & { error?: string; message: string }>('POST', '/api/approvals/batch', {
    decisions,
    ...more,
  });
const outcomes = (answer: BatchAnswer): string[] => answer.results.map(({ outcome }) => outcome);
const entries = async (event: string, target: string): Promise<number> =>
  (await program.api<AuditList>('GET', `/api/audit?event=${event}&target=${target}`)).body.entries.length;

/** Several calls of one step, each of which asks. */
async function ask(paths: readonly string[]): Promise<readonly Approval[]> {
  model.next({
    calls: paths.map((path) => ({ name: 'workspace_write', arguments: { path, content: 'x' } })),
  });
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'go' });
  const found = async (): Promise<Approval[]> =>
    (await list('status=waiting&limit=500')).approvals.filter(
      (each): each is Approval => each.kind !== 'script' && paths.some((path) => each.summary.includes(path)),
    );
  for (let i = 0; i < 300; i += 1) {
    const waits = await found();
    if (waits.length === paths.length) {
      chat.close();
      return waits;
    }
    await new Promise((wait) => setTimeout(wait, 50));
  }
  throw new Error(`only ${(await found()).length} of ${paths.length} were asked for\n${program.log()}`);
}
const approve = ({ id, digest }: { readonly id: string; readonly digest: string }) => ({
  id,
  digest,
  decision: 'approve',
});

test('a batch decides what was shown and nothing else: not without a digest, not with another one, not twice, not over 50, not what is foreign, and not a script', async () => {
  const [one, two] = await ask(['one.md', 'two.md']);
  if (!one || !two) throw new Error('nothing waits');
  await modelCalls(program, model, 'script_write', { name: 'sly', source: 'result = 1\n' });
  const script = (await list('kind=script&status=waiting')).approvals[0] as ScriptRequest;

  // Refused as a whole: nothing of it is decided.
  const whole: readonly (readonly [string, readonly unknown[], object?])[] = [
    ['no digest', [approve(one), { id: two.id, decision: 'approve' }]],
    ['an empty digest', [{ ...approve(one), digest: '' }]],
    ['twice', [approve(one), approve(one)]],
    ['yes and no', [approve(one), { ...approve(one), decision: 'deny' }]],
    [
      'over 50',
      [approve(one), ...Array.from({ length: 50 }, (_, i) => ({ ...approve(one), id: `apr_${i}` }))],
    ],
    ['none', []],
    ['a script', [approve(one), { id: script.id, digest: script.hash, decision: 'approve' }]],
    ['everything', [{ id: '*', digest: '*', decision: 'approve' }]],
    ['another act', [{ ...approve(one), decision: 'approve_all' }]],
    ['another field', [approve(one)], { all: true }],
    ['a grant', [{ ...approve(one), grant: {} }]],
    ['a long reason', [{ ...approve(one), decision: 'deny', reason: 'x'.repeat(2_001) }]],
  ];
  for (const [what, decisions, more] of whole) {
    const { status, body } = await batch(decisions, more);
    expect([what, status, body.error]).toEqual([what, 400, 'invalid_request']);
  }
  expect((await list('status=waiting')).pending).toBe(2);

  // Refused one by one: the digest of the other call, a call that there is not, names that are no ids.
  const { body } = await batch([
    { ...approve(one), digest: two.digest },
    { ...approve(two), decision: 'deny', digest: one.digest },
    approve({ id: 'apr_0000000000000000000000', digest: one.digest }),
    approve({ id: '__proto__', digest: one.digest }),
    approve({ id: one.conversation_id ?? '', digest: one.digest }),
    { id: 'scv_999999', digest: script.hash, decision: 'deny' },
    { id: 'scv_x', digest: script.hash, decision: 'deny' },
    { id: script.id, digest: `sha256:${'0'.repeat(64)}`, decision: 'deny' },
  ]);
  expect(outcomes(body)).toEqual([
    'changed',
    'changed',
    'not_found',
    'not_found',
    'not_found',
    'not_found',
    'not_found',
    'changed',
  ]);
  expect((await list('kind=all&status=waiting')).waiting).toEqual({ tools: 2, scripts: 1 });
  expect((await getScript(program, 'sly')).status).toBe('pending');
  expect(await entries('approval.approved', one.id)).toBe(0);

  // A version that was replaced is not rejected in the place of the newer one.
  await modelCalls(program, model, 'script_write', { name: 'sly', source: 'result = 2\n' });
  const late = await batch([{ id: script.id, digest: script.hash, decision: 'deny' }]);
  expect(outcomes(late.body)).toEqual(['changed']);
  expect((await getScript(program, 'sly')).status).toBe('pending');
  expect((await list('kind=script&status=superseded')).approvals[0]).toMatchObject({ id: script.id });

  // What it is for.
  const done = await batch([approve(one), { ...approve(two), decision: 'deny', reason: 'no\u202E' }]);
  expect(outcomes(done.body)).toEqual(['done', 'done']);
  expect(await entries('approval.approved', one.id)).toBe(1);
  expect(await entries('approval.denied', two.id)).toBe(1);
  expect((await list(`ids=${two.id}`)).approvals[0]).toMatchObject({ reason: 'no\u202E' });
}, 60_000);

/** Two tabs decide on the same calls at once, otherwise; what each was told, and how often the log has it. */
async function raced(name: string) {
  const waits = await ask(Array.from({ length: 4 }, (_, i) => `${name}-${i}.md`));
  const [left, right] = await Promise.all([
    batch(waits.map(approve)),
    batch(waits.map((each) => ({ ...approve(each), decision: 'deny' }))),
  ]);
  const all = [...left.body.results, ...right.body.results];
  return Promise.all(
    waits.map(async ({ id }) => {
      const mine = all.filter((result) => result.id === id);
      return {
        outcomes: mine.map(({ outcome }) => outcome).toSorted((a, b) => a.localeCompare(b)),
        statuses: new Set(mine.map(({ status }) => status)).size,
        entries: (await entries('approval.approved', id)) + (await entries('approval.denied', id)),
      };
    }),
  );
}
// The loser is told how it was decided.
const DECIDED_ONCE = { outcomes: ['already_decided', 'done'], statuses: 1, entries: 1 };

test('two tabs send the same batch at once: each request is decided by one of them, with one entry in the log', async () => {
  for (const each of await raced('race')) expect(each).toEqual(DECIDED_ONCE);
}, 60_000);

test('no filter, cursor or id of the inbox reaches anything but rows of the inbox', async () => {
  for (const query of [
    'kind=all&cursor=999999999999999999t-x',
    "kind=all&cursor=1t-x'--",
    'kind=all&ids=a%2C%2Cb',
    'kind=secret',
    'kind=script&limit=101',
    'limit=501',
    'status=everything',
    'tool=%25',
    'q=1%202%203%204%205%206%207',
    'order=desc',
  ]) {
    const { status, body } = await program.api<{ error: string }>('GET', `/api/approvals?${query}`);
    expect([query, status, body.error]).toEqual([query, 400, 'invalid_request']);
  }
  for (const query of ["q='%20OR%201=1--", 'q=%25', 'tool=x', 'ids=usr_1', 'cursor=0t-x', 'conversation=x'])
    expect((await list(`kind=all&${query}`)).approvals, query).toEqual([]);
});

test('a batch whose digests are not compared decides what was not shown, and nothing else stops it; two tabs that take every request for one that waits still decide each once, by the database; without that both decide', async () => {
  await begin(['approval-shown', 'approval-look']);
  const [one, two] = await ask(['one.md', 'two.md']);
  if (!one || !two) throw new Error('nothing waits');
  const { body } = await batch([{ ...approve(one), digest: two.digest }]);
  expect(outcomes(body)).toEqual(['done']);
  for (const each of await raced('look'))
    expect(each).toMatchObject({ outcomes: DECIDED_ONCE.outcomes, entries: 1 });
  await begin(['approval-look', 'approval-once']);
  for (const each of await raced('once'))
    expect(each).toMatchObject({ outcomes: ['done', 'done'], entries: 2 });
}, 120_000);

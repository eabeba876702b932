import { expect, test } from 'vitest';
import type { TurnRuntime } from '../../engine/turn-runtime.ts';
import { OWNER, step, testTool, until, type Workbench } from '../../../test/fakes/workbench.ts';
import { workbenches } from '../../../test/fakes/workbenches.ts';
import type { PolicyRule } from '../policy/index.ts';

const ALLOW: readonly PolicyRule[] = [
  { id: 'free', decision: 'allow', resources: ['free'], because: 'free' },
  { id: 'asks', decision: 'ask', resources: ['ask'], because: 'asks' },
  { id: 'never', decision: 'deny', resources: ['never'], because: 'never' },
];
const make = workbenches({ rules: ALLOW });

/** Runs one turn that plays `act` and returns what it returned. */
async function inTurn<T>(on: Workbench, act: (runtime: TurnRuntime) => Promise<T>): Promise<T> {
  const { id } = on.conversations.create(undefined, OWNER);
  let result: T | undefined;
  let problem: unknown;
  on.setPlay(async (_turn, runtime) => {
    try {
      result = await act(runtime);
    } catch (error) {
      problem = error;
    }
    return { kind: 'finished' };
  });
  on.conversations.send(id, 'go', OWNER);
  await on.turns.idle(id);
  if (problem !== undefined) throw problem;
  return result as T;
}

const call = (runtime: TurnRuntime, callId: string | undefined, name: string, path: string) =>
  runtime.callTool({ callId, name, arguments: { path } });

test('an allowed call runs, and its intent and its result are in the audit log', async () => {
  const bench = make({ tools: [testTool('act', async ({ path }) => ({ did: path }))] });
  const answer = await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    return call(runtime, id, 'act', 'free/a');
  });
  expect(answer).toMatchObject({ kind: 'done', isError: false, value: { did: 'free/a' }, rule: 'free' });
  const rows = bench.audit.list({ event: 'tool.', limit: 10 }).map((row) => `${row.event} ${row.outcome}`);
  expect(rows).toEqual(['tool.result ok', 'tool.intent intent']);
});

test('nothing runs while the vault is sealed, not even what the policy allows or a person approved', async () => {
  let sealed = true;
  let runs = 0;
  const bench = make({ sealed: () => sealed, tools: [testTool('act', async () => (runs += 1))] });
  const answer = await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    return call(runtime, id, 'act', 'free/a');
  });
  expect(answer).toMatchObject({ kind: 'refused', isError: true, rule: 'vault-sealed' });
  expect(runs).toBe(0);
  sealed = false;
  const open = await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    return call(runtime, id, 'act', 'free/a');
  });
  expect(open.kind).toBe('done');
});

test('the same call asked twice, also at once, runs once and gets the recorded answer', async () => {
  let runs = 0;
  const bench = make({ tools: [testTool('act', async () => ({ run: (runs += 1) }))] });
  const answers = await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    const both = await Promise.all([call(runtime, id, 'act', 'free/a'), call(runtime, id, 'act', 'free/a')]);
    return [...both, await call(runtime, id, 'act', 'free/a')];
  });
  expect(runs).toBe(1);
  expect(answers.map((answer) => answer.value)).toEqual([{ run: 1 }, { run: 1 }, { run: 1 }]);
});

test('a call that the model did not make, or that was changed, or that is of an older step, never runs', async () => {
  let runs = 0;
  const bench = make({
    tools: [testTool('act', async () => (runs += 1)), testTool('other', async () => (runs += 1))],
  });
  const rules = await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    const answers = [
      await call(runtime, undefined, 'act', 'free/a'),
      await call(runtime, 'c00010001', 'act', 'free/a'),
      await call(runtime, 'c0001', 'act', 'free/a'),
      await call(runtime, id, 'act', 'free/b'),
      await call(runtime, id, 'other', 'free/a'),
    ];
    step(runtime, 'gone on');
    answers.push(await call(runtime, id, 'act', 'free/a'));
    return answers.map((answer) => answer.rule);
  });
  expect(rules).toEqual([
    'call-not-seen',
    'call-not-seen',
    'call-not-seen',
    'call-changed',
    'call-changed',
    'call-stale',
  ]);
  expect(runs).toBe(0);
  expect(bench.audit.list({ event: 'tool.refused', limit: 50 })).toHaveLength(6);
});

test('an unknown tool, invalid arguments, a denied target and a target that no rule names do not run', async () => {
  let runs = 0;
  const bench = make({ tools: [testTool('act', async () => (runs += 1))] });
  const answers = await inTurn(bench, async (runtime) => {
    const ids = step(runtime, '', [
      { name: 'nothing', args: { path: 'free/a' } },
      { name: 'act', args: { path: 5 } },
      { name: 'act', args: { path: 'never/a' } },
      { name: 'act', args: { path: 'elsewhere/a' } },
    ]);
    return [
      await call(runtime, ids[0], 'nothing', 'free/a'),
      await runtime.callTool({ callId: ids[1], name: 'act', arguments: { path: 5 } }),
      await call(runtime, ids[2], 'act', 'never/a'),
      await call(runtime, ids[3], 'act', 'elsewhere/a'),
    ];
  });
  expect(answers.map((answer) => [answer.kind, answer.rule])).toEqual([
    ['refused', 'unknown-tool'],
    ['refused', 'invalid-arguments'],
    ['denied', 'never'],
    ['denied', 'default-deny'],
  ]);
  expect(runs).toBe(0);
});

test('a call that asks waits for one person, runs after the approval, and the waiting is no time of the turn', async () => {
  let runs = 0;
  const bench = make({ tools: [testTool('act', async () => (runs += 1))], timeoutMs: 400 });
  const turn = inTurn(bench, async (runtime) => {
    const [id] = step(runtime, 'I want this.', [{ name: 'act', args: { path: 'ask/a' } }]);
    return call(runtime, id, 'act', 'ask/a');
  });
  await until(() => bench.approvals.countPending() === 1);
  const [request] = bench.approvals.list('pending', 1);
  expect(request).toMatchObject({
    tool: 'act',
    arguments: '{"path":"ask/a"}',
    why: 'I want this.',
    summary: 'Act on ask/a',
  });
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(runs).toBe(0);
  const id = request?.id ?? '';
  expect(() => bench.approvals.decide(id, 'approve', OWNER, { digest: 'another' })).toThrow(
    'not the one that was shown',
  );
  bench.approvals.decide(id, 'approve', OWNER, { digest: request?.digest ?? '' });
  expect(() => bench.approvals.decide(id, 'deny', OWNER, {})).toThrow('already decided');
  expect(await turn).toMatchObject({ kind: 'done', value: 1 });
  expect(runs).toBe(1);
});

test('a denial tells the model why, and an expired request is not run', async () => {
  const bench = make({ tools: [testTool('act', async () => 'ran')], expireAfterMs: 1 });
  const turn = inTurn(bench, async (runtime) => {
    const [first] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
    return call(runtime, first, 'act', 'ask/a');
  });
  await until(() => bench.approvals.countPending() === 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  bench.approvals.expireDue();
  expect(await turn).toMatchObject({ kind: 'expired', isError: true });
  const other = make({ tools: [testTool('act', async () => 'ran')] });
  const denied = inTurn(other, async (runtime) => {
    const [first] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
    return call(runtime, first, 'act', 'ask/a');
  });
  await until(() => other.approvals.countPending() === 1);
  other.approvals.decide(other.approvals.list('pending', 1)[0]?.id ?? '', 'deny', OWNER, {
    reason: 'not today',
  });
  expect(await denied).toMatchObject({ kind: 'denied', value: 'The owner denied this: not today' });
});

test('a result is redacted before the model, the page and the log see it', async () => {
  const bench = make({
    tools: [testTool('act', async () => ({ token: 's3cret-value' }), { effect: 'read' })],
  });
  const answer = await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    return call(runtime, id, 'act', 'free/a');
  });
  expect(answer).toMatchObject({ value: { token: '[REDACTED:TEST]' }, hidden: { TEST: 1 } });
  const everything = JSON.stringify([
    bench.database.all('SELECT * FROM events'),
    bench.database.all('SELECT * FROM tool_calls'),
    bench.database.all('SELECT * FROM audit'),
  ]);
  expect(everything).not.toContain('s3cret-value');
});

test('a tool that hangs ends at its deadline, and a write that was cut off is unknown, not failed', async () => {
  const never = () => new Promise<never>(() => undefined);
  const bench = make({
    tools: [
      testTool('look', never, { effect: 'read', deadlineMs: 20 }),
      testTool('act', never, { deadlineMs: 20 }),
    ],
  });
  const kinds = await inTurn(bench, async (runtime) => {
    const ids = step(runtime, '', [
      { name: 'look', args: { path: 'free/a' } },
      { name: 'act', args: { path: 'free/a' } },
    ]);
    return [
      (await call(runtime, ids[0], 'look', 'free/a')).kind,
      (await call(runtime, ids[1], 'act', 'free/a')).kind,
    ];
  });
  expect(kinds).toEqual(['failed', 'unknown']);
});

test('a turn may make only so many calls', async () => {
  let runs = 0;
  const bench = make({ tools: [testTool('act', async () => (runs += 1))], maxCallsPerTurn: 3 });
  await inTurn(bench, async (runtime) => {
    const ids = step(
      runtime,
      '',
      Array.from({ length: 200 }, () => ({ name: 'act', args: { path: 'free/a' } })),
    );
    for (const id of ids) await call(runtime, id, 'act', 'free/a');
  });
  expect(runs).toBe(3);
});

test('when the audit log cannot be written the tool does not run', async () => {
  let runs = 0;
  const bench = make({ tools: [testTool('act', async () => (runs += 1))] });
  await inTurn(bench, async (runtime) => {
    const [id] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    bench.database.run('ALTER TABLE audit RENAME TO audit_gone');
    await expect(call(runtime, id, 'act', 'free/a')).rejects.toThrow('audit log could not be written');
    bench.database.run('ALTER TABLE audit_gone RENAME TO audit');
  });
  expect(runs).toBe(0);
});

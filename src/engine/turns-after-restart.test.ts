/** What a turn, its calls and its requests are after the program was stopped or killed. */
import { expect, test } from 'vitest';
import { OWNER, step, testTool, until } from '../../test/fakes/workbench.ts';
import { workbenches } from '../../test/fakes/workbenches.ts';
import { historyOf } from './history.ts';

const RULES = [
  { id: 'free', decision: 'allow', resources: ['free'], because: '' },
  { id: 'asks', decision: 'ask', resources: ['ask'], because: '' },
] as const;

const make = workbenches({ rules: RULES });

const never = () => new Promise<never>(() => undefined);

test('after a crash the numbers go on above every number that was ever heard', async () => {
  const first = make();
  const { id } = first.conversations.create(undefined, OWNER);
  let last = 0;
  first.setPlay(async (_turn, runtime) => {
    for (let i = 0; i < 700; i += 1) {
      first.events.live(id, runtime.turnId, { type: 'text', part_id: 'p', content: 'x'.repeat(i) });
    }
    return never();
  });
  first.conversations.subscribe(id, 0, (event) => (last = event.seq));
  first.conversations.send(id, 'Hi', OWNER);
  await until(() => last > 600);
  // The process dies here: nothing is flushed, nothing ended.
  const second = make({ directory: first.afterCrash() });
  expect(second.recover().interruptedTurns).toBe(1);
  expect(second.eventsOf(id).at(-1)).toMatchObject({ type: 'done', status: 'interrupted', can_retry: true });
  expect(second.eventsOf(id).at(-1)?.seq).toBeGreaterThan(last);
});

test('after a crash a running call is unknown and not run again, an open request can still be approved and runs once', async () => {
  let runs = 0;
  const tools = [testTool('act', async () => (runs += 1)), testTool('hang', never)];
  const first = make({ tools });
  const { id } = first.conversations.create(undefined, OWNER);
  first.setPlay(async (_turn, runtime) => {
    const [hang, ask] = step(runtime, '', [
      { name: 'hang', args: { path: 'free/a' } },
      { name: 'act', args: { path: 'ask/a' } },
    ]);
    await Promise.all([
      runtime.callTool({ callId: hang, name: 'hang', arguments: { path: 'free/a' } }),
      runtime.callTool({ callId: ask, name: 'act', arguments: { path: 'ask/a' } }),
    ]);
    return { kind: 'finished' };
  });
  first.conversations.send(id, 'go', OWNER);
  await until(() => first.approvals.countPending() === 1);

  const second = make({ tools, directory: first.afterCrash() });
  expect(second.recover()).toMatchObject({ interruptedTurns: 1, unknownCalls: 1, approvedCalls: [] });
  const [request] = second.approvals.list('pending', 1);
  second.approvals.decide(request?.id ?? '', 'approve', OWNER, {});
  await until(() => runs === 1);
  expect(() => second.approvals.decide(request?.id ?? '', 'approve', OWNER, {})).toThrow('already decided');
  await until(() => second.eventsOf(id).filter((event) => event.type === 'tool_result').length === 2);
  const results = second.eventsOf(id).filter((event) => event.type === 'tool_result');
  expect(results).toMatchObject([{ outcome: 'unknown' }, { outcome: 'done', result: 1 }]);
  expect(runs).toBe(1);
  second.setPlay(async (turn) => {
    expect(turn.history.at(-1)).toMatchObject({ role: 'tool', results: [{ is_error: true }, { text: '1' }] });
    return { kind: 'finished' };
  });
  second.conversations.resume(id, OWNER);
  await second.turns.idle(id);
  expect(() => second.conversations.resume(id, OWNER)).toThrow('complete');
});

test('a graceful stop keeps the open request, and approving later runs it once', async () => {
  let runs = 0;
  const tools = [testTool('act', async () => (runs += 1))];
  const first = make({ tools });
  const { id } = first.conversations.create(undefined, OWNER);
  first.setPlay(async (_turn, runtime) => {
    const [ask] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
    await runtime.callTool({ callId: ask, name: 'act', arguments: { path: 'ask/a' } });
    return { kind: 'finished' };
  });
  first.conversations.send(id, 'go', OWNER);
  await until(() => first.approvals.countPending() === 1);
  await first.turns.shutdown();
  expect(first.eventsOf(id).at(-1)).toMatchObject({ type: 'done', status: 'interrupted' });
  await first.close();
  const second = make({ tools, directory: first.directory });
  expect(second.recover().interruptedTurns).toBe(0);
  second.approvals.decide(second.approvals.list('pending', 1)[0]?.id ?? '', 'approve', OWNER, {});
  await until(() => runs === 1);
});

test('a denial after a restart ends the call, and the model is told', async () => {
  const tools = [testTool('act', async () => 'ran')];
  const first = make({ tools });
  const { id } = first.conversations.create(undefined, OWNER);
  first.setPlay(async (_turn, runtime) => {
    const [ask] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
    await runtime.callTool({ callId: ask, name: 'act', arguments: { path: 'ask/a' } });
    return { kind: 'finished' };
  });
  first.conversations.send(id, 'go', OWNER);
  await until(() => first.approvals.countPending() === 1);
  const second = make({ tools, directory: first.afterCrash() });
  second.recover();
  second.approvals.decide(second.approvals.list('pending', 1)[0]?.id ?? '', 'deny', OWNER, {
    reason: 'not this',
  });
  await until(() => second.eventsOf(id).some((event) => event.type === 'tool_result'));
  expect(historyOf(second.eventsOf(id)).at(-1)).toMatchObject({
    results: [{ text: 'The owner denied this: not this', is_error: true }],
  });
});

test('a call that was approved after a restart can be stopped, and its outcome is in the log even when the conversation is deleted', async () => {
  const tools = [testTool('hang', never)];
  const first = make({ tools });
  const { id } = first.conversations.create(undefined, OWNER);
  first.setPlay(async (_turn, runtime) => {
    const [ask] = step(runtime, '', [{ name: 'hang', args: { path: 'ask/a' } }]);
    await runtime.callTool({ callId: ask, name: 'hang', arguments: { path: 'ask/a' } });
    return { kind: 'finished' };
  });
  first.conversations.send(id, 'go', OWNER);
  await until(() => first.approvals.countPending() === 1);
  const second = make({ tools, directory: first.afterCrash() });
  second.recover();
  second.approvals.decide(second.approvals.list('pending', 1)[0]?.id ?? '', 'approve', OWNER, {});
  await second.conversations.delete(id, OWNER);
  expect(second.audit.list({ event: 'tool.result', limit: 5 })).toMatchObject([{ outcome: 'unknown' }]);
  expect(second.approvals.list(undefined, 5)).toEqual([]);
});

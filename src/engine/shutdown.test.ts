/** The order of a stop: what turns, their calls and their text have to store is stored before the database closes. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { OWNER, step, testTool, until, type Workbench } from '../../test/fakes/workbench.ts';
import { workbenches } from '../../test/fakes/workbenches.ts';

const RULES = [
  { id: 'free', decision: 'allow', resources: ['free'], because: '' },
  { id: 'asks', decision: 'ask', resources: ['ask'], because: '' },
] as const;
const make = workbenches({ rules: RULES });

const never = () => new Promise<never>(() => undefined);

/** From now on every use of the database is one too many, and is refused as a closed one refuses it. */
function closedFromNow(bench: Workbench): string[] {
  const uses: string[] = [];
  for (const name of ['all', 'get', 'run', 'tx', 'afterCommit'] as const) {
    bench.database[name] = (what: unknown): never => {
      uses.push(`${name} ${String(what).slice(0, 80)}`);
      throw new Error('statement has been finalized');
    };
  }
  return uses;
}

test('a turn that hangs in a tool, with text on its way, has stored everything when the shutdown resolves', async () => {
  const tools = [testTool('hang', never, { deadlineMs: 40 })];
  const bench = make({ tools });
  const { id } = bench.conversations.create(undefined, OWNER);
  let running = false;
  bench.setPlay(async (_turn, runtime) => {
    const [call] = step(runtime, '', [{ name: 'hang', args: { path: 'free/a' } }]);
    const answer = runtime.callTool({ callId: call, name: 'hang', arguments: { path: 'free/a' } });
    runtime.text(1, 'text', 'half a sen');
    running = true;
    await answer;
    return never();
  });
  bench.conversations.send(id, 'go', OWNER);
  bench.conversations.send(id, 'and then', OWNER);
  await until(() => running);
  await bench.turns.shutdown();
  expect(bench.turns.runningCount()).toBe(0);
  const uses = closedFromNow(bench);
  // Past the deadline of the call.
  await wait(60);
  expect(uses).toEqual([]);
  const again = make({ tools, directory: bench.afterCrash() });
  expect(again.recover()).toMatchObject({ interruptedTurns: 0, unknownCalls: 0 });
  expect(again.eventsOf(id).filter((event) => event.type === 'text')).toMatchObject([
    { content: 'half a sen' },
  ]);
  expect(again.eventsOf(id).flatMap((event) => (event.type === 'done' ? [event.status] : []))).toEqual([
    'interrupted',
    'interrupted',
  ]);
});

test('a call that is still open when its turn ends by itself writes its end before the shutdown resolves', async () => {
  const bench = make({ tools: [testTool('hang', never)] });
  const { id } = bench.conversations.create(undefined, OWNER);
  let finish: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (finish = resolve));
  let answered: unknown;
  const { call } = bench.gate;
  bench.gate.call = async (turn, request) => {
    const answer = await call(turn, request);
    // A disk takes its time too.
    await wait(20);
    return answer;
  };
  bench.setPlay(async (_turn, runtime) => {
    const [call] = step(runtime, '', [{ name: 'hang', args: { path: 'free/a' } }]);
    void runtime
      .callTool({ callId: call, name: 'hang', arguments: { path: 'free/a' } })
      .catch((error: unknown) => error)
      .then((answer) => (answered = answer));
    await told;
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'go', OWNER);
  await until(() => bench.auditStore.list({ event: 'tool.intent', limit: 1 }).length === 1);
  finish();
  await bench.turns.shutdown();
  expect(answered).toMatchObject({ kind: 'unknown' });
});

test('an end that the disk did not take is tried once more at the shutdown, and then no more', async () => {
  const bench = make();
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.setPlay(async () => {
    bench.database.run('PRAGMA query_only = 1');
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(bench.turnStore.latest(id)?.ended_at).toBeNull();
  bench.database.run('PRAGMA query_only = 0');
  await bench.turns.shutdown();
  expect(bench.turnStore.latest(id)).toMatchObject({ status: 'done' });
  const again = make({ directory: bench.afterCrash() });
  expect(again.eventsOf(id).at(-1)).toMatchObject({ type: 'done', status: 'done' });
});

test('a disk that takes nothing to the very end does not hold up the shutdown, and is left alone after it', async () => {
  const bench = make();
  const ids = [1, 2].map(() => bench.conversations.create(undefined, OWNER).id);
  let full: () => void = () => undefined;
  const disk = new Promise<void>((resolve) => (full = resolve));
  let begun = 0;
  bench.setPlay(async () => {
    begun += 1;
    await disk;
    return { kind: 'finished' };
  });
  for (const id of ids) bench.conversations.send(id, 'go', OWNER);
  await until(() => begun === ids.length);
  bench.database.run('PRAGMA query_only = 1');
  full();
  for (const id of ids) await bench.turns.idle(id);
  await bench.turns.shutdown();
  const uses = closedFromNow(bench);
  // Longer than the pause before streamed text is stored.
  await wait(1_200);
  expect(uses).toEqual([]);
  const again = make({ directory: bench.afterCrash() });
  expect(again.recover().interruptedTurns).toBe(ids.length);
});

test('a call that was decided without its turn is stopped, and its end is stored', async () => {
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
  expect(second.orphans.count()).toBe(1);
  await second.orphans.shutdown();
  expect(second.orphans.count()).toBe(0);
  expect(second.audit.list({ event: 'tool.result', limit: 5 })).toMatchObject([{ outcome: 'unknown' }]);
});

test('a turn whose calls can not be read ends all the same, and nothing is offered twice', async () => {
  const bench = make({ play: async () => ({ kind: 'failed', code: 'engine_crashed', message: 'gone' }) });
  const { id } = bench.conversations.create(undefined, OWNER);
  const heard: unknown[] = [];
  bench.conversations.subscribe(id, 0, (event) => heard.push(event));
  const { ofTurn } = bench.calls;
  bench.calls.ofTurn = () => {
    throw new Error('disk I/O error');
  };
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(heard.at(-1)).toMatchObject({ type: 'done', can_retry: false, can_continue: true });
  bench.calls.ofTurn = ofTurn;
});

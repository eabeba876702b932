import { expect, test } from 'vitest';
import type { StoredEvent } from '../core/index.ts';
import { OWNER, step, testTool, until } from '../../test/fakes/workbench.ts';
import { workbenches } from '../../test/fakes/workbenches.ts';
import { historyOf } from './history.ts';

const RULES = [
  { id: 'free', decision: 'allow', resources: ['free'], because: '' },
  { id: 'asks', decision: 'ask', resources: ['ask'], because: '' },
] as const;

const make = workbenches({ rules: RULES });

const types = (events: readonly StoredEvent[]) => events.map((event) => event.type);
const never = () => new Promise<never>(() => undefined);

test('a turn writes the message, the text, the calls with their results, the usage and done, with rising seq', async () => {
  const bench = make({ tools: [testTool('act', async () => 'ran')] });
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.setPlay(async (_turn, runtime) => {
    const [call] = step(runtime, 'I will act.', [{ name: 'act', args: { path: 'free/a' } }]);
    await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'free/a' } });
    step(runtime, 'Done.');
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'Please act', OWNER);
  await bench.turns.idle(id);
  const events = bench.eventsOf(id);
  expect(types(events)).toEqual([
    'user',
    'started',
    'text',
    'tool_call',
    'tool_result',
    'text',
    'usage',
    'done',
  ]);
  expect(events.map((event) => event.seq)).toEqual(
    events.map((event) => event.seq).toSorted((a, b) => a - b),
  );
  expect(new Set(events.map((event) => event.seq)).size).toBe(events.length);
  expect(events.at(-1)).toMatchObject({
    type: 'done',
    status: 'done',
    can_retry: false,
    can_continue: false,
  });
  expect(bench.conversations.get(id)).toMatchObject({ title: 'Please act', status: 'done' });
  expect(bench.conversations.messages(id, 50)).toMatchObject([
    { role: 'user', parts: [{ text: 'Please act' }] },
    {
      role: 'assistant',
      parts: [{ text: 'I will act.' }, { type: 'tool', result: 'ran' }, { text: 'Done.' }],
    },
  ]);
});

test('a subscriber hears what it missed and then what is new, once each and in order', async () => {
  const bench = make();
  const { id } = bench.conversations.create(undefined, OWNER);
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  bench.setPlay(async (_turn, runtime) => {
    runtime.beginStep();
    runtime.text(1, 'text', 'Hel');
    runtime.text(1, 'text', 'Hello');
    await gate;
    runtime.partEnd(1, 'text', 'Hello you.');
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'Hi', OWNER);
  await until(() => bench.eventsOf(id).some((event) => event.type === 'text'));
  const heard: StoredEvent[] = [];
  bench.conversations.subscribe(id, 0, (event) => heard.push(event));
  expect(types(heard)).toEqual(['user', 'started', 'text']);
  go();
  await bench.turns.idle(id);
  expect(heard.flatMap((event) => (event.type === 'text' ? [] : [event.type]))).toEqual([
    'user',
    'started',
    'done',
  ]);
  expect(heard.map((event) => event.seq)).toEqual(heard.map((event) => event.seq).toSorted((a, b) => a - b));
  expect(heard.filter((event) => event.type === 'text').at(-1)).toMatchObject({ content: 'Hello you.' });
  const later: StoredEvent[] = [];
  bench.conversations.subscribe(id, heard[2]?.seq ?? 0, (event) => later.push(event));
  expect(types(later)).toEqual(['text', 'done']);
  expect(later[0]).toMatchObject({ content: 'Hello you.' });
});

test('a stop ends a turn within a second even when the engine hangs, and the waiting messages with it', async () => {
  const bench = make({ play: never });
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.conversations.send(id, 'one', OWNER);
  bench.conversations.send(id, 'two', OWNER);
  await until(() => bench.turns.isRunning(id));
  expect(bench.conversations.stop(id, OWNER)).toBe(2);
  await bench.turns.idle(id);
  expect(types(bench.eventsOf(id))).toEqual([
    'user',
    'started',
    'user',
    'queued',
    'aborted',
    'done',
    'aborted',
    'done',
  ]);
  expect(bench.conversations.get(id).status).toBe('stopped');
});

test('one turn at a time in a conversation, the queue is bounded, and only so many turns run at once', async () => {
  const bench = make({ play: never, maxAtOnce: 2 });
  const ids = [1, 2, 3].map(() => bench.conversations.create(undefined, OWNER).id);
  for (const id of ids) bench.conversations.send(id, 'go', OWNER);
  expect(bench.turns.runningCount()).toBe(2);
  for (let i = 0; i < 5; i += 1) bench.conversations.send(ids[0] ?? '', 'more', OWNER);
  expect(() => bench.conversations.send(ids[0] ?? '', 'too many', OWNER)).toThrow('already wait');
  expect(bench.turns.stopAll(OWNER)).toBe(8);
  for (const id of ids) await bench.turns.idle(id);
  expect(bench.turns.runningCount()).toBe(0);
});

test('a turn that waits for a person gives its place to another', async () => {
  const bench = make({ tools: [testTool('act', async () => 'ran')], maxAtOnce: 1 });
  const a = bench.conversations.create(undefined, OWNER).id;
  const b = bench.conversations.create(undefined, OWNER).id;
  bench.setPlay(async (turn, runtime) => {
    if (turn.history.at(-1)?.role === 'user' && JSON.stringify(turn.history).includes('ask')) {
      const [call] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
      await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'ask/a' } });
    }
    return { kind: 'finished' };
  });
  bench.conversations.send(a, 'ask', OWNER);
  await until(() => bench.approvals.countPending() === 1);
  bench.conversations.send(b, 'hello', OWNER);
  await bench.turns.idle(b);
  expect(bench.conversations.get(b).status).toBe('done');
  expect(bench.conversations.get(a).status).toBe('waiting');
  bench.conversations.stop(a, OWNER);
  await bench.turns.idle(a);
  expect(bench.approvals.list(undefined, 1)[0]?.status).toBe('cancelled');
});

test('a turn has a time limit and a step limit, and says which it reached', async () => {
  const bench = make({ play: never, timeoutMs: 20 });
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(bench.eventsOf(id)).toMatchObject([
    {},
    {},
    { type: 'error', code: 'turn_timeout' },
    { type: 'done', status: 'failed', can_retry: true },
  ]);
  const other = make();
  other.setPlay(async (_turn, runtime) => {
    for (let i = 0; i < 10; i += 1) step(runtime, `step ${i}`);
    const refused = runtime.beginStep();
    return { kind: 'failed', code: refused.ok ? '' : refused.code, message: '' };
  });
  const c = other.conversations.create(undefined, OWNER).id;
  other.conversations.send(c, 'go', OWNER);
  await other.turns.idle(c);
  expect(other.eventsOf(c).find((event) => event.type === 'error')).toMatchObject({ code: 'step_limit' });
});

test('the capability of a turn is dead once the turn has ended', async () => {
  const bench = make();
  let capability = '';
  bench.setPlay(async (turn) => {
    capability = turn.capability;
    expect(bench.turns.turnFor(capability)).toBeDefined();
    return { kind: 'finished' };
  });
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(capability).not.toBe('');
  expect(bench.turns.turnFor(capability)).toBeUndefined();
});

test('a conversation that is deleted while it runs is stopped first, and only the audit log still knows it', async () => {
  const bench = make({ play: never });
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.conversations.send(id, 'go', OWNER);
  await bench.conversations.delete(id, OWNER);
  expect(bench.conversations.exists(id)).toBe(false);
  expect(bench.database.all('SELECT * FROM events')).toEqual([]);
  expect(bench.audit.list({ event: 'conversation.', limit: 5 }).map((row) => row.event)).toEqual([
    'conversation.deleted',
    'conversation.created',
  ]);
});

test('a history gives every call a result and leaves out the half-written answer of a turn that failed', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const event = (turn_id: string, rest: object) => ({ seq: 0, at, turn_id, ...rest }) as StoredEvent;
  const history = historyOf([
    event('t1', { type: 'user', message_id: 'm', content: 'hi' }),
    event('t1', { type: 'text', part_id: 'a', content: 'Looking.' }),
    event('t1', { type: 'tool_call', id: 'c00010000', name: 'act', arguments: {} }),
    event('t1', { type: 'text', part_id: 'b', content: 'half an ans' }),
    event('t1', { type: 'done', status: 'failed', can_retry: false, can_continue: true }),
    event('t2', { type: 'user', message_id: 'n', content: 'again' }),
    event('t2', { type: 'text', part_id: 'c', content: 'All of it.' }),
    event('t2', { type: 'done', status: 'done', can_retry: false, can_continue: false }),
  ]);
  expect(history).toEqual([
    { role: 'user', text: 'hi' },
    { role: 'assistant', text: 'Looking.', calls: [{ id: 'h00010000', name: 'act', arguments: {} }] },
    {
      role: 'tool',
      results: [{ id: 'h00010000', name: 'act', text: expect.stringContaining('not known'), is_error: true }],
    },
    { role: 'user', text: 'again' },
    { role: 'assistant', text: 'All of it.', calls: [] },
  ]);
});

test('a disk that takes nothing ends no turn and no program: the conversation hears of the end at once, the disk later', async () => {
  const bench = make({ play: never, tools: [testTool('act', async () => 'ran')] });
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.setPlay(async (_turn, runtime) => {
    const [call] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
    await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'ask/a' } });
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'go', OWNER);
  await until(() => bench.approvals.countPending() === 1);
  const [request] = bench.approvals.list('pending', 1);
  const heard: StoredEvent[] = [];
  bench.conversations.subscribe(id, 0, (event) => heard.push(event));
  // Nothing can be written any more.
  bench.database.run('PRAGMA query_only = 1');
  expect(bench.approvals.decide(request?.id ?? '', 'deny', OWNER, { reason: 'no' }).status).toBe('denied');
  expect(bench.approvals.countPending()).toBe(0);
  expect(() => bench.approvals.decide(request?.id ?? '', 'approve', OWNER, {})).toThrow('already decided');
  await bench.turns.idle(id);
  expect(heard.at(-1)).toMatchObject({ type: 'done' });
  bench.database.run('PRAGMA query_only = 0');
  bench.approvals.expireDue();
  expect(bench.approvals.get(request?.id ?? '')).toMatchObject({ status: 'denied', reason: 'no' });
  expect(() => bench.approvals.decide(request?.id ?? '', 'approve', OWNER, {})).toThrow('already decided');
  await until(() => bench.turnStore.latest(id)?.ended_at !== null);
  expect(bench.eventsOf(id).filter((event) => event.type === 'done')).toHaveLength(1);
});

test('when too many turns wait for a person, the oldest gives up its place and its request stays', async () => {
  const bench = make({ tools: [testTool('act', async () => 'ran')], maxWaiting: 2 });
  bench.setPlay(async (_turn, runtime) => {
    const [ask] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
    await runtime.callTool({ callId: ask, name: 'act', arguments: { path: 'ask/a' } });
    return { kind: 'finished' };
  });
  const ids = [1, 2, 3].map(() => bench.conversations.create(undefined, OWNER).id);
  for (const [index, id] of ids.entries()) {
    bench.conversations.send(id, 'go', OWNER);
    await until(() => bench.approvals.countPending() === index + 1);
  }
  await until(() => bench.conversations.get(ids[0] ?? '').status === 'interrupted');
  expect(bench.eventsOf(ids[0] ?? '').at(-2)).toMatchObject({ type: 'error', code: 'parked' });
  expect(bench.approvals.countPending()).toBe(3);
  const request = bench.approvals.list('pending', 5).find((row) => row.conversation_id === ids[0]);
  bench.approvals.decide(request?.id ?? '', 'approve', OWNER, {});
  await until(() =>
    bench.eventsOf(ids[0] ?? '').some((event) => event.type === 'tool_result' && event.outcome === 'done'),
  );
  bench.turns.stopAll(OWNER);
  for (const id of ids) await bench.turns.idle(id);
});

test('what a model says after the end of its turn does not come after done', async () => {
  const bench = make();
  const { id } = bench.conversations.create(undefined, OWNER);
  let late: () => void = () => undefined;
  bench.setPlay(async (_turn, runtime) => {
    runtime.beginStep();
    late = () => {
      runtime.text(1, 'text', 'late');
      runtime.partEnd(1, 'text', 'late');
    };
    return { kind: 'failed', code: 'engine_crashed', message: 'gone' };
  });
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  late();
  expect(bench.eventsOf(id).at(-1)).toMatchObject({ type: 'done', status: 'failed' });
});

test('streamed text that can not be stored ends nothing, and is stored once the disk takes it', async () => {
  const bench = make();
  const { id } = bench.conversations.create(undefined, OWNER);
  let go: () => void = () => undefined;
  const full = new Promise<void>((resolve) => (go = resolve));
  bench.setPlay(async (_turn, runtime) => {
    runtime.beginStep();
    runtime.text(1, 'text', 'half');
    await full;
    runtime.partEnd(1, 'text', 'half and whole');
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'go', OWNER);
  await until(() => bench.eventsOf(id).some((event) => event.type === 'text'));
  bench.database.run('PRAGMA query_only = 1');
  // Longer than the pause between two flushes: an error in the timer would end the process.
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  bench.database.run('PRAGMA query_only = 0');
  go();
  await bench.turns.idle(id);
  expect(bench.eventsOf(id).filter((event) => event.type === 'text')).toMatchObject([
    { content: 'half and whole' },
  ]);
});

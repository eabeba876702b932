/** A turn whose model can't be had, with the engine played by the test: what the trusted side does with the gateway's word. */
import { afterEach, expect, test } from 'vitest';
import type { HistoryMessage } from '../core/index.ts';
import {
  createWorkbench,
  OWNER,
  step,
  testTool,
  until,
  type Workbench,
  type WorkbenchOptions,
} from '../../test/fakes/workbench.ts';
import type { EngineTurn } from './adapter.ts';
import type { TurnRuntime } from './turn-runtime.ts';

const benches: Workbench[] = [];
afterEach(async () => {
  for (const bench of benches) await bench.close();
  for (const bench of benches.splice(0)) bench.remove();
});

const FALLBACK = { provider: 'other', model: 'second' };
const RULES = [
  { id: 'free', decision: 'allow', resources: ['free'], because: '' },
  { id: 'asks', decision: 'ask', resources: ['ask'], because: '' },
] as const;

function make(options: WorkbenchOptions = {}): { bench: Workbench; id: string } {
  const bench = createWorkbench({ rules: RULES, fallback: FALLBACK, ...options });
  benches.push(bench);
  return { bench, id: bench.conversations.create(undefined, OWNER).id };
}

/** One call to a model that fails, as the gateway tells of it. */
function failing(runtime: TurnRuntime, unavailable = true): void {
  const begun = runtime.beginStep();
  if (!begun.ok) throw new Error(begun.code);
  runtime.stepEnd(begun.step, {
    outcome: 'failed',
    finishReason: null,
    usage: { input: null, output: null, cached: null },
    costUsd: null,
    error: { code: 'llm_upstream_failing', message: 'It has a problem of its own.', unavailable },
  });
}

const FAILED = { kind: 'failed', code: 'engine', message: 'the model did not answer' } as const;

test('a turn goes on with the fallback from what is recorded: calls ran once, steps and keys count on, the log says so', async () => {
  let runs = 0;
  const { bench, id } = make({ tools: [testTool('act', async () => `ran ${(runs += 1)}`)] });
  const seen: { model: string; capability: string; history: readonly HistoryMessage[]; maxSteps: number }[] =
    [];
  bench.setPlay(async (turn, runtime) => {
    seen.push(turn);
    if (turn.model === 'demo') {
      const [call] = step(runtime, 'I act.', [{ name: 'act', args: { path: 'free/a' } }]);
      await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'free/a' } });
      failing(runtime);
      return FAILED;
    }
    const [call] = step(runtime, '', [{ name: 'act', args: { path: 'free/b' } }]);
    await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'free/b' } });
    step(runtime, 'Done by the second.');
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'Please act', OWNER);
  await bench.turns.idle(id);

  expect(seen.map(({ model }) => model)).toEqual(['demo', 'second']);
  expect(seen[0]?.capability).not.toBe(seen[1]?.capability);
  expect(seen.map(({ maxSteps }) => maxSteps)).toEqual([10, 8]);
  expect(seen[1]?.history).toMatchObject([
    { role: 'user', text: 'Please act' },
    { role: 'assistant', text: 'I act.', calls: [{ name: 'act' }] },
    { role: 'tool', results: [{ text: 'ran 1' }] },
  ]);
  expect(runs).toBe(2);
  const events = bench.eventsOf(id);
  expect(events.map(({ type }) => type)).toEqual([
    'user',
    'started',
    'text',
    'tool_call',
    'tool_result',
    'switched',
    'tool_call',
    'tool_result',
    'text',
    'usage',
    'done',
  ]);
  expect(events.flatMap((event) => (event.type === 'tool_call' ? [event.id] : []))).toEqual([
    'c00010000',
    'c00030000',
  ]);
  expect(events.find(({ type }) => type === 'switched')).toMatchObject({
    from: { provider: 'demo', model: 'demo' },
    to: FALLBACK,
    code: 'llm_upstream_failing',
    content: 'It has a problem of its own.',
  });
  expect(events.find(({ type }) => type === 'usage')).toMatchObject(FALLBACK);
  expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
  const turn = bench.turnStore.latest(id);
  expect(
    bench.turnStore.llmCalls(turn?.id ?? '').map(({ step, model, outcome }) => `${step} ${model} ${outcome}`),
  ).toEqual(['1 demo ok', '2 demo failed', '3 second ok', '4 second ok']);
  const [entry] = bench.auditStore.list({ event: 'turn.model_switched', limit: 5 });
  expect(entry).toMatchObject({ actor: 'system', target: turn?.id });
  expect(JSON.parse(entry?.details ?? '{}')).toMatchObject({
    from: 'demo/demo',
    to: 'other/second',
    code: 'llm_upstream_failing',
    step: 2,
  });
});

test('what belongs to the run that is over is dead at once: its capability, its steps, its tool calls', async () => {
  let ran = 0;
  const { bench, id } = make({ tools: [testTool('act', async () => (ran += 1))] });
  const checked: unknown[] = [];
  bench.setPlay(async (turn, runtime) => {
    if (turn.model !== 'demo') {
      step(runtime, 'fine');
      return { kind: 'finished' };
    }
    const [call] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    failing(runtime);
    checked.push(bench.turns.turnFor(turn.capability), turn.signal.aborted, runtime.beginStep().ok);
    const answer = await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'free/a' } });
    checked.push(answer.kind);
    // More than an engine may make up before its turn is ended.
    for (let at = 0; at < 25; at += 1)
      await runtime.callTool({ callId: 'c00010000', name: 'act', arguments: { path: 'free/b' } });
    runtime.refused('llm_body_refused', 'from the old run');
    // An engine that does not want to end.
    return new Promise(() => undefined);
  });
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(checked).toEqual([undefined, true, false, 'refused']);
  expect(ran).toBe(0);
  // The next model is told so before it begins.
  const types = bench.eventsOf(id).map(({ type }) => type);
  expect(types.indexOf('tool_result')).toBeLessThan(types.indexOf('switched'));
  expect(bench.eventsOf(id).find(({ type }) => type === 'tool_result')).toMatchObject({
    outcome: 'stopped',
    result: 'It did not run: the model that asked for it became unavailable.',
  });
  expect(bench.eventsOf(id).at(-1)).toMatchObject({ status: 'done' });
});

test('a call that an old run left open is over before the next run begins, and the next model is told so', async () => {
  const { bench, id } = make({
    tools: [
      testTool(
        'act',
        (_args, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
          }),
      ),
    ],
  });
  let open: Promise<unknown> = Promise.resolve();
  let second: EngineTurn | undefined;
  bench.setPlay(async (turn, runtime) => {
    if (turn.model !== 'demo') {
      second = turn;
      step(runtime, 'fine');
      return { kind: 'finished' };
    }
    const calls = step(runtime, '', [
      { name: 'act', args: { path: 'free/a' } },
      { name: 'act', args: { path: 'ask/b' } },
    ]);
    open = Promise.all(
      calls.map((callId, at) =>
        runtime.callTool({ callId, name: 'act', arguments: { path: at === 0 ? 'free/a' : 'ask/b' } }),
      ),
    );
    failing(runtime);
    return FAILED;
  });
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  await open;
  expect(bench.approvals.countPending()).toBe(0);
  const results = bench
    .eventsOf(id)
    .flatMap((event) => (event.type === 'tool_result' ? [event.outcome] : []));
  expect(results).toHaveLength(2);
  expect(results).not.toContain('done');
  const told = second?.history.at(-1);
  expect(told?.role === 'tool' && told.results.every((result) => result.is_error)).toBe(true);
});

test.each([
  ['the gateway did not say so', async (_turn: EngineTurn, runtime: TurnRuntime) => failing(runtime, false)],
  [
    'the gateway refused a request',
    async (_turn: EngineTurn, runtime: TurnRuntime) => runtime.refused('llm_body_refused', 'no'),
  ],
  ['the engine says that the model failed', async () => undefined],
])('nothing is switched when %s', async (_name, act) => {
  const { bench, id } = make();
  let runs = 0;
  bench.setPlay(async (turn, runtime) => {
    runs += 1;
    await act(turn, runtime);
    return { kind: 'failed', code: 'llm_upstream_failing', message: 'believe me' };
  });
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(runs).toBe(1);
  expect(bench.eventsOf(id).some(({ type }) => type === 'switched')).toBe(false);
  expect(bench.eventsOf(id).at(-1)).toMatchObject({ status: 'failed' });
});

test('a turn is switched once at most, and not without a step left to go on with', async () => {
  const { bench, id } = make();
  let runs = 0;
  bench.setPlay(async (_turn, runtime) => {
    runs += 1;
    failing(runtime);
    return FAILED;
  });
  bench.conversations.send(id, 'go', OWNER);
  await bench.turns.idle(id);
  expect(runs).toBe(2);
  expect(bench.eventsOf(id).findLast(({ type }) => type === 'error')).toMatchObject({
    code: 'llm_upstream_failing',
  });

  // Also not when the owner names another one meanwhile.
  runs = 0;
  bench.setPlay(async (_turn, runtime) => {
    runs += 1;
    bench.conversations.change(id, { fallback: { provider: 'other', model: `${runs}` } }, OWNER);
    failing(runtime);
    return FAILED;
  });
  bench.conversations.send(id, 'and now', OWNER);
  await bench.turns.idle(id);
  expect(runs).toBe(2);

  runs = 0;
  bench.setPlay(async (_turn, runtime) => {
    runs += 1;
    for (let at = 0; at < 9; at += 1) step(runtime, 'on');
    failing(runtime);
    return FAILED;
  });
  bench.conversations.send(id, 'again', OWNER);
  await bench.turns.idle(id);
  expect(runs).toBe(1);
});

test('a conversation may name its own fallback or none; one that can not be used now is told with the failure', async () => {
  const { bench, id } = make();
  const models: string[] = [];
  bench.setPlay(async (turn, runtime) => {
    models.push(turn.model);
    if (turn.model === 'demo') failing(runtime);
    else step(runtime, 'fine');
    return { kind: 'finished' };
  });
  const go = async (): Promise<void> => {
    bench.conversations.send(id, 'go', OWNER);
    await bench.turns.idle(id);
  };
  const own = { provider: 'third', model: 'own' };
  expect(bench.conversations.change(id, { fallback: own }, OWNER).fallback).toEqual(own);
  await go();
  bench.conversations.change(id, { fallback: 'none' }, OWNER);
  await go();
  bench.conversations.change(id, { fallback: 'default' }, OWNER);
  await go();
  expect(models).toEqual(['demo', 'own', 'demo', 'demo', 'second']);

  expect(() => bench.conversations.change(id, { fallback: { provider: 'none', model: 'x' } }, OWNER)).toThrow(
    'There is no such provider.',
  );
  expect(() => bench.conversations.change(id, { model: own, fallback: own }, OWNER)).toThrow(
    'The fallback is the model itself.',
  );
  expect(bench.conversations.get(id)).toMatchObject({ model: null, fallback: 'default' });
  // Chosen when it could still be used.
  bench.database.run(
    "UPDATE conversations SET fallback = 'own', fallback_provider = 'none', fallback_model = 'x'",
  );
  await go();
  expect(bench.eventsOf(id).findLast(({ type }) => type === 'error')).toMatchObject({
    code: 'llm_upstream_failing',
    content: expect.stringContaining(
      'The fallback x (none) can not be used either: There is no such provider.',
    ),
  });
});

test('a stop during the switch ends the turn within a second, and the other model is never asked', async () => {
  const { bench, id } = make();
  const models: string[] = [];
  bench.setPlay(async (turn, runtime) => {
    models.push(turn.model);
    failing(runtime);
    return new Promise(() => undefined);
  });
  bench.conversations.send(id, 'go', OWNER);
  await until(() => models.length === 1);
  const began = performance.now();
  expect(bench.conversations.stop(id, OWNER)).toBe(1);
  await bench.turns.idle(id);
  expect(performance.now() - began).toBeLessThan(1_000);
  // Longer than the old run is waited for.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(models).toEqual(['demo']);
  expect(bench.eventsOf(id).at(-1)).toMatchObject({ type: 'done', status: 'stopped' });
});

test('a crash in the middle of the switch leaves an interrupted turn that can go on', async () => {
  const first = make({ tools: [testTool('act', async () => 'ran')] });
  const { id } = first;
  let hangs = false;
  first.bench.setPlay(async (turn, runtime) => {
    if (turn.model !== 'demo') {
      hangs = true;
      return new Promise(() => undefined);
    }
    step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
    failing(runtime);
    return FAILED;
  });
  first.bench.conversations.send(id, 'go', OWNER);
  await until(() => hangs);
  const second = createWorkbench({ directory: first.bench.afterCrash(), rules: RULES });
  benches.push(second);
  expect(second.recover().interruptedTurns).toBe(1);
  expect(second.eventsOf(id).at(-1)).toMatchObject({ status: 'interrupted', can_continue: true });
  let history: readonly HistoryMessage[] = [];
  second.setPlay(async (turn, runtime) => {
    history = turn.history;
    step(runtime, 'on');
    return { kind: 'finished' };
  });
  second.conversations.resume(id, OWNER);
  await second.turns.idle(id);
  expect(history.at(-1)).toMatchObject({ role: 'tool', results: [{ is_error: true }] });
  expect(second.eventsOf(id).at(-1)).toMatchObject({ status: 'done' });
});

test('a message that waits for its turn is told to the model in its own turn, after the answer before it', async () => {
  const { bench, id } = make();
  const told: (readonly HistoryMessage[])[] = [];
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  bench.setPlay(async (turn, runtime) => {
    told.push(turn.history);
    if (turn.model === 'demo' && told.length === 1) {
      await gate;
      // The history is read anew here: the message that waits must not be in it.
      failing(runtime);
      return FAILED;
    }
    step(runtime, `answer ${told.length}`);
    return { kind: 'finished' };
  });
  bench.conversations.send(id, 'one', OWNER);
  bench.conversations.send(id, 'two', OWNER);
  go();
  await bench.turns.idle(id);
  expect(told[1]).toEqual([{ role: 'user', text: 'one' }]);
  expect(told[2]).toMatchObject([
    { role: 'user', text: 'one' },
    { role: 'assistant', text: 'answer 2' },
    { role: 'user', text: 'two' },
  ]);
});

import { describe, expect, test } from 'vitest';
import type { HistoryMessage } from '../core/index.ts';
import { OWNER, step, testTool, until, type Workbench } from '../../test/fakes/workbench.ts';
import { workbenches } from '../../test/fakes/workbenches.ts';

const RULES = [
  { id: 'free', decision: 'allow', resources: ['free'], because: '' },
  { id: 'asks', decision: 'ask', resources: ['ask'], because: '' },
] as const;

const make = workbenches({ rules: RULES });

/** Answers each message with `re: ` and the message, and keeps what the model was told. */
function parrot(bench: Workbench): { readonly told: (readonly HistoryMessage[])[] } {
  const told: (readonly HistoryMessage[])[] = [];
  bench.setPlay(async (turn, runtime) => {
    told.push(turn.history);
    const last = turn.history.findLast((message) => message.role === 'user');
    step(runtime, `re: ${last?.role === 'user' ? last.text.slice(0, 40) : ''}`);
    return { kind: 'finished' };
  });
  return { told };
}

async function say(bench: Workbench, id: string, text: string): Promise<void> {
  bench.conversations.send(id, text, OWNER);
  await bench.turns.idle(id);
}

function lastMessage(bench: Workbench, id: string): string {
  const event = bench.eventsOf(id).findLast(({ type }) => type === 'user');
  return event?.type === 'user' ? event.message_id : '';
}

const audited = (bench: Workbench, event: string) => bench.audit.list({ event, limit: 10 });

describe('an edit of the last message', () => {
  test('leaves the old answer out of what the model is told, keeps it to be seen, and says so in the audit log', async () => {
    const bench = make();
    const { told } = parrot(bench);
    const { id } = bench.conversations.create(undefined, OWNER);
    await say(bench, id, 'one');
    await say(bench, id, 'tow');
    const messageId = lastMessage(bench, id);
    bench.conversations.edit(id, messageId, 'two s3cret-value', OWNER);
    await bench.turns.idle(id);
    expect(told.at(-1)).toEqual([
      { role: 'user', text: 'one' },
      { role: 'assistant', text: 're: one', calls: [] },
      { role: 'user', text: 'two [REDACTED:TEST]' },
    ]);
    const shown = bench.conversations.messages(id, 50);
    expect(shown.map(({ replaced, parts }) => [replaced ?? false, parts[0]])).toEqual([
      [false, { type: 'text', text: 'one' }],
      [false, { type: 'text', text: 're: one' }],
      [true, { type: 'text', text: 'tow' }],
      [true, { type: 'text', text: 're: tow' }],
      [false, { type: 'text', text: 'two [REDACTED:TEST]' }],
      [false, { type: 'text', text: 're: two [REDACTED:TEST]' }],
    ]);
    const [entry] = audited(bench, 'message.edited');
    expect(entry).toMatchObject({ target: id, actor: 'user:owner' });
    expect(JSON.parse(entry?.details ?? '')).toMatchObject({ message: messageId, replaced_turns: 1 });
  });

  test('does not undo what tools did, nor run it again, and counts it', async () => {
    let runs = 0;
    const bench = make({ tools: [testTool('act', async () => ((runs += 1), 'ran'))] });
    const { id } = bench.conversations.create(undefined, OWNER);
    bench.setPlay(async (_turn, runtime) => {
      const [call] = step(runtime, '', [{ name: 'act', args: { path: 'free/a' } }]);
      await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'free/a' } });
      return { kind: 'finished' };
    });
    await say(bench, id, 'act');
    const { told } = parrot(bench);
    bench.conversations.edit(id, lastMessage(bench, id), 'rather not', OWNER);
    await bench.turns.idle(id);
    expect(runs).toBe(1);
    expect(told).toEqual([[{ role: 'user', text: 'rather not' }]]);
    expect(bench.eventsOf(id).filter(({ type }) => type === 'tool_result')).toHaveLength(1);
    expect(JSON.parse(audited(bench, 'message.edited')[0]?.details ?? '')).toMatchObject({
      calls_that_stay_done: 1,
    });
  });

  test('withdraws a request for approval that outlived its turn, so that a late yes runs nothing', async () => {
    let runs = 0;
    const tools = [testTool('act', async () => ((runs += 1), 'ran'))];
    const first = make({ tools });
    const { id } = first.conversations.create(undefined, OWNER);
    first.setPlay(async (_turn, runtime) => {
      const [call] = step(runtime, '', [{ name: 'act', args: { path: 'ask/a' } }]);
      await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'ask/a' } });
      return { kind: 'finished' };
    });
    first.conversations.send(id, 'go', OWNER);
    await until(() => first.approvals.countPending() === 1);
    const request = first.approvals.list('pending', 1)[0]?.id ?? '';
    await first.turns.shutdown();
    await first.close();
    const second = make({ tools, directory: first.directory });
    second.recover();
    parrot(second);
    second.conversations.edit(id, lastMessage(second, id), 'stay', OWNER);
    await second.turns.idle(id);
    expect(() => second.approvals.decide(request, 'approve', OWNER, {})).toThrow(
      expect.objectContaining({ code: 'already_decided' }),
    );
    expect(runs).toBe(0);
    expect(second.calls.open()).toEqual([]);
  });

  test('is refused for an earlier message, a replaced one, a made-up one, and while a turn runs', async () => {
    const bench = make();
    parrot(bench);
    const { id } = bench.conversations.create(undefined, OWNER);
    await say(bench, id, 'one');
    const one = lastMessage(bench, id);
    await say(bench, id, 'two');
    const two = lastMessage(bench, id);
    bench.conversations.edit(id, two, 'two!', OWNER);
    await bench.turns.idle(id);
    for (const wrong of [one, two, 'msg_made_up']) {
      expect(() => bench.conversations.edit(id, wrong, 'x', OWNER)).toThrow(
        expect.objectContaining({ code: 'not_the_last_message' }),
      );
    }
    const now = lastMessage(bench, id);
    bench.setPlay(() => new Promise(() => undefined));
    bench.conversations.send(id, 'three', OWNER);
    expect(() => bench.conversations.edit(id, now, 'x', OWNER)).toThrow(
      expect.objectContaining({ code: 'turn_running' }),
    );
    bench.conversations.stop(id, OWNER);
    await bench.turns.idle(id);
    bench.conversations.edit(id, lastMessage(bench, id), 'three!', OWNER);
    bench.conversations.stop(id, OWNER);
    await bench.turns.idle(id);
    expect(audited(bench, 'message.edited')).toHaveLength(2);
  });

  test('takes the turns with it that went on from the message', async () => {
    const bench = make();
    const { id } = bench.conversations.create(undefined, OWNER);
    bench.setPlay(async () => ({ kind: 'failed', code: 'x', message: 'no' }));
    await say(bench, id, 'one');
    bench.setPlay(async (_turn, runtime) => (step(runtime, 'late answer'), { kind: 'finished' }));
    bench.conversations.resume(id, OWNER);
    await bench.turns.idle(id);
    const { told } = parrot(bench);
    bench.conversations.edit(id, lastMessage(bench, id), 'uno', OWNER);
    await bench.turns.idle(id);
    expect(told.at(-1)).toEqual([{ role: 'user', text: 'uno' }]);
  });
});

describe('a title', () => {
  test('follows the first message, also when that is edited, until its owner gives one', async () => {
    const bench = make();
    parrot(bench);
    const { id } = bench.conversations.create(undefined, OWNER);
    await say(bench, id, 'First words');
    bench.conversations.edit(id, lastMessage(bench, id), 'Better words', OWNER);
    await bench.turns.idle(id);
    expect(bench.conversations.get(id).title).toBe('Better words');
    expect(bench.conversations.change(id, { title: ' My \n s3cret-value ' }, OWNER).title).toBe(
      'My [REDACTED:TEST]',
    );
    bench.conversations.edit(id, lastMessage(bench, id), 'Best words', OWNER);
    await bench.turns.idle(id);
    expect(bench.conversations.get(id).title).toBe('My [REDACTED:TEST]');
    expect(audited(bench, 'conversation.renamed')).toMatchObject([{ target: id, details: '{}' }]);
  });

  test('that was given when the conversation was made, or before its first message, stays', async () => {
    const bench = make();
    parrot(bench);
    const given = bench.conversations.create('Given', OWNER);
    const renamed = bench.conversations.create(undefined, OWNER);
    bench.conversations.change(renamed.id, { title: 'New conversation' }, OWNER);
    await say(bench, given.id, 'hello');
    await say(bench, renamed.id, 'hello');
    expect(bench.conversations.get(given.id).title).toBe('Given');
    expect(bench.conversations.get(renamed.id).title).toBe('New conversation');
    expect(() => bench.conversations.change(given.id, { title: '\u200b' }, OWNER)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});

test('a model of its own is used for new turns, refused when it can not be had, and given back', async () => {
  const bench = make();
  parrot(bench);
  const { id } = bench.conversations.create(undefined, OWNER);
  expect(bench.conversations.get(id).model).toBeNull();
  const choice = { provider: 'openai', model: 'gpt-x' };
  expect(bench.conversations.change(id, { model: choice }, OWNER).model).toEqual(choice);
  await say(bench, id, 'hi');
  expect(bench.eventsOf(id).find(({ type }) => type === 'started')).toMatchObject(choice);
  expect(() =>
    bench.conversations.change(id, { title: 'x', model: { provider: 'none', model: 'm' } }, OWNER),
  ).toThrow(expect.objectContaining({ code: 'not_found' }));
  expect(bench.conversations.get(id)).toMatchObject({ model: choice, title: 'hi' });
  bench.conversations.change(id, { model: null }, OWNER);
  await say(bench, id, 'again');
  expect(bench.eventsOf(id).findLast(({ type }) => type === 'started')).toMatchObject({ model: 'demo' });
  expect(
    audited(bench, 'conversation.model_changed').map(({ details }) => JSON.parse(details) as unknown),
  ).toEqual([{ model: 'default' }, choice]);
});

test('the usage of a turn tells what the last call took of the context', async () => {
  const bench = make();
  const { id } = bench.conversations.create(undefined, OWNER);
  bench.setPlay(async (_turn, runtime) => (step(runtime, 'a'), step(runtime, 'b'), { kind: 'finished' }));
  await say(bench, id, 'hi');
  expect(bench.eventsOf(id).find(({ type }) => type === 'usage')).toMatchObject({
    input_tokens: 20,
    context_tokens: 15,
  });
});

test('a long conversation is trimmed for the model, and the transcript says so once until the cut moves', async () => {
  const bench = make({ historyLimits: { chars: 6_000, messages: 100 } });
  const { told } = parrot(bench);
  const { id } = bench.conversations.create(undefined, OWNER);
  for (let i = 0; i < 8; i += 1) await say(bench, id, `message ${i} ${'x'.repeat(1_000)}`);
  const trims = bench.eventsOf(id).filter(({ type }) => type === 'trimmed');
  expect(trims).toHaveLength(1);
  const last = told.at(-1) ?? [];
  expect(last[0]).toMatchObject({ role: 'user', text: expect.stringContaining('earlier messages') });
  expect(last[0]).toMatchObject({ text: expect.stringContaining('message 0') });
  expect(last.at(-1)).toMatchObject({ text: expect.stringContaining('message 7') });
  expect(trims).toMatchObject([{ left_out: 15 - (last.length - 1) }]);
  // Nothing of it is gone.
  expect(bench.conversations.messages(id, 50)).toHaveLength(16);
});

describe('a search', () => {
  test('finds words in titles and messages, in any case and script, and shows where', async () => {
    const bench = make();
    parrot(bench);
    const ids: Record<string, string> = {};
    for (const text of ['Über den Bäcker', '100% of "a\\b"', 'plain words here', 'content and type']) {
      const { id } = bench.conversations.create(undefined, OWNER);
      ids[text] = id;
      await say(bench, id, text);
    }
    bench.conversations.change(ids['plain words here'] ?? '', { title: 'Ärger' }, OWNER);
    const find = (query: string) => bench.conversations.search(query).map(({ id }) => id);
    expect(find('über BÄCKER')).toEqual([ids['Über den Bäcker']]);
    expect(find('bucker')).toEqual([]);
    expect(find('b%ker')).toEqual([]);
    expect(find('100%')).toEqual([ids['100% of "a\\b"']]);
    expect(find('"A\\B"')).toEqual([ids['100% of "a\\b"']]);
    expect(find('ärger')).toEqual([ids['plain words here']]);
    expect(find('words plain')).toEqual([ids['plain words here']]);
    expect(find('message_id')).toEqual([]);
    expect(find('part_id')).toEqual([]);
    expect(find('type')).toEqual([ids['content and type']]);
    expect(bench.conversations.search('den')[0]?.found).toEqual({
      role: 'assistant',
      snippet: 're: Über den Bäcker',
    });
    expect(bench.conversations.search('ärger')[0]?.found).toBeNull();
    expect(find(' ')).toHaveLength(4);
  });

  test('does not find what was deleted', async () => {
    const bench = make();
    parrot(bench);
    const { id } = bench.conversations.create(undefined, OWNER);
    await say(bench, id, 'needle');
    await bench.conversations.delete(id, OWNER);
    expect(bench.conversations.search('needle')).toEqual([]);
  });
});

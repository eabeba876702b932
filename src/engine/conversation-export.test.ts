/** An export is read in pieces while the conversation goes on: what it holds, and what it costs others. */
import { describe, expect, test } from 'vitest';
import { OWNER, step, testTool, until, type Workbench } from '../../test/fakes/workbench.ts';
import { workbenches } from '../../test/fakes/workbenches.ts';
import type { ExportFormat } from './conversation-export.ts';

const make = workbenches({
  rules: [{ id: 'free', decision: 'allow', resources: ['free'], because: '' }],
});

async function say(bench: Workbench, id: string, text: string): Promise<void> {
  bench.conversations.send(id, text, OWNER);
  await bench.turns.idle(id);
}

async function textOf(body: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of body) text += piece;
  return text;
}

async function exported(
  bench: Workbench,
  id: string,
  format: ExportFormat,
): Promise<{ readonly name: string; readonly text: string }> {
  const { name, body } = bench.conversations.export(id, format, OWNER);
  return { name, text: await textOf(body) };
}

/** Turns with a call and a large result each; every second one is asked for while the one before it runs. */
function fill(bench: Workbench, id: string, turns: number): void {
  bench.database.tx(() => {
    for (let i = 0; i < turns; i += 2) {
      for (const turn of [i, i + 1]) user(bench, id, turn);
      for (const turn of [i, i + 1]) rest(bench, id, turn);
    }
  });
}

function user(bench: Workbench, id: string, turn: number): void {
  bench.events.append(id, `t${turn}`, { type: 'user', message_id: `m${turn}`, content: `question ${turn}` });
}

function rest(bench: Workbench, id: string, turn: number): void {
  const name = `t${turn}`;
  for (const call of ['a', 'b'])
    bench.events.append(id, name, { type: 'tool_call', id: call, name: 'act', arguments: { turn, call } });
  for (const call of ['b', 'a'])
    bench.events.append(id, name, {
      type: 'tool_result',
      id: call,
      outcome: 'done',
      result: `result ${turn} ${call} ${'x'.repeat(4_000)}`,
      is_error: false,
      redactions: {},
      duration_ms: 1,
    });
  bench.events.append(id, name, { type: 'done', status: 'done', can_retry: false, can_continue: false });
}

describe('an export', () => {
  test('has everything of the conversation, hides secrets once more, and is in the audit log', async () => {
    const bench = make({ tools: [testTool('act', async () => 'a ```` fence\n```\nout')] });
    const { id } = bench.conversations.create('Trip', OWNER);
    bench.setPlay(async (_turn, runtime) => {
      const [call] = step(runtime, 'I will act.', [{ name: 'act', args: { path: 'free/a' } }]);
      await runtime.callTool({ callId: call, name: 'act', arguments: { path: 'free/a' } });
      step(runtime, 'Done.');
      return { kind: 'finished' };
    });
    await say(bench, id, 'Please act');
    // A secret that was not known yet when this was said.
    bench.events.append(id, null, { type: 'user', message_id: 'm', content: 'it is s3cret-value' });
    const markdown = await exported(bench, id, 'markdown');
    expect(markdown.name).toBe(`${id}.md`);
    expect(markdown.text).toMatch(
      /^# Trip\n.*## You\n.*Please act.*## Assistant\n.*I will act\..*Tool `act`: done.*Done\./s,
    );
    expect(markdown.text).toContain('`````\na ```` fence\n```\nout\n`````');
    expect(markdown.text).toContain('it is [REDACTED:TEST]');
    const json = await exported(bench, id, 'json');
    expect(json.text).not.toContain('s3cret-value');
    expect(JSON.parse(json.text)).toMatchObject({
      format: 'openpact.conversation',
      id,
      title: 'Trip',
      events: expect.arrayContaining(bench.eventsOf(id).slice(0, 8)),
    });
    expect(
      bench.auditStore
        .list({ event: 'conversation.exported', limit: 5 })
        .map(({ details }) => JSON.parse(details) as unknown),
    ).toEqual([
      { events: 9, format: 'json' },
      { events: 9, format: 'markdown' },
    ]);
  });

  test('says which part was replaced by an edit', async () => {
    const bench = make();
    bench.setPlay(async (_turn, runtime) => {
      step(runtime, 'an answer');
      return { kind: 'finished' };
    });
    const { id } = bench.conversations.create(undefined, OWNER);
    await say(bench, id, 'tow');
    const first = bench.eventsOf(id).find((event) => event.type === 'user');
    bench.conversations.edit(id, first?.type === 'user' ? first.message_id : '', 'two', OWNER);
    await bench.turns.idle(id);
    const { text } = await exported(bench, id, 'markdown');
    expect(text).toMatch(/## You, replaced by an edit\n.*tow.*## You\n.*two/s);
  });

  test('keeps each turn together and each result under its call', async () => {
    const bench = make();
    const { id } = bench.conversations.create(undefined, OWNER);
    fill(bench, id, 4);
    const { text } = await exported(bench, id, 'markdown');
    const order = [...text.matchAll(/question \d|"turn": \d,\n {2}"call": "\w"|result \d \w/g)].map(
      ([found]) => found.replaceAll(/\D*(\d)\D+"(\w)"$/gs, 'call $1 $2'),
    );
    expect(order).toEqual(
      [0, 1, 2, 3].flatMap((turn) => [
        `question ${turn}`,
        ...['a', 'b'].flatMap((call) => [`call ${turn} ${call}`, `result ${turn} ${call}`]),
      ]),
    );
    const { text: json } = await exported(bench, id, 'json');
    expect(JSON.parse(json)).toMatchObject({ events: bench.eventsOf(id) });
    expect(json).toBe(`${JSON.stringify(JSON.parse(json), null, 2)}\n`);
  });

  test('of nothing is whole too', async () => {
    const bench = make();
    const { id } = bench.conversations.create(undefined, OWNER);
    const { text } = await exported(bench, id, 'json');
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
    expect(JSON.parse(text)).toMatchObject({ events: [], replaced_turns: [] });
    expect((await exported(bench, id, 'markdown')).text).toMatch(/^# .+\n\n.+\n$/);
  });

  test.for(['json', 'markdown'] as const)(
    'as %s holds what stood there when it was asked for, whatever comes while it is read',
    async (format) => {
      const bench = make();
      const { id } = bench.conversations.create(undefined, OWNER);
      let go: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (go = resolve));
      bench.setPlay(async (_turn, runtime) => {
        runtime.beginStep();
        runtime.text(1, 'text', 'stored so far.');
        bench.events.flush(id);
        runtime.text(1, 'thinking', 'live so far.');
        await gate;
        runtime.partEnd(1, 'text', 'stored so far. And later.');
        return { kind: 'finished' };
      });
      bench.conversations.send(id, 'Hi', OWNER);
      await until(() => bench.eventsOf(id).some((event) => event.type === 'thinking'));
      const { body } = bench.conversations.export(id, format, OWNER);
      const stood = bench.eventsOf(id);
      go();
      await bench.turns.idle(id);
      await say(bench, id, 'One more');
      const text = await textOf(body);
      expect(text).toContain('stored so far.');
      expect(text).not.toMatch(/And later|One more/);
      if (format === 'json') expect(JSON.parse(text)).toMatchObject({ events: stood });
      expect((await exported(bench, id, format)).text).toMatch(/And later[^]*One more/);
    },
  );

  test('of a conversation that is deleted meanwhile breaks off instead of looking whole', async () => {
    const bench = make();
    const { id } = bench.conversations.create(undefined, OWNER);
    fill(bench, id, 40);
    const { body } = bench.conversations.export(id, 'json', OWNER);
    const pieces = body[Symbol.asyncIterator]();
    expect(await pieces.next()).toMatchObject({ done: false });
    await bench.conversations.delete(id, OWNER);
    await expect(textOf({ [Symbol.asyncIterator]: () => pieces })).rejects.toThrow('deleted while');
  });

  test('reads no further than its reader does', async () => {
    const bench = make();
    const { id } = bench.conversations.create(undefined, OWNER);
    fill(bench, id, 200);
    const { get } = bench.database;
    let reads = 0;
    bench.database.get = (sql, values) => {
      reads += 1;
      return get(sql, values);
    };
    const pieces = bench.conversations.export(id, 'json', OWNER).body[Symbol.asyncIterator]();
    await pieces.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(reads).toBeLessThan(100);
    const before = reads;
    expect(await pieces.return?.()).toMatchObject({ done: true });
    expect(reads).toBe(before);
  });

  test.for(['json', 'markdown'] as const)('as %s lets others run all the time', async (format) => {
    const bench = make();
    const { id } = bench.conversations.create(undefined, OWNER);
    fill(bench, id, 1_000);
    const { body } = bench.conversations.export(id, format, OWNER);
    // In time of the processor: what else the machine does is not counted.
    const spent = (): number => Object.values(process.cpuUsage()).reduce((sum, part) => sum + part, 0);
    const began = spent();
    let [last, longest, over] = [began, 0, false];
    const tick = (): void => {
      const now = spent();
      longest = Math.max(longest, now - last);
      last = now;
      if (!over) setImmediate(tick);
    };
    setImmediate(tick);
    let length = 0;
    for await (const piece of body) length += piece.length;
    over = true;
    tick();
    expect(length).toBeGreaterThan(8_000_000);
    expect(longest / (spent() - began)).toBeLessThan(0.2);
  });
});

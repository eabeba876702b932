/** A hundred conversations at once with a model that misbehaves in every way that we know, in the running program. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ChatServerEvent, Conversation } from '../../src/edge/admin/api.ts';
import type { FakeAnswer } from '../fakes/openai-server.ts';
import { auditVerdict } from '../support/audit-verify.ts';
import { descendants, isAlive, memoryOf } from '../support/processes.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const CONVERSATIONS = 100;
const AT_ONCE = 6;
/** Sockets that this test opens at once; a user may have 32. */
const SOCKETS = 20;

const read = { name: 'memory_read', arguments: {} };
/** What the model does, by the first word of the message. `null`: never an answer. */
const KINDS: Readonly<Record<string, { readonly play: (step: number) => FakeAnswer; readonly end: RegExp }>> =
  {
    good: { play: () => ({ text: ['All ', 'is ', 'well.'], chunkDelayMs: 2 }), end: /^done$/ },
    works: { play: (step) => (step === 0 ? { calls: [read] } : { text: 'I have read it.' }), end: /^done$/ },
    hangs: { play: () => ({ fault: 'hang_before_headers' }), end: /^stopped$/ },
    stalls: { play: () => ({ text: 'Well', fault: 'hang_mid_stream' }), end: /^stopped$/ },
    cuts: { play: () => ({ text: 'Hm.', calls: [read], fault: 'cut' }), end: /^failed$/ },
    breaks: { play: () => ({ text: 'Hm.', fault: 'end_early' }), end: /^failed$/ },
    page: { play: () => ({ fault: 'html' }), end: /^failed$/ },
    garbage: { play: () => ({ text: 'Hm.', fault: 'garbage_event' }), end: /^failed$/ },
    endless: { play: () => ({ fault: 'endless' }), end: /^failed$/ },
    line: { play: () => ({ fault: 'huge_line' }), end: /^failed$/ },
    enormous: {
      play: () => ({ calls: [{ name: 'memory_write', arguments: { content: 'x'.repeat(2_000_000) } }] }),
      end: /^failed$/,
    },
    busy: { play: () => ({ status: 429, headers: { 'retry-after': '3600' } }), end: /^failed$/ },
    fails: { play: () => ({ status: 500 }), end: /^failed$/ },
    loops: { play: () => ({ calls: [read] }), end: /^failed$/ },
    names: {
      play: (step) =>
        step === 0
          ? {
              calls: [
                { ...read, id: '' },
                { ...read, id: 'call_same' },
                { ...read, id: 'call_same' },
                { ...read, id: '__proto__' },
                { ...read, id: 'x'.repeat(5_000) },
                { name: 'x'.repeat(300), arguments: {} },
              ],
            }
          : { text: 'So.' },
      end: /^(done|failed)$/,
    },
  };
/** Half of them are honest, so that somebody could be hurt by the others. */
const PLAN = Array.from({ length: CONVERSATIONS }, (_, i) => {
  const bad = Object.keys(KINDS).slice(2);
  return i % 2 === 0 ? (i % 4 === 0 ? 'good' : 'works') : (bad[(i >> 1) % bad.length] ?? 'good');
});

function answer(request: { readonly body: unknown }): FakeAnswer {
  const { messages } = request.body as { messages: { role: string; content: string }[] };
  const asked = messages.findLastIndex((message) => message.role === 'user');
  const kind = messages[asked]?.content.split(' ', 1)[0] ?? '';
  return KINDS[kind]?.play(messages.length - 1 - asked) ?? { text: 'ok' };
}

async function inBatches<T>(all: readonly T[], act: (one: T, index: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += SOCKETS) {
    await Promise.all(all.slice(i, i + SOCKETS).map((one, j) => act(one, i + j)));
  }
}

async function states(program: RunningProgram): Promise<Map<string, string | null>> {
  const { body } = await program.api<readonly Conversation[]>('GET', '/api/sessions');
  return new Map(body.map(({ id, status }) => [id, status]));
}

test('a hundred conversations with a misbehaving model: each turn ends as it should, stops are prompt, honest ones finish, nothing is left behind', async () => {
  const { program } = await startWithModel(
    { otherwise: answer },
    {
      config: [
        'server: {rate_limit: {rate: 10000, burst: 100000}}',
        `engine: {max_turns_at_once: ${AT_ONCE}, max_steps: 6}`,
        'budget: {per_day_tokens: 1000000000000, per_day_usd: 1000000}',
      ].join('\n'),
    },
  );
  // Warm: what the program needs for any turn is there before it is measured.
  await program.say('good to begin with');
  const before = memoryOf(program.pid);
  let most = before;
  let mostAtOnce = 0;
  let processes = 0;

  const ids: string[] = [];
  while (ids.length < CONVERSATIONS) ids.push(await program.newConversation());
  await inBatches(ids, async (id, index) => {
    const chat = await program.chat(id);
    chat.send({ type: 'message', content: `${PLAN[index] ?? ''} ${index}` });
    // Taken: from here on it must come to an end, whatever the others do.
    await chat.until((event) => event.type === 'user');
    chat.close();
  });

  // What hangs is stopped by the owner once it runs, while others run; the last ones while they wait in the queue.
  const stops: number[] = [];
  let stoppedInQueue = 0;
  const stopped = new Set<string>();
  const isOver = (status: string | null | undefined): boolean =>
    !['queued', 'running', 'waiting'].includes(status ?? 'queued');
  for (let open = CONVERSATIONS; open > 0;) {
    const now = await states(program);
    open = ids.filter((id) => !isOver(now.get(id))).length;
    mostAtOnce = Math.max(mostAtOnce, [...now.values()].filter((status) => status === 'running').length);
    processes = Math.max(processes, descendants(program.pid).length);
    most = Math.max(most, memoryOf(program.pid));
    for (const [index, id] of ids.entries()) {
      const hangs = ['hangs', 'stalls'].includes(PLAN[index] ?? '');
      const queued = now.get(id) === 'queued' && index > CONVERSATIONS - 20;
      if (!hangs || stopped.has(id) || !(queued || now.get(id) === 'running')) continue;
      stopped.add(id);
      if (queued) stoppedInQueue += 1;
      const chat = await program.chat(id);
      const at = performance.now();
      const { status } = await program.api('POST', `/api/sessions/${id}/abort`, {});
      expect(status).toBe(200);
      await chat.until((event) => event.type === 'done', 10_000);
      stops.push(performance.now() - at);
      chat.close();
    }
    await new Promise((wait) => setTimeout(wait, 50));
  }

  // Each ended once, in the state that its model deserves, and a failure has a reason.
  const wrong: string[] = [];
  await inBatches(ids, async (id, index) => {
    const kind = PLAN[index] ?? '';
    const chat = await program.chat(id);
    await chat.until((event) => event.type === 'done');
    const ends = chat.events.flatMap((event) => (event.type === 'done' ? [event.status] : []));
    const reasons = chat.events.flatMap((event) => (event.type === 'error' ? [event.code] : []));
    const sound = ends.length === 1 && KINDS[kind]?.end.test(ends[0] ?? '') === true;
    const explained = ends[0] !== 'failed' || (reasons.length === 1 && reasons[0] !== 'internal_error');
    const whole = kind !== 'good' || textOf(chat.events) === 'All is well.';
    if (!sound || !explained || !whole) wrong.push(`${kind} ${index}: ${ends.join()} ${reasons.join()}`);
    chat.close();
  });
  expect(wrong).toEqual([]);
  expect(mostAtOnce).toBeLessThanOrEqual(AT_ONCE);
  expect(mostAtOnce).toBeGreaterThan(1);
  expect(stops.length).toBe(PLAN.filter((kind) => ['hangs', 'stalls'].includes(kind)).length);
  expect(stoppedInQueue).toBeGreaterThan(0);
  expect(Math.max(...stops), 'a stop does not wait for others').toBeLessThan(5_000);

  // One process each for those that run, one in reserve, and the file child, however many misbehaved.
  expect(processes).toBeLessThanOrEqual(AT_ONCE + 2);
  expect(most / before, 'memory does not grow with what a model sends').toBeLessThan(3);

  const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), {
    readOnly: true,
  });
  const count = (sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0];
  expect(count('SELECT count(*) FROM turns WHERE ended_at IS NULL')).toBe(0);
  expect(count("SELECT count(*) FROM budget_calls WHERE state = 'open'")).toBe(0);
  expect(count("SELECT count(*) FROM tool_calls WHERE status IN ('seen', 'running', 'asking')")).toBe(0);
  expect(count("SELECT count(*) FROM approvals WHERE status = 'pending'")).toBe(0);
  database.close();

  const last = await program.say('good at the end');
  expect(last.events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
  expect(program.log()).not.toMatch(/unexpected error|failed unexpectedly|error of its own/);
  expect(auditVerdict(program.workspace)).toMatchObject({ ok: true });
  const children = descendants(program.pid);
  expect(children.length).toBeGreaterThan(0);
  await program.stop();
  expect(children.filter((pid) => isAlive(pid))).toEqual([]);
}, 180_000);

function textOf(events: readonly ChatServerEvent[]): string {
  const parts = new Map<string, string>();
  for (const event of events) if (event.type === 'text') parts.set(event.part_id, event.content);
  return [...parts.values()].join('');
}

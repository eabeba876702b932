/** A model that wants to do harm, against the running program. */
import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChatServerEvent } from '../../src/edge/admin/api.ts';
import { MODEL_KEY, startWithModel } from '../support/with-fake-model.ts';

const CANARY = 'canary-7f3a-of-the-owner';
const results = (events: readonly ChatServerEvent[]) =>
  events.flatMap((event) => (event.type === 'tool_result' ? [event] : []));
const last = (events: readonly ChatServerEvent[]) => events.at(-1);
const problems = (events: readonly ChatServerEvent[]) =>
  events.flatMap((event) => (event.type === 'error' ? [event.code] : []));

/** Asks for one file, then answers. */
const asksFor = (path: string) => ({
  answers: [{ calls: [{ name: 'workspace_read', arguments: { path } }] }, { text: 'There.' }],
});

async function readAs(off: readonly string[], path: string): Promise<string> {
  const { program } = await startWithModel(asksFor(path), { off });
  const data = join(program.workspace, 'secure', 'data');
  writeFileSync(join(data, 'note.txt'), CANARY, { mode: 0o600 });
  // As the rest of secure/: started as root, OpenPact is another user.
  const { uid, gid } = statSync(data);
  chownSync(join(data, 'note.txt'), uid, gid);
  const { events } = await program.say('go');
  return JSON.stringify(results(events));
}

test('reading out of ai-data is refused by the path rule of the tool, without it by the jail, without both by the fence of the file child; without all three it succeeds', async () => {
  const path = '../secure/data/note.txt';
  const outcomes: string[] = [];
  for (const off of [[], ['tool-paths'], ['tool-paths', 'jail'], ['tool-paths', 'jail', 'fences']])
    outcomes.push(await readAs(off, path));
  const [all, noRule, noJail, nothing] = outcomes;
  expect(all).toContain('invalid-arguments');
  expect(noRule).toMatch(/"is_error":true/);
  expect(noJail).toMatch(/"is_error":true/);
  for (const outcome of [all, noRule, noJail]) expect(outcome).not.toContain(CANARY);
  expect(nothing).toContain(CANARY);
});

test('changing who the assistant is, is denied by the policy; without the policy nothing else stops it', async () => {
  const model = {
    answers: [
      { calls: [{ name: 'memory_write', arguments: { file: 'SOUL.md', content: 'I obey the web page.' } }] },
      { text: 'Done.' },
    ],
  };
  const kept = await startWithModel(model);
  const first = await kept.program.say('go');
  expect(results(first.events)).toMatchObject([{ outcome: 'denied', rule: 'identity-is-the-owners' }]);
  const open = await startWithModel(model, { off: ['policy'] });
  const second = await open.program.say('go');
  expect(results(second.events)).toMatchObject([{ outcome: 'done' }]);
});

test('a write that nobody approved does not happen; without the policy it does', async () => {
  const model = {
    answers: [
      { calls: [{ name: 'workspace_write', arguments: { path: 'notes.md', content: 'x' } }] },
      { text: 'Done.' },
    ],
  };
  const { program } = await startWithModel(model);
  const id = await program.newConversation();
  const chat = await program.chat(id);
  chat.send({ type: 'message', content: 'go' });
  const request = await program.waitForApproval();
  await program.api('POST', `/api/approvals/${request.id}/deny`, { reason: 'no' });
  await chat.until((event) => event.type === 'done');
  expect(results(chat.events)).toMatchObject([{ outcome: 'denied' }]);
  const open = await startWithModel(model, { off: ['policy'] });
  expect(results((await open.program.say('go')).events)).toMatchObject([{ outcome: 'done' }]);
});

test('an unknown tool, a foreign name and broken arguments end in an explained refusal, and the turn goes on', async () => {
  const { program } = await startWithModel({
    answers: [
      {
        calls: [
          { name: 'shell', arguments: { command: 'id' } },
          { name: '__proto__', arguments: {} },
          { name: 'workspace_read', arguments: '{"path": "SOUL.md"' },
          { name: 'workspace_read', arguments: { path: 'SOUL.md', extra: 1 } },
          { name: 'workspace_read', arguments: [1, 2] },
        ],
      },
      { text: 'I see.' },
    ],
  });
  const { events } = await program.say('go');
  expect(results(events).map((event) => event.outcome)).toEqual([
    'refused',
    'refused',
    'refused',
    'refused',
    'refused',
  ]);
  expect(last(events)).toMatchObject({ type: 'done', status: 'done' });
});

test('a model that never gives arguments that can be read is stopped after three answers in a row', async () => {
  const { program, model } = await startWithModel({
    otherwise: { calls: [{ name: 'workspace_read', arguments: 'not json' }] },
  });
  const { events } = await program.say('go');
  expect(problems(events)).toEqual(['llm_bad_arguments']);
  expect(model.requests.length).toBeLessThanOrEqual(4);
});

test('a thousand calls in a turn are cut off', async () => {
  const { program } = await startWithModel({
    otherwise: {
      calls: Array.from({ length: 50 }, (_, i) => ({
        name: 'workspace_list',
        arguments: { path: i % 2 === 0 ? '.' : 'memory' },
      })),
    },
  });
  const { events } = await program.say('go');
  const ran = results(events).filter((event) => event.outcome === 'done').length;
  expect(ran).toBeGreaterThan(0);
  expect(ran).toBeLessThanOrEqual(100);
  expect(last(events)).toMatchObject({ type: 'done', status: 'failed' });
});

test('whatever an upstream does, the turn ends with an explanation, nothing runs, and the program goes on', async () => {
  const { program, model } = await startWithModel({ otherwise: { text: 'fine' } });
  for (const fault of [
    'huge',
    'huge_line',
    'endless',
    'cut',
    'end_early',
    'html',
    'garbage_event',
    'error_event',
    'gzip',
    'redirect',
  ] as const) {
    model.next({
      text: 'Hm.',
      calls: [{ name: 'memory_write', arguments: { content: 'x' } }],
      fault,
      location: 'http://127.0.0.1:1/',
    });
    const { events } = await program.say(fault);
    expect(problems(events), fault).toHaveLength(1);
    expect(problems(events)[0], fault).toMatch(/^llm_/);
    expect(results(events), fault).toEqual([]);
    expect(last(events), fault).toMatchObject({ type: 'done', status: 'failed', can_retry: true });
    const again = await program.say('still there?');
    expect(last(again.events), fault).toMatchObject({ type: 'done', status: 'done' });
  }
}, 60_000);

test('a model that fills a turn until no request can hold it ends in an explanation; the conversation and others go on', async () => {
  const pieces = Array.from({ length: 14 }, () => '\n"'.repeat(100_000));
  const { program } = await startWithModel(
    {
      answers: [{ text: pieces, calls: [{ name: 'memory_read', arguments: {} }] }],
      otherwise: { text: 'fine' },
    },
    // Wide enough that the size of the conversation is what ends it, and not its budget.
    {
      config:
        'budget: {max_output_tokens: 200000, per_turn_tokens: 100000000, per_conversation_tokens: 100000000, per_day_tokens: 100000000, fallback_input_usd: 0, fallback_output_usd: 0}',
    },
  );
  const { id } = await program.say('fill it');
  const chat = await program.chat(id);
  const ends = () => chat.events.filter((event) => event.type === 'done').length;
  await chat.until(() => ends() === 1, 60_000);
  expect(problems(chat.events).at(-1)).toBe('context_too_long');
  // The next turn leaves out what is too long, and says so.
  chat.send({ type: 'message', content: 'still there?' });
  await chat.until(() => ends() === 2, 60_000);
  expect(last(chat.events)).toMatchObject({ type: 'done', status: 'done' });
  expect(chat.events.some((event) => event.type === 'trimmed')).toBe(true);
  const other = await program.say('hello');
  expect(last(other.events)).toMatchObject({ type: 'done', status: 'done' });
  const status = await program.api<{ engine: { state: string } }>('GET', '/api/system/status');
  expect(status.body.engine.state).toBe('ready');
}, 120_000);

test('a secret that the model repeats or that stands in a file is hidden everywhere; without redaction it shows', async () => {
  const key = MODEL_KEY;
  const model = {
    answers: [
      {
        text: `The key is ${key.slice(0, 9)}`,
        calls: [{ name: 'memory_write', arguments: { content: key } }],
      },
      { text: ['So: ', ...(key.match(/.{1,5}/g) ?? []), '.'] },
    ],
  };
  const { program } = await startWithModel(model);
  const { id, events } = await program.say('go');
  const everything =
    JSON.stringify([
      events,
      (await program.api('GET', `/api/sessions/${id}/messages`)).body,
      (await program.api('GET', '/api/audit?limit=500')).body,
    ]) + program.log();
  const misplaced = await program.api('PUT', '/api/models/default', {
    provider: 'openai-compatible',
    model: key,
  });
  expect(misplaced.status).toBe(400);
  expect(JSON.stringify(misplaced.body)).not.toContain(key);
  expect(everything).not.toContain(key);
  expect(everything).toContain('[REDACTED:');
  const open = await startWithModel(model, { off: ['redaction'] });
  expect(JSON.stringify((await open.program.say('go')).events)).toContain(key);
});

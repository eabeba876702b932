/** Conversations through the front door of the running program: what the API and the socket do, and what the model gets. */
import { afterEach, expect, test } from 'vitest';
import type { AuditList, ChatMessage, Conversation } from '../../src/edge/admin/api.ts';
import { MODEL_KEY, start, startWithModel } from '../support/with-fake-model.ts';
import type { Chat, RunningProgram } from '../support/running-program.ts';

const chats: Chat[] = [];
afterEach(() => {
  for (const chat of chats.splice(0)) chat.close();
});

async function open(program: RunningProgram, id: string): Promise<Chat> {
  const chat = await program.chat(id);
  chats.push(chat);
  return chat;
}

/** Sends something that makes a turn, and waits for its end. */
async function turn(chat: Chat, message: unknown): Promise<void> {
  const dones = () => chat.events.filter(({ type }) => type === 'done').length;
  const before = dones();
  chat.send(message);
  await chat.until(() => dones() > before, 60_000);
}

const say = (chat: Chat, content: string) => turn(chat, { type: 'message', content });

async function audited(program: RunningProgram, event: string): Promise<readonly string[]> {
  const { body } = await program.api<AuditList>('GET', `/api/audit?event=${event}&limit=50`);
  return body.entries.map((entry) => `${entry.event} ${entry.actor} ${entry.target}`);
}

const lastMessage = (chat: Chat): string => {
  const event = chat.events.findLast(({ type }) => type === 'user');
  return event?.type === 'user' ? event.message_id : '';
};

/** What was said to the model, without the system prompt. */
const texts = (body: { messages: { role: string; content: string }[] }): string[] =>
  body.messages.filter(({ role }) => role !== 'system').map(({ role, content }) => `${role}: ${content}`);

test('a title follows the first message until it is renamed; the new one is found, listed and in the audit log', async () => {
  const program = await start();
  const id = await program.newConversation();
  const chat = await open(program, id);
  await say(chat, 'hello there');
  const path = `/api/sessions/${id}`;
  expect((await program.api<Conversation>('GET', path)).body.title).toBe('hello there');
  const renamed = await program.api<Conversation>('PUT', path, { title: 'Garden plans' });
  expect(renamed).toMatchObject({ status: 200, body: { id, title: 'Garden plans', model: null } });
  await say(chat, 'more words');
  expect((await program.api<Conversation>('GET', path)).body.title).toBe('Garden plans');
  expect(await audited(program, 'conversation.renamed')).toEqual([`conversation.renamed user:owner ${id}`]);
  for (const [body, status] of [
    [{}, 400],
    [{ title: '' }, 400],
    [{ title: 'x', seq_ceiling: 1 }, 400],
    [{ title: 'x'.repeat(201) }, 400],
  ] as const) {
    expect((await program.api('PUT', path, body)).status, JSON.stringify(body)).toBe(status);
  }
  expect((await program.api('PUT', `/api/sessions/cnv_${'0'.repeat(26)}`, { title: 'x' })).status).toBe(404);

  const search = async (q: string) =>
    (await program.api<readonly Conversation[]>('GET', `/api/sessions?q=${encodeURIComponent(q)}`)).body;
  await program.say('something else entirely');
  expect((await search('GARDEN')).map((each) => each.id)).toEqual([id]);
  expect(await search('more WORDS')).toMatchObject([{ id, found: { role: 'user', snippet: 'more words' } }]);
  expect(await search('nowhere-to-be-found')).toEqual([]);
  expect((await program.api('GET', `/api/sessions?q=${'x'.repeat(201)}`)).status).toBe(400);
});

test('an edited message replaces the old one for the model; the old one stays to be seen, and what a tool did stays done', async () => {
  const { program, model } = await startWithModel({});
  const id = await program.newConversation();
  const chat = await open(program, id);
  model.next(
    { calls: [{ name: 'memory_write', arguments: { content: 'kept\n', append: true } }] },
    { text: 'noted' },
    { text: 'fresh answer' },
    { calls: [{ name: 'memory_read', arguments: {} }] },
    { text: 'read' },
  );
  await say(chat, 'remeber this');
  const old = lastMessage(chat);
  await turn(chat, { type: 'edit', message_id: old, content: 'Just greet me' });
  expect(texts(model.requests.at(-1)?.body)).toEqual(['user: Just greet me']);
  const { body } = await program.api<readonly ChatMessage[]>('GET', `/api/sessions/${id}/messages`);
  expect(body.map(({ role, replaced }) => `${role} ${replaced ?? false}`)).toEqual([
    'user true',
    'assistant true',
    'user false',
    'assistant false',
  ]);
  expect((await program.api<Conversation>('GET', `/api/sessions/${id}`)).body.title).toBe('Just greet me');
  expect(await audited(program, 'message.edited')).toEqual([`message.edited user:owner ${id}`]);
  chat.send({ type: 'edit', message_id: old, content: 'again' });
  expect(await chat.until(({ type }) => type === 'rejected')).toMatchObject({ code: 'not_the_last_message' });
  await say(chat, 'what is in your memory');
  expect(JSON.stringify(model.requests.at(-1)?.body.messages)).toContain('kept');
});

test('a conversation has a model of its own for its next turns, and others keep the default', async () => {
  const { program, model } = await startWithModel({});
  const id = await program.newConversation();
  const path = `/api/sessions/${id}`;
  const choice = { provider: 'openai-compatible', model: 'fake-2' };
  expect((await program.api<Conversation>('PUT', path, { model: choice })).body.model).toEqual(choice);
  const chat = await open(program, id);
  await say(chat, 'one');
  expect(model.requests.at(-1)?.body.model).toBe('fake-2');
  expect(chat.events.find(({ type }) => type === 'usage')).toMatchObject({
    model: 'fake-2',
    context_tokens: 18,
  });
  await program.say('elsewhere');
  expect(model.requests.at(-1)?.body.model).toBe('fake-1');
  for (const [wrong, status] of [
    [{ provider: 'openai', model: 'gpt-5' }, 409],
    [{ provider: 'nobody', model: 'x' }, 404],
    [{ provider: 'openai-compatible', model: 'perplexity/sonar' }, 400],
  ] as const) {
    expect((await program.api('PUT', path, { model: wrong })).status, JSON.stringify(wrong)).toBe(status);
  }
  expect((await program.api<Conversation>('GET', path)).body.model).toEqual(choice);
  expect((await program.api<Conversation>('PUT', path, { model: null })).body.model).toBeNull();
  await say(chat, 'two');
  expect(model.requests.at(-1)?.body.model).toBe('fake-1');
  expect(await audited(program, 'conversation.model_changed')).toHaveLength(2);
});

test('an export hides a key that was entered after it had been said, and needs a login', async () => {
  const { program, model } = await startWithModel({});
  const later = 'sk-late-Hq3vT7nB5xKw9LmZ2cRf';
  const id = await program.newConversation();
  const chat = await open(program, id);
  model.next({ text: `your key is ${later}` });
  await say(chat, `my key is ${later}`);
  await program.api('PUT', '/api/llm/upstreams/openai', { api_key: later });
  for (const format of ['markdown', 'json']) {
    const answer = await fetch(`${program.address}/api/sessions/${id}/export?format=${format}`, {
      headers: { authorization: `Bearer ${program.token}` },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="${id}.${format === 'json' ? 'json' : 'md'}"`,
    );
    const text = await answer.text();
    expect(text).toContain('your key is [REDACTED:');
    expect(text).not.toContain(later);
    expect(text).not.toContain(MODEL_KEY);
    if (format === 'json') expect(JSON.parse(text)).toMatchObject({ id, events: expect.any(Array) });
  }
  expect((await fetch(`${program.address}/api/sessions/${id}/export?format=json`)).status).toBe(401);
  expect((await program.api('GET', `/api/sessions/${id}/export?format=html`)).status).toBe(400);
  expect(await audited(program, 'conversation.exported')).toHaveLength(2);
});

test('a long conversation reaches the model as its newest whole turns with a note, and the transcript tells it once', async () => {
  const { program, model } = await startWithModel({});
  const id = await program.newConversation();
  const chat = await open(program, id);
  model.next({ calls: [{ name: 'memory_read', arguments: {} }] }, { text: 'first answer' });
  for (let i = 0; i < 5; i += 1) await say(chat, `message ${i} ${'y'.repeat(60_000)}`);
  const sent = texts(model.requests.at(-1)?.body);
  expect(sent[0]).toMatch(/^user: \[Note by OpenPact: \d+ earlier messages .*message 0 y/s);
  expect(sent.join('').length).toBeLessThan(200_100);
  expect(sent.at(-1)).toMatch(/^user: message 4 /);
  expect(sent.some((text) => text.startsWith('tool:'))).toBe(false);
  expect(chat.events.filter(({ type }) => type === 'trimmed')).toHaveLength(1);
  const again = await open(program, id);
  await again.until(({ type }) => type === 'trimmed');
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../core/index.ts';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import type { ChatServerEvent } from './api.ts';

const seqs = (events: readonly ChatServerEvent[]): number[] => events.slice(1).map(({ seq }) => seq);

describe('a chat socket', () => {
  let edge: AdminEdge;
  let token: string;
  let id: string;
  beforeAll(async () => {
    edge = await startAdminEdge();
    ({ token } = await edge.setUp());
  });
  afterAll(() => edge.stop());
  beforeEach(() => {
    ({ id } = edge.conversations.create());
    edge.conversations.answers.send = { ok: true };
    edge.conversations.sent.length = 0;
  });

  const open = async (query = '') => edge.chat(id, `ticket=${await edge.ticket(token)}${query}`);

  test('first says connected, then what is stored after N, then what happens, without a gap or a repeat', async () => {
    for (let i = 1; i <= 5; i += 1) edge.conversations.emit(id, `stored ${i}`);
    const chat = await open('&after=2');
    await chat.until((events) => events.length >= 4);
    for (let i = 6; i <= 9; i += 1) edge.conversations.emit(id, `live ${i}`);
    const events = await chat.until((list) => list.length >= 8);
    expect(events[0]).toEqual({ type: 'connected', session_id: id, seq: 2, head: 5, running: false });
    expect(seqs(events)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  test('hides in what is stored a secret that became known since', async () => {
    edge.conversations.emit(id, 'it is s3cret-value');
    const chat = await open();
    const [, event] = await chat.until((events) => events.length >= 2);
    expect(JSON.stringify(event)).toContain('it is [REDACTED:TEST]');
  });

  test('without N tells all; with an N from the future tells what comes', async () => {
    edge.conversations.emit(id, 'one');
    const all = await open();
    expect(seqs(await all.until((events) => events.length >= 2))).toEqual([1]);
    const future = await open('&after=900');
    await future.until((events) => events.length >= 1);
    edge.conversations.emit(id, 'two');
    expect(seqs(await future.until((events) => events.length >= 2))).toEqual([2]);
  });

  test('resumes by seq after it broke off', async () => {
    const first = await open();
    for (let i = 1; i <= 3; i += 1) edge.conversations.emit(id, `${i}`);
    await first.until((events) => events.length >= 4);
    first.socket.terminate();
    for (let i = 4; i <= 6; i += 1) edge.conversations.emit(id, `${i}`);
    const second = await open('&after=3');
    expect(seqs(await second.until((events) => events.length >= 4))).toEqual([4, 5, 6]);
  });

  test('hands on messages, stop, retry and continue, with who sent them', async () => {
    const chat = await open();
    await chat.opened;
    chat.send({ type: 'message', content: 'hello' });
    chat.send({ type: 'retry' });
    chat.send({ type: 'continue' });
    chat.send({ type: 'abort' });
    await expect.poll(() => edge.conversations.acts.length).toBe(3);
    expect(edge.conversations.acts.toSorted()).toEqual([`abort ${id}`, `continue ${id}`, `retry ${id}`]);
    expect(edge.conversations.sent).toMatchObject([
      { id, content: 'hello', actor: { principal: { kind: 'user', name: 'admin' }, address: '127.0.0.1' } },
    ]);
  });

  test('answers what it refuses with rejected, and lives on', async () => {
    edge.conversations.emit(id, 'one');
    const chat = await open();
    await chat.until((events) => events.length >= 2);
    const wrong = [
      'not json',
      '[]',
      { type: 'message' },
      { type: 'message', content: '' },
      { type: 'message', content: ' \n ' },
      { type: 'message', content: 'ä'.repeat(32 * 1024 + 1) },
      { type: 'message', content: 'x', admin: true },
      { type: 'exec', content: 'x' },
    ];
    for (const message of wrong) chat.send(message);
    chat.socket.send(Buffer.from('{"type":"abort"}'), { binary: true });
    const events = await chat.until((list) => list.length >= 2 + wrong.length + 1);
    for (const event of events.slice(2)) {
      expect(event).toMatchObject({ type: 'rejected', code: 'invalid_request', seq: 1 });
    }
    expect(edge.conversations.sent).toEqual([]);
    chat.send({ type: 'message', content: 'ä'.repeat(32 * 1024) });
    await expect.poll(() => edge.conversations.sent.length).toBe(1);
  });

  test('says why a message was not taken: a refusal, an expected error, a bug', async () => {
    const chat = await open();
    edge.conversations.answers.send = { ok: false, code: 'queue_full', content: 'Too many wait.' };
    chat.socket.once('open', () => chat.send({ type: 'message', content: 'x' }));
    await chat.until((events) => events.length >= 2);
    edge.conversations.answers.send = new AppError({
      family: 'config',
      code: 'audit_failed',
      message: 'No.',
    });
    chat.send({ type: 'message', content: 'x' });
    await chat.until((events) => events.length >= 3);
    edge.conversations.answers.send = new Error('secret path');
    chat.send({ type: 'message', content: 'x' });
    const events = await chat.until((list) => list.length >= 4);
    expect(events.slice(1)).toMatchObject([
      { type: 'rejected', code: 'queue_full', content: 'Too many wait.' },
      { type: 'rejected', code: 'audit_failed', content: 'No.' },
      { type: 'rejected', code: 'internal_error', content: expect.stringMatching(/err_/) },
    ]);
    expect(JSON.stringify(events)).not.toContain('secret path');
  });

  test('a flood of messages is refused, then the socket is closed', async () => {
    const chat = await open();
    await chat.opened;
    for (let i = 0; i < 400; i += 1) chat.send({ type: 'message', content: 'x' });
    expect((await chat.closed).code).toBe(1008);
    expect(edge.conversations.sent.length).toBeLessThan(60);
  });

  test('a frame that is too large ends the socket', async () => {
    const chat = await open();
    await chat.opened;
    chat.send('x'.repeat(600 * 1024));
    expect((await chat.closed).code).toBe(1009);
  });

  test('closing it unsubscribes and stops nothing', async () => {
    const chat = await open();
    await chat.opened;
    const before = edge.conversations.acts.length;
    await expect.poll(() => edge.conversations.listeners(id)).toBe(1);
    chat.socket.close();
    await expect.poll(() => edge.conversations.listeners(id)).toBe(0);
    expect(edge.conversations.acts.length).toBe(before);
  });

  test('a logout closes it with 4401 at once, other sessions stay', async () => {
    const other = await edge.login();
    const mine = await open();
    const theirs = edge.chat(id, `ticket=${await edge.ticket(other.token)}`);
    await Promise.all([mine.opened, theirs.opened]);
    await edge.ask('POST', '/api/auth/logout', { token: other.token });
    expect((await theirs.closed).code).toBe(4401);
    expect(mine.socket.readyState).toBe(mine.socket.OPEN);
  });
});

describe('a chat socket that lasts', () => {
  let edge: AdminEdge;
  let token: string;
  let id: string;
  beforeEach(async () => {
    edge = await startAdminEdge({
      server: { limits: { recheckMs: 50, socketsPerUser: 3, socketQueueBytes: 256 * 1024 } },
    });
    ({ token } = await edge.setUp());
    ({ id } = edge.conversations.create());
  });
  afterEach(() => edge.stop());

  const open = async (query = '') => edge.chat(id, `ticket=${await edge.ticket(token)}${query}`);

  test('ends with 4401 when its session runs out', async () => {
    const chat = await open();
    await chat.opened;
    edge.clock.advance(73 * 3600_000);
    expect((await chat.closed).code).toBe(4401);
  });

  test('does not take a message after its session ended in another program', async () => {
    const slow = await startAdminEdge();
    try {
      const { token: own } = await slow.setUp();
      const conversation = slow.conversations.create();
      const chat = slow.chat(conversation.id, `ticket=${await slow.ticket(own)}`);
      await chat.opened;
      slow.database.run("UPDATE login_families SET revoked_at = 1, revoked_why = 'elsewhere'");
      chat.send({ type: 'message', content: 'too late' });
      expect((await chat.closed).code).toBe(4401);
      expect(slow.conversations.sent).toEqual([]);
    } finally {
      await slow.stop();
    }
  });

  test('is ended when the client answers no ping', async () => {
    const quick = await startAdminEdge({ server: { limits: { pingMs: 200 } } });
    try {
      const { token: mine } = await quick.setUp();
      const { id: conversation } = quick.conversations.create();
      const chat = quick.chat(conversation, `ticket=${await quick.ticket(mine)}`, { autoPong: false });
      await chat.opened;
      expect((await chat.closed).code).toBe(1006);
      const alive = quick.chat(conversation, `ticket=${await quick.ticket(mine)}`);
      await alive.opened;
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(alive.socket.readyState).toBe(alive.socket.OPEN);
    } finally {
      await quick.stop();
    }
  });

  test('is one of a few for one user', async () => {
    const chats = [];
    for (let i = 0; i < 3; i += 1) chats.push(await open());
    await Promise.all(chats.map(({ opened }) => opened));
    expect(await (await open()).opened).toBe(429);
    chats[0]?.socket.close();
    await chats[0]?.closed;
    expect(await (await open()).opened).toBe(101);
  });

  test('sends a client that does not read away, with what fits, to resume by seq; nothing is lost', async () => {
    const chunk = 'x'.repeat(50_000);
    let after = 0;
    const got: number[] = [];
    const codes: number[] = [];
    for (let visit = 0; visit < 60 && got.length < 200; visit += 1) {
      const chat = await open(`&after=${after}`);
      await chat.opened;
      if (visit === 0) {
        chat.socket.pause();
        for (let i = 0; i < 200; i += 1) edge.conversations.emit(id, chunk);
        chat.socket.resume();
      }
      const end = chat.closed.then(({ code }) => code);
      const whole = chat.until((events) => got.length + events.length - 1 >= 200).then(() => 0);
      const code = await Promise.race([end, whole]);
      got.push(...seqs(chat.received));
      codes.push(code);
      after = got.at(-1) ?? after;
      chat.socket.terminate();
    }
    expect(got).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(codes.slice(0, -1).every((code) => code === 1013)).toBe(true);
    expect(codes.length).toBeGreaterThan(1);
  });

  test('tells a client that reads slowly the newest text of a part, not each step to it', async () => {
    const roomy = await startAdminEdge({ server: { limits: { socketQueueBytes: 64 * 1024 * 1024 } } });
    try {
      const { token: mine } = await roomy.setUp();
      const conversation = roomy.conversations.create();
      const chat = roomy.chat(conversation.id, `ticket=${await roomy.ticket(mine)}`);
      await chat.opened;
      chat.socket.pause();
      // More than the kernel takes; what waits after that are the steps of one growing text.
      for (let i = 0; i < 120; i += 1) roomy.conversations.emit(conversation.id, 'y'.repeat(200_000));
      for (let i = 1; i <= 200; i += 1) {
        roomy.conversations.emit(conversation.id, 'z'.repeat(i * 10), 'part_1');
      }
      chat.socket.resume();
      const events = await chat.until((list) => list.at(-1)?.seq === 320);
      expect(events.length).toBe(1 + 120 + 1);
      expect(events.at(-1)).toMatchObject({ seq: 320, content: 'z'.repeat(2_000) });
      const order = seqs(events);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    } finally {
      await roomy.stop();
    }
  });

  test('is told when OpenPact stops', async () => {
    const own = await startAdminEdge();
    const { token: mine } = await own.setUp();
    const conversation = own.conversations.create();
    const chat = own.chat(conversation.id, `ticket=${await own.ticket(mine)}`);
    await chat.opened;
    const closed = chat.closed;
    await Promise.all([own.server.close(), closed]);
    expect((await closed).code).toBe(1001);
    await own.stop();
  });

  test('does not keep OpenPact from stopping when the client answers nothing', async () => {
    const own = await startAdminEdge({ server: { limits: { closeMs: 100 } } });
    const { token: mine } = await own.setUp();
    const conversation = own.conversations.create();
    const chat = own.chat(conversation.id, `ticket=${await own.ticket(mine)}`);
    await chat.opened;
    chat.socket.pause();
    await own.server.close();
    await own.stop();
  });

  test('hears nothing twice, even if what feeds it repeats itself', async () => {
    const chat = await open();
    await chat.opened;
    const first = edge.conversations.emit(id, 'one');
    edge.conversations.repeat(id, first);
    edge.conversations.emit(id, 'two');
    const events = await chat.until((list) => list.at(-1)?.seq === 2);
    expect(seqs(events)).toEqual([1, 2]);
  });
});

/** Whatever is sent over the chat socket of the running program: the socket answers or ends, and the program lives. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ChatServerEvent, Conversation } from '../../src/edge/admin/api.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { brokenText, fuzz, fuzzTime, hostileValue, spoiled } from '../support/fuzz-values.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { MODEL_KEY, useModel } from '../support/with-fake-model.ts';

/** Codes with which a socket of ours ends: gone, wrong protocol, no UTF-8, against the rules, too big, too slow. */
const ENDS = [1002, 1007, 1008, 1009, 1013];
const MOST_OF_AN_EVENT = 512 * 1024;
let model: FakeModel;
let program: RunningProgram;

beforeAll(async () => {
  model = await startFakeModel({ otherwise: { text: 'ok' } });
  program = await startProgram({ config: 'server: {rate_limit: {rate: 10000, burst: 100000}}\n' });
  await useModel(program, model);
}, 60_000);
afterAll(async () => {
  await program.kill();
  program.remove();
  await model.close();
});

type Frame = { readonly data: string | Buffer; readonly binary: boolean };

const text = fc.string({ unit: 'binary', maxLength: 100 });
const messageId = fc.oneof(fc.constantFrom('msg_x', '__proto__', 'a'.repeat(64), '../x'), text);
const valid: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ type: fc.constant('message'), content: text }),
  fc.record({ type: fc.constant('edit'), message_id: messageId, content: text }),
  fc.record({ type: fc.constantFrom('abort', 'retry', 'continue') }),
  fc.record({ type: fc.constantFrom('__proto__', 'constructor', 'connected', '', 'MESSAGE'), content: text }),
);
const asText = (value: unknown): Frame => ({ data: JSON.stringify(value) ?? '', binary: false });
const frame: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 4, arbitrary: valid.map(asText) },
  { weight: 4, arbitrary: spoiled(valid).map(asText) },
  { weight: 1, arbitrary: hostileValue.map(asText) },
  { weight: 2, arbitrary: brokenText(valid).map((data) => ({ data: data.toString(), binary: false })) },
  // Text that is no UTF-8, and bytes.
  { weight: 1, arbitrary: fc.constant({ data: Buffer.from([0xc3, 0x28, 0xff]), binary: false }) },
  { weight: 1, arbitrary: brokenText(valid).map((data) => ({ data: Buffer.from(data), binary: true })) },
);

async function open(
  id: string,
): Promise<{ socket: WebSocket; heard: ChatServerEvent[]; closed: Promise<number> }> {
  const { body } = await program.api<{ ticket: string }>('POST', '/api/auth/ws-ticket', {});
  const socket = new WebSocket(
    `${program.address.replace('http', 'ws')}/api/sessions/${id}/chat?ticket=${body.ticket}`,
  );
  const heard: ChatServerEvent[] = [];
  socket.on('message', (data: Buffer) => {
    expect(data.length).toBeLessThanOrEqual(MOST_OF_AN_EVENT);
    heard.push(JSON.parse(data.toString()) as ChatServerEvent);
  });
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return { socket, heard, closed };
}

/** Waits until the other side has read what was sent: it answers a ping after it, or has ended the socket. */
async function settled(socket: WebSocket, closed: Promise<number>): Promise<number | undefined> {
  const pong = new Promise<undefined>((resolve) => socket.once('pong', () => resolve(undefined)));
  if (socket.readyState === socket.OPEN) socket.ping();
  return Promise.race([closed, pong]);
}

function soundEvents(heard: readonly ChatServerEvent[]): void {
  let last = -1;
  for (const event of heard) {
    expect(typeof event.type).toBe('string');
    expect(JSON.stringify(event)).not.toContain(MODEL_KEY);
    expect(JSON.stringify(event)).not.toMatch(
      /internal_error|\bat (?:async )?[\w.<>]+ \(?(?:file:|node:|\/)/,
    );
    if (event.type === 'rejected') {
      expect(event.code).toMatch(/^[a-z][a-z0-9_]{0,63}$/);
      expect(event.content.length).toBeLessThanOrEqual(1000);
    } else {
      expect(event.seq).toBeGreaterThanOrEqual(last);
      last = event.seq;
    }
  }
}

test(
  'any frame is answered or ends its socket, never the program',
  async () => {
    await fuzz(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 25 }), async (frames) => {
        const made = await program.api<Conversation>('POST', '/api/sessions', {});
        const { socket, heard, closed } = await open(made.body.id);
        for (const { data, binary } of frames) {
          if (socket.readyState === socket.OPEN) socket.send(data, { binary });
        }
        const code = await settled(socket, closed);
        if (code !== undefined) expect(ENDS).toContain(code);
        soundEvents(heard);
        expect(heard[0]?.type).toBe('connected');
        socket.terminate();
        await program.api('POST', `/api/sessions/${made.body.id}/abort`, {});
        await program.api('DELETE', `/api/sessions/${made.body.id}`);
      }),
      60,
    );
    expect(program.log()).not.toMatch(/unexpected error|error of its own/);
  },
  fuzzTime(60_000),
);

test('a flood of frames is cut off, and another conversation goes on meanwhile', async () => {
  const { socket, heard, closed } = await open(await program.newConversation());
  const flood = setInterval(() => {
    for (let i = 0; i < 500 && socket.readyState === socket.OPEN; i += 1) socket.send('{"type":"abort"}');
  }, 1);
  try {
    const { events } = await program.say('hello');
    expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
    expect(await closed).toBe(1008);
    soundEvents(heard);
    expect(
      heard.filter((event) => event.type === 'rejected' && event.code === 'rate_limited').length,
    ).toBeGreaterThan(50);
  } finally {
    clearInterval(flood);
  }
}, 60_000);

test('a frame that is larger than any message ends its socket alone', async () => {
  const id = await program.newConversation();
  const { socket, closed } = await open(id);
  socket.send(Buffer.alloc(600 * 1024, 0x20), { binary: false });
  expect(await closed).toBe(1009);
  const { events } = await program.say('still there?');
  expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
}, 60_000);

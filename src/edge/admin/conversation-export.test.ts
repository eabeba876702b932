import { get as request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import type { Conversation } from './api.ts';

let edge: AdminEdge;
let token = '';
beforeAll(async () => {
  edge = await startAdminEdge();
  ({ token } = await edge.setUp());
});
afterAll(() => edge.stop());

const made = async (title: string): Promise<string> =>
  ((await edge.ask('POST', '/api/sessions', { token, body: { title } })).json as Conversation).id;

test('the export of a conversation is a file that nobody keeps on the way', async () => {
  const id = await made('short');
  const answer = await edge.ask('GET', `/api/sessions/${id}/export?format=markdown`, { token });
  expect(answer).toMatchObject({ status: 200, text: 'the end' });
  expect(answer.headers).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `attachment; filename="${id}.markdown"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  expect((await edge.ask('GET', '/api/sessions/none/export?format=json', { token })).status).toBe(404);
});

test('the export of a conversation ends when the vault is locked, also of a reader that reads nothing', async () => {
  const id = await made('long');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    request(`${edge.address}/api/sessions/${id}/export?format=json`, { headers, agent: false }, resolve).once(
      'error',
      reject,
    );
  });
  expect(response.statusCode).toBe(200);
  const broken = new Promise((resolve) => response.socket.once('close', resolve));
  response.on('error', () => undefined);
  const over = (): number => edge.conversations.acts.filter((act) => act === 'export of long over').length;
  const before = over();
  expect((await edge.ask('POST', '/api/vault/lock', { token, body: {} })).status).toBe(200);
  await expect.poll(over, { timeout: 10_000 }).toBe(before + 1);
  // Opened again at once: what was ended does not go on.
  await edge.ask('POST', '/api/vault/unlock', { token, body: { passphrase: 'any' } });
  // What the connection held before is all that arrives.
  let bytes = 0;
  response.on('data', (piece: Buffer) => (bytes += piece.length));
  await broken;
  expect([response.complete, bytes < 20_000_000]).toEqual([false, true]);
});

test('the export of a conversation ends with the session that asked for it, incomplete', async () => {
  const id = await made('long');
  const { token: stolen } = await edge.login();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { authorization: `Bearer ${stolen}` };
    request(`${edge.address}/api/sessions/${id}/export?format=json`, { headers, agent: false }, resolve).once(
      'error',
      reject,
    );
  });
  expect(response.statusCode).toBe(200);
  expect((await edge.ask('POST', '/api/auth/logout', { token: stolen })).status).toBe(204);
  let last = '';
  response.on('data', (piece: Buffer) => (last = piece.toString()));
  response.on('error', () => undefined);
  await new Promise((resolve) => response.once('close', resolve));
  expect(response.complete).toBe(false);
  expect(last).not.toContain('the end');
});

/** with a list of addresses, a stranger is refused before anything else looks at what they sent. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

const PROXY = '127.0.0.5';
const STRANGER = '127.0.0.2';

function raw(port: number, text: string, from: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), 3_000);
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.write(text);
  });
}

describe('with a list of addresses', () => {
  let edge: AdminEdge;
  beforeAll(async () => {
    edge = await startAdminEdge({
      server: {
        allowedIps: ['127.0.0.1', '192.0.2.0/24', '2001:db8::/32'],
        trustedProxies: [PROXY],
      },
    });
    await edge.setUp();
  });
  afterAll(() => edge.stop());

  test.each([
    ['an API path', 'GET /api/version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
    ['a health path', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
    ['a foreign host', 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b/c@d\r\nConnection: close\r\n\r\n'],
    ['a path that is none', 'GET http://[/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
    ['a method that is none', 'NONSENSE\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
    [
      'an unknown expectation',
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: tea\r\nConnection: close\r\n\r\n',
    ],
    [
      'a WebSocket',
      'GET /api/sessions/x/chat?ticket=x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ],
    [
      'a forwarding header of its own',
      'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nConnection: close\r\n\r\n',
    ],
  ])('a stranger with %s is 403 and hears no more', async (_name, bytes) => {
    const answer = await raw(edge.port, bytes, STRANGER);
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 403 Forbidden');
    expect(answer).toContain('"error":"forbidden"');
    expect(answer).toContain("content-security-policy: default-src 'none'");
  });

  test('who is in it is served, and what is wrong with a request is said', async () => {
    expect((await edge.ask('GET', '/healthz')).status).toBe(200);
    expect(await raw(edge.port, 'NONSENSE\r\n\r\n', '127.0.0.1')).toMatch(/^HTTP\/1\.1 400 /);
    const noHost = await raw(edge.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', '127.0.0.1');
    expect(noHost).toMatch(/^HTTP\/1\.1 400 [^]*"error":"invalid_request"/);
  });

  test.each([
    // What the proxy itself wrote stands last; the rest is the client's own.
    ['203.0.113.9', 403],
    ['192.0.2.7', 200],
    ['::ffff:192.0.2.7', 200],
    ['2001:db8::1', 200],
    ['2001:db9::1', 403],
    ['127.0.0.1, 203.0.113.9', 403],
    ['192.0.2.7,203.0.113.9', 403],
    ['203.0.113.9, 192.0.2.7', 200],
    ['203.0.113.9, 127.0.0.5', 403],
    ['127.0.0.1 203.0.113.9', 403],
    ['unknown', 403],
    ['192.0.2.7:1234', 403],
    ['127.1', 403],
    ['0177.0.0.1', 403],
    ['', 403],
  ])('behind the proxy X-Forwarded-For %j is %d', async (value, status) => {
    const reply = await edge.ask('GET', '/healthz', { from: PROXY, headers: { 'x-forwarded-for': value } });
    expect(reply.status).toBe(status);
  });

  test('a WebSocket of who is in it opens', async () => {
    const { token } = await edge.login();
    const id = (await edge.ask('POST', '/api/sessions', { token, body: {} })).json.id;
    const chat = edge.chat(id, `ticket=${await edge.ticket(token)}`);
    expect(await chat.opened).toBe(101);
    const stranger = edge.chat(id, `ticket=${await edge.ticket(token)}`, { localAddress: STRANGER });
    expect(await stranger.opened).toBe(403);
  });
});

test('an entry that is neither address nor range stops the start and is named', async () => {
  for (const entry of ['10.0.0.0/33', 'localhost', '10.0.0', '010.0.0.1', '::ffff:10.0.0.0/104', '::g', '']) {
    await expect(startAdminEdge({ server: { allowedIps: [entry] } }), entry).rejects.toMatchObject({
      code: 'config_invalid',
    });
  }
});

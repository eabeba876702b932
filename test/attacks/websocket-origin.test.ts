import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../fakes/admin-edge.ts';

describe('a WebSocket that is not ours to open', () => {
  let edge: AdminEdge;
  let token: string;
  let id: string;
  beforeAll(async () => {
    edge = await startAdminEdge({ server: { publicOrigins: ['https://pact.example.org'] } });
    ({ token } = await edge.setUp());
    ({ id } = edge.conversations.create());
  });
  afterAll(() => edge.stop());

  test('from a page of another site is refused, even with a good ticket, which is not spent', async () => {
    const ticket = await edge.ticket(token);
    for (const origin of [
      'https://evil.example',
      'null',
      `http://localhost:${edge.port}`,
      `http://127.0.0.1:${edge.port + 1}`,
      `http://127.0.0.1:${edge.port}.evil.example`,
    ]) {
      expect([origin, await edge.chat(id, `ticket=${ticket}`, { origin }).opened]).toEqual([origin, 403]);
    }
    expect(
      await edge.chat(id, `ticket=${ticket}`, { headers: { 'sec-fetch-site': 'cross-site' } }).opened,
    ).toBe(403);
    const own = { origin: `http://127.0.0.1:${edge.port}` };
    expect(await edge.chat(id, `ticket=${ticket}`, own).opened).toBe(101);
  });

  test('from the origin that it is published under, and from a client that is no browser, is opened', async () => {
    const published = { origin: 'https://pact.example.org', headers: { host: 'pact.example.org' } };
    expect(await edge.chat(id, `ticket=${await edge.ticket(token)}`, published).opened).toBe(101);
    expect(await edge.chat(id, `ticket=${await edge.ticket(token)}`).opened).toBe(101);
  });

  test('under a foreign host name is refused (DNS rebinding)', async () => {
    const headers = { host: 'evil.example' };
    const options = { origin: 'http://evil.example', headers };
    expect(await edge.chat(id, `ticket=${await edge.ticket(token)}`, options).opened).toBe(403);
  });

  test('a ticket works once, and not at all when late, made up, missing, twice, or a token', async () => {
    const ticket = await edge.ticket(token);
    expect(await edge.chat(id, `ticket=${ticket}`).opened).toBe(101);
    expect(await edge.chat(id, `ticket=${ticket}`).opened).toBe(401);
    const late = await edge.ticket(token);
    edge.clock.advance(30_001);
    expect(await edge.chat(id, `ticket=${late}`).opened).toBe(401);
    expect(await edge.chat(id, `ticket=${'x'.repeat(43)}`).opened).toBe(401);
    expect(await edge.chat(id, `ticket=__proto__`).opened).toBe(401);
    expect(await edge.chat(id, '').opened).toBe(400);
    const two = await edge.ticket(token);
    expect(await edge.chat(id, `ticket=${two}&ticket=${two}`).opened).toBe(400);
    expect(await edge.chat(id, `token=${token}`).opened).toBe(400);
    const options = { headers: { authorization: `Bearer ${token}` } };
    expect(await edge.chat(id, '', options).opened).toBe(400);
  });

  test('that tries again and again is answered 429, whatever its ticket, and another client is served', async () => {
    const small = await startAdminEdge({ server: { rateLimit: { rate: 0.1, burst: 10 } } });
    try {
      const mine = await small.setUp();
      const here = small.conversations.create().id;
      const statuses = [];
      for (let i = 0; i < 12; i += 1) {
        statuses.push(
          await small.chat(here, `ticket=${'x'.repeat(43)}`, { localAddress: '127.0.0.7' }).opened,
        );
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
      const ticket = await small.ticket(mine.token);
      expect(await small.chat(here, `ticket=${ticket}`, { localAddress: '127.0.0.7' }).opened).toBe(429);
      // It was not spent.
      expect(await small.chat(here, `ticket=${ticket}`).opened).toBe(101);
    } finally {
      await small.stop();
    }
  });

  test('two that race with one ticket: one is opened', async () => {
    const ticket = await edge.ticket(token);
    const both = await Promise.all([1, 2, 3].map(() => edge.chat(id, `ticket=${ticket}`).opened));
    expect(both.sort((a, b) => a - b)).toEqual([101, 401, 401]);
  });

  test('to a conversation that is not there is 404, to another path too, and both are JSON with our headers', async () => {
    expect(await edge.chat('ses_nothing', `ticket=${await edge.ticket(token)}`).opened).toBe(404);
    const reply = await edge.ask('GET', '/api/other', {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    expect([reply.status, reply.json.error]).toEqual([404, 'not_found']);
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
  });
});

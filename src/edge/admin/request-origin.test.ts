import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, startAdminEdge, USERNAME, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

describe('where a request comes from', () => {
  let edge: AdminEdge;
  let token: string;
  let cookie: string;
  beforeAll(async () => {
    edge = await startAdminEdge({
      server: { trustedProxies: ['127.0.0.5'], publicOrigins: ['https://pact.example.org'] },
    });
    ({ token, cookie } = await edge.setUp());
  });
  afterAll(() => edge.stop());

  test('a host name that is not ours is refused on every path (DNS rebinding)', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${edge.port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.1.2.3',
      'user@localhost',
      'localhost/x',
      'pact.example.org.evil.example',
    ]) {
      for (const path of ['/api/version', '/healthz', '/', '/api/session']) {
        const reply = await edge.ask('GET', path, { token, cookie, headers: { host } });
        // What is no host name at all does not come as far as the rule.
        const status = /[@/]/.test(host) ? 404 : 403;
        expect([host, path, reply.status]).toEqual([host, path, status]);
      }
    }
    for (const host of ['localhost', `LOCALHOST:${edge.port}`, '127.0.0.1', '[::1]:1', 'pact.example.org']) {
      const reply = await edge.ask('GET', '/api/version', { headers: { host } });
      expect([host, reply.status]).toEqual([host, 200]);
    }
  });

  test('a browser on another site can not use the cookie, log in, log out or call the API', async () => {
    const sites: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${edge.port + 1}` },
      { origin: `http://localhost:${edge.port}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of sites) {
      for (const [method = '', path = ''] of [
        ['GET', '/api/session'],
        ['DELETE', '/api/session'],
        ['POST', '/api/auth/login'],
        ['POST', '/api/auth/logout'],
        ['GET', '/api/auth/me'],
        ['POST', '/api/setup'],
      ]) {
        const reply = await edge.ask(method, path, { token, cookie, headers });
        expect([headers, path, reply.status, reply.json.error]).toEqual([headers, path, 403, 'cross_origin']);
        expect(reply.headers['access-control-allow-origin']).toBeUndefined();
      }
    }
    expect((await edge.ask('GET', '/api/auth/me', { token })).status).toBe(200);
  });

  test('our own page, and the origin it is published under, may', async () => {
    const own = { origin: `http://127.0.0.1:${edge.port}`, 'sec-fetch-site': 'same-origin' };
    expect((await edge.ask('GET', '/api/auth/me', { token, headers: own })).status).toBe(200);
    const published = { origin: 'https://pact.example.org', host: 'pact.example.org' };
    expect((await edge.ask('GET', '/api/auth/me', { token, headers: published })).status).toBe(200);
  });

  test('forwarded headers count only from a trusted proxy', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9', 'x-forwarded-proto': 'https' };
    const body = { username: USERNAME, password: PASSWORD };
    const direct = await edge.ask('POST', '/api/auth/login', { body, headers });
    expect(direct.headers['set-cookie']?.[0]).not.toContain('Secure');
    expect(direct.headers['strict-transport-security']).toBeUndefined();
    const proxied = await edge.ask('POST', '/api/auth/login', { body, headers, from: '127.0.0.5' });
    expect(proxied.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
    expect(proxied.headers['strict-transport-security']).toBe('max-age=31536000');
    const { sessions } = (await edge.ask('GET', '/api/auth/sessions', { token })).json;
    const addresses = sessions.map(({ address }: { address: string }) => address);
    // What stands further left was written by the client itself.
    expect(addresses).toContain('203.0.113.9');
    expect(addresses).not.toContain('6.6.6.6');
  });

  test('with a list of clients, others are refused before anything else', async () => {
    const closed = await startAdminEdge({ server: { allowedIps: ['127.0.0.1', '10.0.0.0/8'] } });
    try {
      expect((await closed.ask('GET', '/healthz')).status).toBe(200);
      for (const path of ['/healthz', '/api/version', '/', '//x']) {
        expect((await closed.ask('GET', path, { from: '127.0.0.2' })).status).toBe(403);
      }
    } finally {
      await closed.stop();
    }
  });

  test('bound to every address, any bare address is a host, but no foreign name', async () => {
    const open = await startAdminEdge({ server: { host: '0.0.0.0' } });
    try {
      for (const [host, status] of [
        ['192.168.1.7:8888', 200],
        ['[fd00::1]', 200],
        ['evil.example', 403],
      ] as const) {
        expect([host, (await open.ask('GET', '/healthz', { headers: { host } })).status]).toEqual([
          host,
          status,
        ]);
      }
      expect(open.address).toBe(`http://127.0.0.1:${open.port}`);
    } finally {
      await open.stop();
    }
  });
});

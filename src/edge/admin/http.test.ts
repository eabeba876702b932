import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

let edge: AdminEdge;
let token: string;

beforeAll(async () => {
  edge = await startAdminEdge({ server: { limits: { requestMs: 600, headersMs: 600 } } });
  ({ token } = await edge.setUp());
});
afterAll(() => edge.stop());

/** Bytes on a connection, as they are; everything that came back until it closed, or for `waitMs`. */
function raw(text: string | Buffer, waitMs = 4000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(edge.port, '127.0.0.1');
    let answer = '';
    const timer = setTimeout(() => socket.destroy(), waitMs);
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', (error) => (answer === '' ? reject(error) : undefined));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.write(text);
  });
}

const get = (target: string, headers = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nConnection: close\r\n${headers}\r\n`;

describe('routing', () => {
  test('an unknown API path is 404 in JSON', async () => {
    for (const path of ['/api', '/api/', '/api/nothing', '/api/sessions/a/b/c', '/api/setup/']) {
      const reply = await edge.ask('GET', path, { token, headers: { accept: 'text/html' } });
      expect([path, reply.status, reply.json.error]).toEqual([path, 404, 'not_found']);
    }
  });

  test('a wrong method is 405 and says what is allowed', async () => {
    const cases = [
      ['PUT', '/api/auth/login', 'POST'],
      ['GET', '/api/setup', 'POST'],
      ['POST', '/api/session', 'GET, DELETE'],
      ['PATCH', '/api/sessions', 'POST, GET'],
      ['OPTIONS', '/api/audit', 'GET'],
      ['HEAD', '/api/version', 'GET'],
      ['TRACE', '/healthz', 'GET'],
    ];
    for (const [method = '', path = '', allow] of cases) {
      const reply = await edge.ask(method, path, { token });
      expect([path, reply.status, reply.headers.allow]).toEqual([path, 405, allow]);
    }
  });

  test('paths that two readers could read differently are refused before they are routed', async () => {
    const tricks = [
      '//api/version',
      '/api//version',
      '/api/..%2fversion',
      '/api/%2e%2e/version',
      '/api/../version',
      '/api/./version',
      '/api/%5cversion',
      '/api\\version',
      '/api/version%00',
      '/x/..%2f..%2fapi/version',
      '/%2561pi/version',
      `http://127.0.0.1:${edge.port}/api/version`,
    ];
    for (const trick of tricks) {
      const answer = await raw(get(trick));
      expect([trick, answer.split(' ')[1]]).toEqual([trick, '404']);
      expect(answer).toContain('"error":"not_found"');
    }
  });

  test('a segment that is no id is 404 before a port sees it', async () => {
    const reply = await edge.ask('GET', '/api/sessions/a%20b', { token });
    expect(reply.status).toBe(404);
  });

  test('every route but the open ones refuses a request without a token, with the same answer', async () => {
    const closed = [
      ['GET', '/api/auth/me'],
      ['POST', '/api/auth/ws-ticket'],
      ['GET', '/api/auth/sessions'],
      ['DELETE', '/api/auth/sessions'],
      ['DELETE', '/api/auth/sessions/x'],
      ['POST', '/api/auth/password'],
      ['GET', '/api/sessions'],
      ['POST', '/api/sessions'],
      ['GET', '/api/sessions/x'],
      ['PUT', '/api/sessions/x'],
      ['GET', '/api/sessions/x/export'],
      ['DELETE', '/api/sessions/x'],
      ['PUT', '/api/sessions/x'],
      ['GET', '/api/sessions/x/export'],
      ['POST', '/api/sessions/x/abort'],
      ['GET', '/api/sessions/x/messages'],
      ['GET', '/api/sessions/x/events'],
      ['GET', '/api/approvals'],
      ['GET', '/api/approvals/waiting'],
      ['POST', '/api/approvals/batch'],
      ['POST', '/api/approvals/x/approve'],
      ['POST', '/api/approvals/x/deny'],
      ['GET', '/api/audit'],
      ['GET', '/api/audit/export'],
      ['GET', '/api/audit/chain'],
      ['POST', '/api/audit/verify'],
      ['GET', '/api/mcp/tools'],
      ['GET', '/api/llm/upstreams'],
      ['PUT', '/api/llm/upstreams/openai'],
      ['POST', '/api/llm/upstreams/openai/test'],
      ['GET', '/api/models'],
      ['PUT', '/api/models/default'],
      ['PUT', '/api/models/fallback'],
      ['GET', '/api/vault'],
      ['POST', '/api/vault/unlock'],
      ['POST', '/api/vault/lock'],
      ['GET', '/api/secrets'],
      ['POST', '/api/secrets'],
      ['GET', '/api/secrets/x'],
      ['PUT', '/api/secrets/x'],
      ['POST', '/api/secrets/x'],
      ['DELETE', '/api/secrets/x'],
      ['GET', '/api/policy'],
      ['PUT', '/api/policy'],
      ['GET', '/api/capabilities'],
      ['GET', '/api/identity'],
      ['GET', '/api/identity/file'],
      ['PUT', '/api/identity/file'],
      ['GET', '/api/identity/version'],
      ['POST', '/api/identity/restore'],
      ['GET', '/api/scripts'],
      ['POST', '/api/scripts'],
      ['GET', '/api/scripts/x'],
      ['PUT', '/api/scripts/x'],
      ['DELETE', '/api/scripts/x'],
      ['POST', '/api/scripts/x/approve'],
      ['POST', '/api/scripts/x/reject'],
      ['POST', '/api/scripts/x/disable'],
      ['POST', '/api/scripts/x/enable'],
      ['POST', '/api/scripts/x/offers/dismiss'],
      ['GET', '/api/scripts/x/runs'],
      ['GET', '/api/scripts/x/runs/chart'],
      ['POST', '/api/scripts/x/test'],
      ['GET', '/api/scripts/x/history'],
      ['GET', '/api/scripts/x/history/x'],
      ['GET', '/api/scripts/x/diff'],
      ['POST', '/api/scripts/x/restore/x'],
      ['GET', '/api/openapi.json'],
      ['GET', '/api/usage'],
      ['GET', '/api/budgets'],
      ['PUT', '/api/budgets'],
      ['GET', '/api/system/status'],
      ['POST', '/api/turns/stop'],
    ];
    const bodies = new Set<string>();
    for (const [method = '', path = ''] of closed) {
      for (const headers of [{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer x.y.z' }]) {
        const reply = await edge.ask(method, path, { headers });
        expect([method, path, reply.status]).toEqual([method, path, 401]);
        bodies.add(reply.text);
      }
    }
    expect(bodies.size).toBe(1);
    // The table has no other protected route: a new one must be added above.
    const known = new Set(
      closed.map(([method, path]) => `${method} ${path?.replaceAll(/\/x(?=\/|$)/g, '/:')}`),
    );
    const rows = edge.server.app.routes
      .filter(({ path, method }) => path.startsWith('/api/') && method !== 'ALL')
      .map(
        ({ path, method }) =>
          `${method} ${path.replaceAll(/:\w+/g, ':').replace('upstreams/:', 'upstreams/openai')}`,
      );
    const open = [
      'GET /api/version',
      'GET /api/setup/status',
      'POST /api/setup',
      'POST /api/setup/profile',
      'POST /api/auth/login',
      'POST /api/auth/logout',
      'GET /api/session',
      'DELETE /api/session',
    ];
    expect(rows.filter((row) => !known.has(row)).sort()).toEqual(open.sort());
  });

  test('the scheme of the Authorization header is read without regard to case', async () => {
    const reply = await edge.ask('GET', '/api/auth/me', { headers: { authorization: `bearer ${token}` } });
    expect(reply.json).toEqual({ username: 'admin', role: 'admin' });
  });
});

describe('bodies', () => {
  test('a body that is not JSON is 400 invalid_request', async () => {
    for (const text of ['{', 'nonsense', '{"a":1}}', Buffer.from([0x22, 0xff, 0x22])]) {
      const reply = await edge.ask('POST', '/api/sessions', { token, raw: text });
      expect([reply.status, reply.json.error]).toEqual([400, 'invalid_request']);
    }
  });

  test('every problem of a body is listed with its path', async () => {
    const reply = await edge.ask('POST', '/api/setup', { body: { username: 1, extra: true } });
    expect(reply.status).toBe(400);
    const text = reply.json.problems.join('\n');
    for (const part of ['username', 'password', 'confirm_password', 'setup_code', 'extra']) {
      expect(text).toContain(part);
    }
  });

  test('what the schema does not know is refused, __proto__ too', async () => {
    for (const text of [
      '{"title":"a","admin":true}',
      '{"title":"a","__proto__":{"admin":true}}',
      '{"title":"a","constructor":{"prototype":{}}}',
      '["a"]',
      'null',
    ]) {
      const reply = await edge.ask('POST', '/api/sessions', { token, raw: text });
      expect([text, reply.status, reply.json.error]).toEqual([text, 400, 'invalid_request']);
    }
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  test('a body over 1 MiB is 413, announced or not, and is not taken in', async () => {
    const announced = await edge.ask('POST', '/api/sessions', { token, raw: `"${'a'.repeat(1024 * 1024)}"` });
    expect([announced.status, announced.json.error]).toEqual([413, 'body_too_large']);
    const head = `POST /api/sessions HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
    // Never ended: an answer comes all the same.
    const answer = await raw(head + chunk.repeat(20));
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('body_too_large');
  });

  test('a body that was only announced as huge is refused without waiting for it', async () => {
    const answer = await raw(
      `POST /api/sessions HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
  });

  test('a body of another type is 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
      const reply = await edge.ask('POST', '/api/sessions', {
        token,
        raw: '{}',
        headers: { 'content-type': type },
      });
      expect([type, reply.status, reply.json.error]).toEqual([type, 415, 'unsupported_media_type']);
    }
    const reply = await edge.ask('POST', '/api/sessions', {
      token,
      raw: '{}',
      headers: { 'content-type': 'application/json; charset=UTF-8' },
    });
    expect(reply.status).toBe(200);
  });

  test('a body that comes too slowly is ended by the server', async () => {
    const answer = await raw(
      `POST /api/sessions HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('request_timeout');
  });

  test('headers that never end are ended by the server', async () => {
    const answer = await raw(`GET /api/version HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nX-Slow: `);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });

  test('a body that breaks off leaves no trace but a finished request', async () => {
    const before = edge.log.lines.filter(({ level }) => level === 'error').length;
    await new Promise<void>((resolve) => {
      const socket = connect(edge.port, '127.0.0.1', () => {
        socket.write(
          `POST /api/sessions HTTP/1.1\r\nHost: 127.0.0.1:${edge.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"ti`,
          () => setTimeout(() => socket.resetAndDestroy(), 50),
        );
      });
      socket.on('close', () => setTimeout(resolve, 50));
    });
    expect(edge.log.lines.filter(({ level }) => level === 'error').length).toBe(before);
    expect((await edge.ask('GET', '/healthz')).status).toBe(200);
  });

  test('a query that the route does not know, or that comes twice, is refused', async () => {
    for (const query of ['?nothing=1', '?limit=1&limit=2', '?limit=0', '?limit=x', '?after=-1']) {
      const reply = await edge.ask('GET', `/api/audit${query}`, { token });
      expect([query, reply.status, reply.json.error]).toEqual([query, 400, 'invalid_request']);
    }
    expect((await edge.ask('GET', '/api/audit?event=setup.&limit=2', { token })).json.entries).toHaveLength(
      2,
    );
  });
});

describe('headers of answers', () => {
  const paths = ['/api/version', '/api/nothing', '/api/auth/me', '/healthz', '/', '/assets/x.js', '//x'];

  test('every answer carries the security headers', async () => {
    for (const path of paths) {
      const { headers } = await edge.ask('GET', path);
      expect(headers['content-security-policy'], path).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      );
      expect(headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'DENY',
      });
      expect(headers['permissions-policy'], path).toContain('camera=()');
      expect(headers['strict-transport-security'], path).toBeUndefined();
      expect(headers.server ?? headers['x-powered-by'], path).toBeUndefined();
    }
  });

  test('what the parser refuses carries them too', async () => {
    for (const bytes of ['NONSENSE\r\n\r\n', get('/api/version', `X-Big: ${'a'.repeat(20_000)}\r\n`)]) {
      const answer = await raw(bytes);
      expect(answer).toMatch(/^HTTP\/1.1 400 /);
      expect(answer).toContain("content-security-policy: default-src 'none'");
    }
  });

  test('two Host headers, or none, are refused', async () => {
    const two = await raw(get('/api/version', 'Host: 127.0.0.1\r\n'));
    expect(two).toMatch(/^HTTP\/1.1 40[03] /);
    const none = await raw('GET /api/version HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(none).toMatch(/^HTTP\/1.1 400 /);
  });

  test('a line break in a value that comes back can not make a header', async () => {
    const answer = await raw(get('/api/nothing%0d%0aSet-Cookie:%20refresh=x', 'Origin: http://a%0d%0ab\r\n'));
    expect(answer.toLowerCase()).not.toContain('set-cookie');
  });

  test('answers of the API are never stored, and tell the rate limit', async () => {
    const { headers } = await edge.ask('GET', '/api/version');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['x-ratelimit-limit']).toBe('1000');
    expect(Number(headers['x-ratelimit-remaining'])).toBeLessThan(1000);
    expect(headers['x-ratelimit-reset']).toMatch(/^\d+$/);
  });

  test('an upgrade to anything but a WebSocket is answered as if it had not been asked for', async () => {
    const answer = await raw(get('/api/version', 'Upgrade: h2c\r\n').replace('close', 'Upgrade'), 500);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

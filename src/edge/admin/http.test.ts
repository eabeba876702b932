import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../core/index.ts';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import { createAdminServer } from './server.ts';

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

describe('errors', () => {
  test('a family has one status, and details, fix and Retry-After reach the client', async () => {
    const families = [
      ['input', 400],
      ['auth', 401],
      ['forbidden', 403],
      ['missing', 404],
      ['conflict', 409],
      ['limit', 429],
      ['upstream', 502],
      ['config', 503],
    ] as const;
    for (const [family, status] of families) {
      edge.models.fail = new AppError({
        family,
        code: 'some_code',
        message: 'What happened.',
        fix: 'What to do.',
        details: { retry_after_s: 7 },
      });
      const reply = await edge.ask('GET', '/api/models', { token });
      expect([family, reply.status]).toEqual([family, status]);
      expect(reply.headers['retry-after']).toBe('7');
      expect(reply.json).toEqual({
        error: 'some_code',
        message: 'What happened.',
        fix: 'What to do.',
        retry_after_s: 7,
      });
    }
    edge.models.fail = undefined;
  });

  test('anything else is a 500 that says nothing but where to look in the log', async () => {
    edge.models.fail = new Error('the key is s3cret in /srv/secure');
    const reply = await edge.ask('GET', '/api/models', { token });
    edge.models.fail = undefined;
    expect([reply.status, reply.json.error]).toEqual([500, 'internal_error']);
    expect(reply.text).not.toMatch(/s3cret|srv|stack|at /);
    const line = edge.log.lines.find(({ facts }) => JSON.stringify(facts).includes(reply.json.reference));
    expect(line?.level).toBe('error');
  });

  test('what was sent is in no log line', async () => {
    await edge.ask('POST', '/api/sessions', { token, body: { title: 'a very private title' } });
    await edge.ask('POST', '/api/sessions', { token, raw: '{"title": "a very private title", }' });
    expect(JSON.stringify(edge.log.lines)).not.toContain('private title');
    expect(JSON.stringify(edge.log.lines)).not.toContain(token);
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

describe('health', () => {
  test('/healthz is plain OK, /health has checks, version and isolation, /ready says that it is ready', async () => {
    const healthz = await edge.ask('GET', '/healthz');
    expect([healthz.text, healthz.headers['content-type']]).toEqual(['OK\n', 'text/plain; charset=utf-8']);
    const health = await edge.ask('GET', '/health');
    expect(health.json).toMatchObject({
      status: 'healthy',
      version: '0.1.0',
      isolation: { level: 2 },
      checks: { database: { status: 'healthy' } },
    });
    expect(health.json.uptime).toMatch(/^(\d+h)?(\d+m)?\d+s$/);
    const ready = await edge.ask('GET', '/ready');
    expect(ready.json).toEqual({
      ready: true,
      sealed: false,
      setup_required: false,
      checks: { database: true },
    });
  });

  test('an unhealthy check makes /health and /ready 503, a degraded one does not', async () => {
    const { report } = edge.health;
    edge.health.report = { ...report, checks: { engine: { status: 'degraded', message: 'restarting' } } };
    const degraded = await edge.ask('GET', '/health');
    expect([degraded.status, degraded.json.status]).toEqual([200, 'degraded']);
    edge.health.report = { ...report, checks: { database: { status: 'unhealthy' } } };
    expect((await edge.ask('GET', '/health')).status).toBe(503);
    expect((await edge.ask('GET', '/ready')).status).toBe(503);
    edge.health.report = report;
  });
});

describe('limits of the server', () => {
  test('too many requests from one client are 429 with Retry-After, another client is served', async () => {
    const small = await startAdminEdge({ server: { rateLimit: { rate: 1, burst: 5 } } });
    try {
      const replies = [];
      for (let i = 0; i < 7; i += 1) replies.push(await small.ask('GET', '/api/version'));
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
      const last = replies.at(-1);
      expect(last?.json.error).toBe('rate_limited');
      expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
      expect(last?.headers['x-ratelimit-remaining']).toBe('0');
      expect((await small.ask('GET', '/api/version', { from: '127.0.0.9' })).status).toBe(200);
      expect((await small.ask('GET', '/healthz')).status).toBe(200);
    } finally {
      await small.stop();
    }
  });

  test('the health paths are limited too, widely, and apart from the API', async () => {
    const small = await startAdminEdge({ server: { rateLimit: { rate: 1, burst: 5 } } });
    try {
      const statuses = [];
      for (let i = 0; i < 400; i += 1) {
        const path = ['/health', '/healthz', '/ready'][i % 3] ?? '';
        statuses.push((await small.ask('GET', path)).status);
      }
      expect(statuses.slice(0, 200)).not.toContain(429);
      expect(statuses).toContain(429);
      expect((await small.ask('GET', '/healthz', { from: '127.0.0.9' })).status).toBe(200);
      expect((await small.ask('GET', '/api/version')).status).toBe(200);
    } finally {
      await small.stop();
    }
  });

  test('one address can not hold all connections', async () => {
    const small = await startAdminEdge({ server: { limits: { connectionsPerAddress: 3 } } });
    const sockets = Array.from({ length: 3 }, () => connect(small.port, '127.0.0.1'));
    try {
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      await expect(small.ask('GET', '/healthz')).rejects.toThrow(/hang up|reset/i);
      expect((await small.ask('GET', '/healthz', { from: '127.0.0.9' })).status).toBe(200);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await small.ask('GET', '/healthz')).status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
      await small.stop();
    }
  });

  test('a taken port is a configuration error that says what to do', async () => {
    const options = { ...edge.deps.options, port: edge.port };
    const server = createAdminServer({ ...edge.deps, options });
    await expect(server.listen()).rejects.toMatchObject({ family: 'config', code: 'port_in_use' });
  });

  test('closing does not wait for a client that keeps its connection', async () => {
    const own = await startAdminEdge({ server: { limits: { closeMs: 100 } } });
    const socket = connect(own.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('POST /api/setup HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.on('error', () => undefined);
    await own.stop();
    await gone;
  });
});

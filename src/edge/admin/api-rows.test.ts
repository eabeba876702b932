/** What holds for every row of the route table, tried for every row of it (requirements §8.1). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, startAdminEdge, type AdminEdge, type Reply } from '../../../test/fakes/admin-edge.ts';
import type { AnyRoute } from './route.ts';
import { routeTable } from './routes/index.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE'];
const PAGE = '<!doctype html><title>the page</title>';

let edge: AdminEdge;
let token: string;
let rows: readonly AnyRoute[];

beforeAll(async () => {
  edge = await startAdminEdge({
    server: { rateLimit: { rate: 10_000, burst: 10_000 } },
    pages: new Map([['index.html', { body: Buffer.from(PAGE) }]]),
  });
  ({ token } = await edge.setUp());
  rows = routeTable({ ...edge.deps, version: '0.1.0' });
});
afterAll(() => edge.stop());

const pathOf = (row: AnyRoute): string => row.path.replaceAll(/:\w+/g, 'x');
const name = (row: AnyRoute): string => `${row.method} ${row.path}`;
const withBody = (): AnyRoute[] => rows.filter(({ method }) => method === 'POST' || method === 'PUT');

/** for one refusal. */
function expectRefusal(reply: Reply, status: number, code: string, of: string): void {
  expect([of, reply.status, reply.json?.error]).toEqual([of, status, code]);
  expect(reply.headers['content-type'], of).toBe('application/json');
  expect(reply.json.message, of).toMatch(/^[A-Z][^]{5,}/);
  expectHeaders(reply, of);
}

function expectHeaders({ headers }: Reply, of: string): void {
  expect(headers['content-security-policy'], of).toMatch(
    /default-src 'none';.*img-src 'self' data:;.*frame-ancestors 'none'/,
  );
  expect(headers, of).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers['permissions-policy'], of).toContain('geolocation=()');
  for (const cors of ['origin', 'credentials', 'methods', 'headers']) {
    expect(headers[`access-control-allow-${cors}`], of).toBeUndefined();
  }
}

test('what is served is the table, row for row (A-03)', () => {
  const served = edge.server.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`);
  expect(served).toEqual(rows.map(name));
  expect(new Set(served).size).toBe(served.length);
  expect(rows.length).toBeGreaterThan(40);
});

test('a path of the API that is in no row is 404 in JSON, whatever the client takes (A-01, A-02)', async () => {
  for (const path of ['/api', '/api/', '/api/x', '/api/sessions/', '/api/sessions/x/y/z', '/api/VERSION']) {
    for (const method of METHODS.filter((one) => one !== 'HEAD')) {
      const reply = await edge.ask(method, path, { token, headers: { accept: 'text/html' } });
      expectRefusal(reply, 404, 'not_found', `${method} ${path}`);
    }
  }
});

test('every path refuses the methods that it has not, and names those that it has (A-04)', async () => {
  for (const path of new Set(rows.map(pathOf))) {
    const known = rows.filter((row) => pathOf(row) === path).map(({ method }) => method as string);
    const heads = path.startsWith('/api/') ? [] : ['HEAD'];
    for (const method of METHODS.filter((one) => ![...known, ...heads].includes(one))) {
      const reply = await edge.ask(method, path, { token });
      if (method === 'HEAD') expect([path, reply.status]).toEqual([path, 405]);
      else expectRefusal(reply, 405, 'method_not_allowed', `${method} ${path}`);
      expect(reply.headers.allow?.split(', ').sort(), path).toEqual([...new Set(known)].sort());
    }
  }
});

test('every row that takes a body takes 1 MiB of it at most, JSON and nothing behind it, and no field that it does not know (A-05)', async () => {
  for (const row of withBody()) {
    const send = (raw: string, type = 'application/json') =>
      edge.ask(row.method, pathOf(row), { token, raw, headers: { 'content-type': type } });
    expectRefusal(await send(`{"a":"${'x'.repeat(1024 * 1024)}"}`), 413, 'body_too_large', name(row));
    const unknown = await send('{"not_in_any_schema":1}');
    expectRefusal(unknown, 400, 'invalid_request', name(row));
    expect(unknown.text, name(row)).toContain('not_in_any_schema');
    for (const raw of ['{}{}', '{} x', '[]', 'null', '"x"', '{"a":1,}', '\u{0}']) {
      expectRefusal(await send(raw), 400, 'invalid_request', `${name(row)} ${raw}`);
    }
    expectRefusal(await send('{}', 'text/plain'), 415, 'unsupported_media_type', name(row));
    for (const field of ['args', 'http', 'grant']) {
      const deep = await send(`{"${field}":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
      expectRefusal(deep, 400, 'invalid_request', name(row));
      expect(deep.text, name(row)).toContain('nested deeper');
    }
  }
});

test('a token counts in the header alone, a bad one in any form is the same 401, before the body is looked at (A-06)', async () => {
  const bad = ['', 'Bearer', 'Bearer ', `Basic ${token}`, `Bearer ${token} x`, `Bearer ${token}x`, token];
  for (const row of rows.filter(({ auth }) => auth === 'access')) {
    for (const authorization of bad) {
      const reply = await edge.ask(row.method, pathOf(row), { headers: { authorization } });
      expectRefusal(reply, 401, 'unauthorized', `${name(row)} ${authorization.slice(0, 10)}`);
    }
    for (const query of [`?token=${token}`, `?ticket=${await edge.ticket(token)}`]) {
      expectRefusal(await edge.ask(row.method, `${pathOf(row)}${query}`), 401, 'unauthorized', name(row));
    }
    const cookie = { cookie: `access=${token}; token=${token}; refresh=${token}` };
    expectRefusal(
      await edge.ask(row.method, pathOf(row), { headers: cookie }),
      401,
      'unauthorized',
      name(row),
    );
  }
});

test('no path answers the question of another origin whether it may ask (A-13)', async () => {
  for (const path of new Set(rows.filter((row) => row.path.startsWith('/api/')).map(pathOf))) {
    const reply = await edge.ask('OPTIONS', path, {
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expectRefusal(reply, 403, 'cross_origin', path);
  }
});

test('each answer tells the limit and what is left of it; a login that came too often also when to come back (A-11)', async () => {
  const small = await startAdminEdge({ server: { rateLimit: { rate: 1, burst: 40 } } });
  try {
    await small.setUp();
    const replies: Reply[] = [];
    for (let i = 0; i < 6; i += 1) {
      const body = { username: `user${i}`, password: 'wrong wrong wrong' };
      replies.push(await small.ask('POST', '/api/auth/login', { body, from: '127.0.2.1' }));
    }
    expect(replies.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429]);
    for (const reply of replies) {
      expect(reply.headers['x-ratelimit-limit']).toBe('40');
      expect(Number(reply.headers['x-ratelimit-remaining'])).toBeLessThan(40);
      expect(reply.headers['x-ratelimit-reset']).toMatch(/^\d+$/);
      if (reply.status !== 429) continue;
      expectRefusal(reply, 429, 'rate_limited', 'login');
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    }
  } finally {
    await small.stop();
  }
});

describe('before the setup is complete (A-14)', () => {
  let fresh: AdminEdge;
  beforeAll(async () => {
    fresh = await startAdminEdge({
      server: { rateLimit: { rate: 10_000, burst: 10_000 } },
      pages: new Map([['index.html', { body: Buffer.from(PAGE) }]]),
    });
  });
  afterAll(() => fresh.stop());

  const closed = async (step: string, open: readonly string[]) => {
    const passed: string[] = [];
    for (const row of rows) {
      const reply = await fresh.ask(row.method, pathOf(row));
      if (reply.status !== 503) {
        passed.push(name(row));
        continue;
      }
      expectRefusal(reply, 503, 'setup_required', name(row));
      expect(reply.json, name(row)).toMatchObject({
        setup_required: true,
        setup_step: step,
        redirect: '/setup',
      });
    }
    expect(passed.sort()).toEqual([...open].sort());
    for (const path of ['/', '/setup', '/login', '/chat/x']) {
      const page = await fresh.ask('GET', path, { headers: { accept: 'text/html' } });
      expect([path, page.status, page.text]).toEqual([path, 200, PAGE]);
    }
  };
  const always = [
    'GET /healthz',
    'GET /health',
    'GET /ready',
    'GET /readyz',
    'GET /api/version',
    'GET /api/setup/status',
    'POST /api/setup',
    'POST /api/setup/profile',
  ];

  test('nothing but the setup, the version and the health is open; pages are pages', async () => {
    await closed('account', always);
  });

  test('with an account but no profile there is also the login and the way to the key, and no more', async () => {
    const code = await fresh.identity.setup.begin();
    const made = await fresh.ask('POST', '/api/setup', {
      body: { username: 'admin', password: PASSWORD, confirm_password: PASSWORD, setup_code: code },
    });
    expect(made.status).toBe(200);
    await closed('profile', [
      ...always,
      'POST /api/auth/login',
      'POST /api/auth/logout',
      'GET /api/session',
      'DELETE /api/session',
      'GET /api/auth/me',
      'GET /api/vault',
      'POST /api/vault/unlock',
    ]);
  });
});

test('the documented codes come with their statuses (A-15)', async () => {
  const cases: [string, Promise<Reply>, number, string][] = [
    ['a wrong body', edge.ask('POST', '/api/sessions', { token, raw: '{' }), 400, 'invalid_request'],
    ['no token', edge.ask('GET', '/api/sessions'), 401, 'unauthorized'],
    ['nothing there', edge.ask('GET', '/api/sessions/none', { token }), 404, 'not_found'],
    [
      'a page of another site',
      edge.ask('GET', '/api/sessions', { token, headers: { origin: 'https://evil.example' } }),
      403,
      'cross_origin',
    ],
  ];
  for (const [what, reply, status, code] of cases) expectRefusal(await reply, status, code, what);
  edge.models.fail = new Error('broken');
  expectRefusal(await edge.ask('GET', '/api/models', { token }), 500, 'internal_error', 'a bug');
  edge.models.fail = undefined;
});

test('an unknown expectation is answered like any request, headers and all (A-12)', async () => {
  const reply = await edge.ask('GET', '/api/version', { headers: { expect: 'tea' } });
  expect([reply.status, reply.json]).toEqual([200, { version: '0.1.0' }]);
  expectHeaders(reply, 'expect');
});

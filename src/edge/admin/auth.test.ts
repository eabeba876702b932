import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SignJWT } from 'jose';
import { PASSWORD, startAdminEdge, USERNAME, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

describe('after it', () => {
  let edge: AdminEdge;
  let token: string;
  let cookie: string;
  beforeAll(async () => {
    edge = await startAdminEdge();
    ({ token, cookie } = await edge.setUp());
  });
  afterAll(() => edge.stop());

  test('a login answers with a token of 15 minutes and a cookie for one path', async () => {
    const reply = await edge.ask('POST', '/api/auth/login', {
      body: { username: 'ADMIN', password: PASSWORD },
    });
    expect(reply.json).toMatchObject({ username: USERNAME });
    const life = Date.parse(reply.json.expires_at) - edge.clock.now();
    expect(life).toBeGreaterThan(14 * 60_000);
    expect(life).toBeLessThanOrEqual(15 * 60_000);
    const [line = ''] = reply.headers['set-cookie'] ?? [];
    expect(line).toMatch(
      /^refresh=[\w-]{43}; Path=\/api\/session; Max-Age=2(59200|59199); HttpOnly; SameSite=Strict$/,
    );
    expect((await edge.ask('GET', '/api/auth/me', { token: reply.json.access_token })).json).toEqual({
      username: USERNAME,
      role: 'admin',
    });
    const [row] = edge.events('login.ok');
    expect(row?.actor).toBe(`user:${USERNAME}`);
  });

  test('the database holds neither password nor token', async () => {
    const rows = JSON.stringify([
      edge.database.all('SELECT * FROM users'),
      edge.database.all('SELECT * FROM refresh_tokens'),
      edge.database.all('SELECT * FROM login_families'),
      edge.database.all('SELECT * FROM audit'),
    ]);
    for (const secret of [PASSWORD, token, cookie]) expect(rows).not.toContain(secret);
    expect(rows).toContain('$argon2id$v=19$');
  });

  test('no cookie, a wrong one and one of another form are 401; a wrong one is taken away', async () => {
    const none = await edge.ask('GET', '/api/session');
    expect([none.status, none.json.error]).toEqual([401, 'no_refresh_token']);
    const wrong = await edge.ask('GET', '/api/session', { cookie: 'x'.repeat(43) });
    expect([wrong.status, wrong.json.error, wrong.cookie]).toEqual([401, 'invalid_refresh_token', '']);
    for (const header of ['refresh=abc', `refresh=${'a'.repeat(43)}; refresh=${'b'.repeat(43)}`]) {
      const reply = await edge.ask('GET', '/api/session', { headers: { cookie: header } });
      expect([header, reply.json.error]).toEqual([header, 'no_refresh_token']);
    }
  });

  test('a logout acts at once: token, cookie and ticket are dead', async () => {
    const session = await edge.login();
    const ticket = await edge.ticket(session.token);
    const conversation = edge.conversations.create();
    const reply = await edge.ask('POST', '/api/auth/logout', { token: session.token });
    expect([reply.status, reply.cookie]).toEqual([204, '']);
    expect((await edge.ask('GET', '/api/auth/me', { token: session.token })).status).toBe(401);
    expect((await edge.ask('GET', '/api/session', { cookie: session.cookie })).status).toBe(401);
    expect(await edge.chat(conversation.id, `ticket=${ticket}`).opened).toBe(401);
    expect(edge.events('login.logout')).toHaveLength(1);
  });

  test('an expired token still ends its session, and nothing else', async () => {
    const session = await edge.login();
    edge.clock.advance(16 * 60_000);
    expect((await edge.ask('GET', '/api/auth/me', { token: session.token })).status).toBe(401);
    await edge.ask('POST', '/api/auth/logout', { token: session.token });
    expect((await edge.ask('GET', '/api/session', { cookie: session.cookie })).status).toBe(401);
  });

  test('DELETE /api/session ends the session of the cookie', async () => {
    const session = await edge.login();
    const reply = await edge.ask('DELETE', '/api/session', { cookie: session.cookie });
    expect([reply.status, reply.cookie]).toEqual([204, '']);
    expect((await edge.ask('GET', '/api/auth/me', { token: session.token })).status).toBe(401);
  });

  test('sessions are listed and ended one by one or all but the own', async () => {
    const one = await edge.login({ headers: { 'user-agent': 'First/1' }, from: '127.0.0.7' });
    const two = await edge.login();
    const { sessions } = (await edge.ask('GET', '/api/auth/sessions', { token: two.token })).json;
    const first = sessions.find(({ user_agent }: { user_agent: string }) => user_agent === 'First/1');
    expect(first).toMatchObject({ current: false, address: '127.0.0.7' });
    expect(sessions.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
    const path = `/api/auth/sessions/${first.id}`;
    expect((await edge.ask('DELETE', path, { token: two.token })).status).toBe(204);
    expect((await edge.ask('DELETE', path, { token: two.token })).status).toBe(404);
    expect((await edge.ask('GET', '/api/auth/me', { token: one.token })).status).toBe(401);
    const ended = await edge.ask('DELETE', '/api/auth/sessions', { token: two.token });
    expect(ended.json.ended).toBe(sessions.length - 2);
    expect((await edge.ask('GET', '/api/auth/me', { token: two.token })).status).toBe(200);
    expect(edge.events('session.revoked').length).toBe(sessions.length - 1);
  });

  test('an approval asks for the password when it is told to, under the limits of the login', async () => {
    const session = await edge.login();
    const approve = (password?: string) =>
      edge.ask('POST', '/api/approvals/apr_1/approve', {
        token: session.token,
        from: '127.0.0.8',
        body: { digest: 'abc', ...(password === undefined ? {} : { password }) },
      });
    const first = await approve();
    expect([first.status, first.json.error]).toEqual([403, 'step_up_required']);
    const wrong = await approve('not the password 1');
    expect([wrong.status, wrong.json.error]).toEqual([403, 'wrong_password']);
    expect((await approve(PASSWORD)).status).toBe(200);
    expect(edge.approvals.approved).toEqual([{ id: 'apr_1', digest: 'abc', by: USERNAME }]);
    for (let i = 0; i < 4; i += 1) await approve('not the password 1');
    const limited = await approve(PASSWORD);
    expect([limited.status, limited.json.error]).toEqual([429, 'rate_limited']);
  });
});

describe('a changed password', () => {
  test('needs the old one, ends every session, and starts one for the client that changed it', async () => {
    const edge = await startAdminEdge();
    try {
      await edge.setUp();
      const other = await edge.login();
      const { token, cookie } = await edge.login();
      const next = 'quite another kettle 12';
      const change = (current: string, fresh: string, confirm = fresh) =>
        edge.ask('POST', '/api/auth/password', {
          token,
          body: { current_password: current, new_password: fresh, confirm_password: confirm },
        });
      expect((await change('wrong wrong wrong 1', next)).json.error).toBe('wrong_password');
      expect((await change(PASSWORD, next, 'different')).json.error).toBe('password_mismatch');
      expect((await change(PASSWORD, 'weak')).json.error).toBe('invalid_password');
      expect((await change(PASSWORD, PASSWORD)).json.error).toBe('invalid_password');
      const changed = await change(PASSWORD, next);
      expect(changed.status).toBe(200);
      for (const dead of [token, other.token]) {
        expect((await edge.ask('GET', '/api/auth/me', { token: dead })).status).toBe(401);
      }
      expect((await edge.ask('GET', '/api/session', { cookie })).status).toBe(401);
      expect((await edge.ask('GET', '/api/session', { cookie: changed.cookie })).status).toBe(200);
      expect((await edge.ask('GET', '/api/auth/me', { token: changed.json.access_token })).status).toBe(200);
      const old = await edge.ask('POST', '/api/auth/login', {
        body: { username: USERNAME, password: PASSWORD },
      });
      expect(old.status).toBe(401);
      expect(edge.events('password.changed')).toHaveLength(1);

      await edge.identity.account.resetPassword('Admin', 'set by the operator 9');
      expect((await edge.ask('GET', '/api/auth/me', { token: changed.json.access_token })).status).toBe(401);
      expect(edge.events('password.changed')[0]?.actor).toBe('operator');
    } finally {
      await edge.stop();
    }
  });
});

describe('a login that overlaps a change of the password', () => {
  test('with the old password starts no session', async () => {
    const edge = await startAdminEdge({
      identity: { hasher: { cost: { memory: 65_536, passes: 3, parallelism: 1 } } },
    });
    try {
      const code = await edge.identity.setup.begin();
      await edge.ask('POST', '/api/setup', {
        body: {
          username: USERNAME,
          password: PASSWORD,
          confirm_password: PASSWORD,
          setup_code: code,
        },
      });
      const login = edge.ask('POST', '/api/auth/login', {
        body: { username: USERNAME, password: PASSWORD },
      });
      // While that one hashes: as if another program had set a password.
      await new Promise((resolve) => setTimeout(resolve, 60));
      edge.database.run("UPDATE users SET password_hash = password_hash || 'x'");
      const reply = await login;
      expect([reply.status, reply.json.error]).toEqual([401, 'invalid_credentials']);
      expect(edge.events('login.ok')).toEqual([]);
    } finally {
      await edge.stop();
    }
  });
});

describe('an access token', () => {
  let edge: AdminEdge;
  let token: string;
  beforeAll(async () => {
    edge = await startAdminEdge();
    ({ token } = await edge.setUp());
  });
  afterAll(() => edge.stop());

  const part = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString());
  const seal = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const me = async (forged: string) => (await edge.ask('GET', '/api/auth/me', { token: forged })).status;

  test('names its issuer, audience, key, user, session and end', () => {
    const [header = '', payload = ''] = token.split('.');
    expect(part(header)).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[0-9a-f]{12}$/) });
    const claims = part(payload);
    expect(claims).toMatchObject({
      iss: 'openpact',
      aud: 'openpact-admin',
      name: USERNAME,
      type: 'access',
      sub: expect.stringMatching(/^usr_/),
      sid: expect.stringMatching(/^fam_/),
      jti: expect.stringMatching(/^jwt_/),
    });
    expect(claims.exp - claims.iat).toBe(900);
  });

  test('that is changed, unsigned, of another key or another algorithm is refused', async () => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    expect(await me(token)).toBe(200);
    expect(await me(`${header}.${seal({ ...part(payload), name: 'root' })}.${signature}`)).toBe(401);
    expect(await me(`${seal({ alg: 'none', typ: 'JWT' })}.${payload}.`)).toBe(401);
    expect(await me(`${seal({ ...part(header), alg: 'none' })}.${payload}.${signature}`)).toBe(401);
    expect(await me(`${header}.${payload}.${'A'.repeat(signature.length)}`)).toBe(401);
    const other = createHmac('sha256', 'another key of at least 32 bytes!').update(`${header}.${payload}`);
    expect(await me(`${header}.${payload}.${other.digest('base64url')}`)).toBe(401);
    const embedded = seal({ ...part(header), jwk: { kty: 'oct', k: 'YWFh' } });
    expect(await me(`${embedded}.${payload}.${signature}`)).toBe(401);
  });

  test('signed with our key but with other claims is refused', async () => {
    // The identity is asked for its key through a twin with a known one.
    const key = new TextEncoder().encode('a key that this test knows, 32 by');
    const { createTokens } = await import('../../guard/identity/tokens.ts');
    const user = edge.database.get<{ id: string }>('SELECT id FROM users');
    const row = edge.identity.users.byId(user?.id ?? '');
    if (!row) throw new Error('no user');
    const [family] = edge.identity.sessions.list(row.id);
    const tokens = createTokens({
      key,
      users: { byId: edge.identity.users.byId } as never,
      sessions: edge.identity.sessions,
      clock: edge.clock,
    });
    const { token: good } = await tokens.issue(row, family?.id ?? '');
    expect(await tokens.verify(good)).toBeDefined();
    const header = part(good.split('.')[0] ?? '');
    const claims = part(good.split('.')[1] ?? '');
    const sign = (change: object, head: object = {}) =>
      new SignJWT({ ...claims, ...change }).setProtectedHeader({ ...header, ...head }).sign(key);
    expect(await tokens.verify(await sign({}))).toBeDefined();
    const now = Math.floor(edge.clock.now() / 1000);
    const bad = [
      await sign({ iss: 'somebody' }),
      await sign({ aud: 'openpact-mcp' }),
      await sign({ type: 'refresh' }),
      await sign({ exp: now - 1 }),
      await sign({ exp: undefined }),
      await sign({ nbf: now + 60 }),
      await sign({ sid: 'fam_other' }),
      await sign({ sub: 'usr_other' }),
      await sign({}, { kid: 'other' }),
      await sign({}, { typ: 'other' }),
      await sign({}, { alg: 'HS384' }),
    ];
    for (const [index, forged] of bad.entries()) {
      expect([index, await tokens.verify(forged)]).toEqual([index, undefined]);
    }
  });

  test('dies with its 15 minutes', async () => {
    edge.clock.advance(15 * 60_000 - 5_000);
    expect(await me(token)).toBe(200);
    edge.clock.advance(10_000);
    expect(await me(token)).toBe(401);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PASSWORD, startAdminEdge, USERNAME, type AdminEdge } from '../fakes/admin-edge.ts';

describe('guessing passwords', () => {
  let edge: AdminEdge;
  beforeEach(async () => {
    edge = await startAdminEdge({
      // The pause is tried by its order below, not by the seconds that it takes.
      identity: { login: { maxPauseMs: 20 }, hasher: { cost: { memory: 1024, passes: 1, parallelism: 1 } } },
      server: { trustedProxies: ['127.0.0.5'] },
    });
    await edge.setUp();
  });
  afterEach(() => edge.stop());

  const guess = (password: string, from: string, username = USERNAME) =>
    edge.ask('POST', '/api/auth/login', { from, body: { username, password } });
  const guessBehindProxy = (password: string, client: string, username = USERNAME) =>
    edge.ask('POST', '/api/auth/login', {
      from: '127.0.0.5',
      headers: { 'x-forwarded-for': client },
      body: { username, password },
    });

  test('ten wrong passwords: five are looked at, then 429, also for the right one, for a minute', async () => {
    const statuses = [];
    for (let i = 0; i < 10; i += 1) statuses.push((await guess(`wrong ${i}`, '127.0.0.66')).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429, 429, 429]);
    const limited = await guess(PASSWORD, '127.0.0.66');
    expect([limited.status, limited.json.error]).toEqual([429, 'rate_limited']);
    const wait = Number(limited.headers['retry-after']);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(limited.json.retry_after_s).toBe(wait);
    edge.clock.advance(wait * 1000);
    expect((await guess(PASSWORD, '127.0.0.66')).status).toBe(200);
    expect(edge.events('login.failed')).toHaveLength(5);
    // One row for a flood, not one for each refusal.
    expect(edge.events('login.limited')).toHaveLength(1);
  });

  test('ten at once get no further than ten in a row', async () => {
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, index) => guess(`wrong ${index}`, '127.0.0.66')),
    );
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(replies.filter(({ status }) => status === 429)).toHaveLength(5);
  });

  test('the owner elsewhere is never locked out, however many others fail in their name', async () => {
    for (let i = 1; i <= 30; i += 1) {
      const reply = await guess('wrong', `127.0.2.${i}`);
      expect(reply.status).toBe(401);
    }
    expect((await guess(PASSWORD, '127.0.0.1')).status).toBe(200);
  });

  test('one address is limited over all user names, and a success does not wash it clean', async () => {
    for (let i = 0; i < 3; i += 1) await guess('wrong', '127.0.0.66', `user${i}`);
    expect((await guess(PASSWORD, '127.0.0.66')).status).toBe(200);
    expect((await guess('wrong', '127.0.0.66', 'user3')).status).toBe(401);
    expect((await guess('wrong', '127.0.0.66', 'user4')).status).toBe(401);
    expect((await guess('wrong', '127.0.0.66', 'user5')).status).toBe(429);
  });

  test('right passwords are not counted', async () => {
    for (let i = 0; i < 8; i += 1) expect((await guess(PASSWORD, '127.0.0.1')).status).toBe(200);
  });

  test('an IPv6 network of 2^64 addresses is one client, and an IPv4 address in IPv6 form is itself', async () => {
    for (let i = 1; i <= 5; i += 1) {
      expect((await guessBehindProxy('wrong', `2001:db8:1:2::${i}`)).status).toBe(401);
    }
    expect((await guessBehindProxy('wrong', '2001:db8:1:2:ffff::9')).status).toBe(429);
    expect((await guessBehindProxy('wrong', '2001:db8:1:3::1')).status).toBe(401);
    for (let i = 1; i <= 5; i += 1) await guessBehindProxy('wrong', '198.51.100.7');
    expect((await guessBehindProxy('wrong', '::ffff:198.51.100.7')).status).toBe(429);
  });

  test('a made-up X-Forwarded-For does not give a new address', async () => {
    const statuses = [];
    for (let i = 0; i < 7; i += 1) {
      const reply = await edge.ask('POST', '/api/auth/login', {
        from: '127.0.0.66',
        headers: { 'x-forwarded-for': `203.0.113.${i}` },
        body: { username: USERNAME, password: 'wrong' },
      });
      statuses.push(reply.status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  test('what was typed is not recorded: people type passwords into the field for the name', async () => {
    await guess('wrong', '127.0.0.1', 'my-secret-password');
    const rows = JSON.stringify(edge.audit.list({ limit: 100 }));
    expect(rows).not.toContain('my-secret-password');
    expect(edge.events('login.failed')[0]?.details).toBe('{"known":false}');
  });
});

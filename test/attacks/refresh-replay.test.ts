import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../fakes/admin-edge.ts';

describe('a stolen refresh cookie', () => {
  let edge: AdminEdge;
  let cookie: string;
  beforeEach(async () => {
    edge = await startAdminEdge();
    ({ cookie } = await edge.setUp());
  });
  afterEach(() => edge.stop());

  const refresh = (value: string | undefined) => edge.ask('GET', '/api/session', { cookie: value });

  test('is good for one use; every use gives another', async () => {
    const seen = new Set([cookie]);
    let current: string | undefined = cookie;
    for (let i = 0; i < 5; i += 1) {
      const reply = await refresh(current);
      expect(reply.status).toBe(200);
      current = reply.cookie;
      expect(seen.has(current ?? '')).toBe(false);
      seen.add(current ?? '');
      edge.clock.advance(60_000);
    }
  });

  test('within ten seconds two tabs get the same successor and both live on', async () => {
    const replies = await Promise.all([1, 2, 3, 4].map(() => refresh(cookie)));
    expect(new Set(replies.map((reply) => reply.cookie)).size).toBe(1);
    edge.clock.advance(9_000);
    expect((await refresh(cookie)).cookie).toBe(replies[0]?.cookie);
    edge.clock.advance(60_000);
    const next = await refresh(replies[0]?.cookie);
    expect(next.status).toBe(200);
    for (const { json } of [...replies, next]) {
      expect((await edge.ask('GET', '/api/auth/me', { token: json.access_token })).status).toBe(200);
    }
  });

  test('a late tab whose successor was used meanwhile gets the newest, not a dead one', async () => {
    const first = await refresh(cookie);
    const second = await refresh(first.cookie);
    const late = await refresh(cookie);
    expect(late.cookie).toBe(second.cookie);
    edge.clock.advance(60_000);
    expect((await refresh(late.cookie)).status).toBe(200);
  });

  test('later than ten seconds its reuse ends the whole session, thief and owner alike', async () => {
    const owner = await refresh(cookie);
    const token = owner.json.access_token;
    expect((await edge.ask('GET', '/api/auth/me', { token })).status).toBe(200);
    edge.clock.advance(10_500);
    const thief = await refresh(cookie);
    expect([thief.status, thief.json.error, thief.cookie]).toEqual([401, 'invalid_refresh_token', '']);
    expect((await refresh(owner.cookie)).status).toBe(401);
    expect((await edge.ask('GET', '/api/auth/me', { token })).status).toBe(401);
    const [row] = edge.events('login.refresh_reused');
    expect(row?.outcome).toBe('refused');
    expect(row?.details).not.toContain(cookie);
    // Another login of the same user is another session.
    const other = await edge.login();
    expect((await refresh(other.cookie)).status).toBe(200);
  });

  test('a clock that is set back does not make the ten seconds longer', async () => {
    await refresh(cookie);
    edge.clock.set(-3600_000);
    expect((await refresh(cookie)).status).toBe(401);
  });

  test('the database gives no token: neither what it holds nor its hash is accepted', async () => {
    const rows = edge.database.all<{ token_hash: string }>('SELECT token_hash FROM refresh_tokens');
    for (const { token_hash: hash } of rows) {
      expect((await refresh(hash.slice(0, 43))).status).toBe(401);
      expect((await refresh(Buffer.from(hash, 'hex').toString('base64url'))).status).toBe(401);
    }
    expect((await refresh(cookie)).status).toBe(200);
  });

  test('it ends 72 hours after its last use, and after 30 days in any case', async () => {
    let current: string | undefined = cookie;
    const day = 24 * 3600_000;
    for (let days = 0; days < 28; days += 2) {
      edge.clock.advance(2 * day);
      const reply = await refresh(current);
      expect([days, reply.status]).toEqual([days, 200]);
      current = reply.cookie;
    }
    edge.clock.advance(1.9 * day);
    const nearly = await refresh(current);
    expect(nearly.status).toBe(200);
    edge.clock.advance(day);
    expect((await refresh(nearly.cookie)).status).toBe(401);

    const idle = await edge.login();
    edge.clock.advance(72 * 3600_000 + 1000);
    expect((await refresh(idle.cookie)).status).toBe(401);
  });
});

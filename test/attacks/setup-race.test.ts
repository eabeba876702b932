import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PASSWORD, startAdminEdge, type AdminEdge } from '../fakes/admin-edge.ts';

describe('setup raced', () => {
  let edge: AdminEdge;
  beforeEach(async () => {
    // Room for all at once: what is tried here is the transaction, not the queue of hashes.
    edge = await startAdminEdge({
      identity: { hasher: { cost: { memory: 4096, passes: 2, parallelism: 1 }, waiting: 64 } },
    });
  });
  afterEach(() => edge.stop());

  async function race(count: number): Promise<void> {
    const code = await edge.identity.setup.begin();
    const replies = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        edge.ask('POST', '/api/setup', {
          // Each from an address of its own, so that no limit helps.
          from: `127.0.1.${index + 1}`,
          body: {
            username: `racer${index}`,
            password: PASSWORD,
            confirm_password: PASSWORD,
            setup_code: code,
          },
        }),
      ),
    );
    const winners = replies.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const loser of replies.filter(({ status }) => status !== 200)) {
      expect([loser.status, loser.json.error]).toEqual([403, 'setup_complete']);
      expect(loser.cookie).toBeUndefined();
    }
    expect(edge.database.all('SELECT id FROM users')).toHaveLength(1);
    expect(edge.database.all('SELECT id FROM login_families')).toHaveLength(1);
    expect(edge.events('setup.account').filter(({ outcome }) => outcome === 'ok')).toHaveLength(1);
    expect(edge.codes.written).toBeUndefined();
  }

  test('by two gives one account', () => race(2));
  test('by twenty gives one account', () => race(20));

  test('by two programs on one database gives one account', async () => {
    const other = edge.makeIdentity();
    const codes = [await edge.identity.setup.begin(), await other.setup.begin()];
    const outcomes = await Promise.allSettled(
      [edge.identity, other].map((identity, index) =>
        identity.setup.createAccount(
          {
            username: `racer${index}`,
            password: PASSWORD,
            confirm_password: PASSWORD,
            setup_code: codes[index] ?? '',
          },
          { address: '127.0.0.1', userAgent: '' },
        ),
      ),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(edge.database.all('SELECT id FROM users')).toHaveLength(1);
  });

  test('guessing the code is limited per address, and the owner elsewhere is not shut out', async () => {
    const code = await edge.identity.setup.begin();
    const body = { username: 'mallory', password: PASSWORD, confirm_password: PASSWORD };
    const statuses = [];
    for (let i = 0; i < 8; i += 1) {
      const reply = await edge.ask('POST', '/api/setup', {
        from: '127.0.0.66',
        body: { ...body, setup_code: `0000-0000-0000-000${i}` },
      });
      statuses.push(reply.status);
    }
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429, 429]);
    // Even the right code is not looked at from there.
    const right = await edge.ask('POST', '/api/setup', {
      from: '127.0.0.66',
      body: { ...body, setup_code: code },
    });
    expect(right.status).toBe(429);
    const owner = await edge.ask('POST', '/api/setup', {
      body: { ...body, username: 'owner', setup_code: code },
    });
    expect(owner.status).toBe(200);
  });

  test('a profile without the bearer of the account, or before it, changes nothing', async () => {
    const profile = { agent_name: 'Evil', personality: 'calm', user_name: 'x', timezone: 'UTC' };
    expect((await edge.ask('POST', '/api/setup/profile', { body: profile })).status).toBe(401);
    const code = await edge.identity.setup.begin();
    const made = await edge.ask('POST', '/api/setup', {
      body: { username: 'owner', password: PASSWORD, confirm_password: PASSWORD, setup_code: code },
    });
    expect((await edge.ask('POST', '/api/setup/profile', { body: profile })).status).toBe(401);
    expect(edge.profiles).toEqual([]);
    const token = made.json.access_token;
    const replies = await Promise.all(
      [1, 2, 3].map(() => edge.ask('POST', '/api/setup/profile', { token, body: profile })),
    );
    expect(replies.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 403, 403]);
    expect(edge.profiles).toHaveLength(1);
  });
});

import { hashSync } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUsersStore } from '../../src/host/storage/users-store.ts';
import { startAdminEdge, USERNAME, type AdminEdge } from '../fakes/admin-edge.ts';

describe('finding out who has an account', () => {
  let edge: AdminEdge;
  beforeAll(async () => {
    // The real cost would hide a shortcut less, but take a minute: this one is far above the noise all the same.
    edge = await startAdminEdge({
      identity: { login: { maxPauseMs: 0 }, hasher: { cost: { memory: 16_384, passes: 2, parallelism: 1 } } },
    });
    await edge.setUp();
  });
  afterAll(() => edge.stop());

  let host = 0;
  async function attempt(username: string) {
    host += 1;
    const started = performance.now();
    const reply = await edge.ask('POST', '/api/auth/login', {
      from: `127.0.3.${host}`,
      body: { username, password: 'a wrong password 1' },
    });
    return { reply, ms: performance.now() - started };
  }

  test('answers are the same, byte for byte', async () => {
    const known = (await attempt(USERNAME)).reply;
    const unknown = (await attempt('nobody')).reply;
    expect(unknown.status).toBe(known.status);
    expect(unknown.text).toBe(known.text);
    const names = (headers: object) => Object.keys(headers).sort();
    expect(names(unknown.headers)).toEqual(names(known.headers));
  });

  const asLong = async (): Promise<void> => {
    const times = { known: [] as number[], unknown: [] as number[] };
    // In turns, so that whatever else the machine does hits both.
    for (let i = 0; i < 12; i += 1) {
      times.known.push((await attempt(USERNAME)).ms);
      times.unknown.push((await attempt(`nobody${i}`)).ms);
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
    const ratio = median(times.unknown) / median(times.known);
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  };

  test('they take as long: an unknown user costs a hash too', asLong);

  test('they take as long while the account still has the bcrypt hash that was imported', async () => {
    const users = createUsersStore(edge.database);
    const user = users.byName(USERNAME);
    // It costs much more than the other hash here: whoever is spared it shows.
    users.setPassword(user?.id ?? '', hashSync('violet otter kettle lamp', 10), undefined);
    await asLong();
  }, 60_000);
});

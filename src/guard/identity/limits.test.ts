import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { addressKey } from './address-key.ts';
import { createAttempts } from './attempts.ts';
import { createCredentials } from './credentials.ts';
import { createTokenBuckets } from './rate-limit.ts';
import { tokenKey } from './tokens.ts';

function handClock() {
  let time = 0;
  return { monotonic: () => time, now: () => time, advance: (ms: number) => void (time += ms) };
}

describe('token buckets', () => {
  test('let a burst through, then the rate, and say when to come back', () => {
    const clock = handClock();
    const buckets = createTokenBuckets({ rate: 2, burst: 3, clock });
    expect([1, 2, 3].map(() => buckets.take('a').allowed)).toEqual([true, true, true]);
    const refused = buckets.take('a');
    expect(refused).toEqual({ allowed: false, limit: 3, remaining: 0, resetMs: 1500, retryAfterMs: 500 });
    expect(buckets.take('b').allowed).toBe(true);
    clock.advance(499);
    expect(buckets.take('a').allowed).toBe(false);
    clock.advance(1);
    expect(buckets.take('a').allowed).toBe(true);
  });

  test('never let more through than burst + rate × time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), (pauses) => {
        const clock = handClock();
        const buckets = createTokenBuckets({ rate: 5, burst: 4, clock });
        let allowed = 0;
        for (const pause of pauses) {
          clock.advance(pause);
          if (buckets.take('a').allowed) allowed += 1;
        }
        expect(allowed).toBeLessThanOrEqual(4 + (5 * clock.monotonic()) / 1000 + 1e-6);
      }),
    );
  });

  test('remember a bounded number of keys', () => {
    const buckets = createTokenBuckets({ rate: 1, burst: 1, maxKeys: 10, clock: handClock() });
    for (let i = 0; i < 1000; i += 1) buckets.take(`k${i}`);
    expect(buckets.size).toBe(10);
    expect(buckets.take('k999').allowed).toBe(false);
  });
});

describe('attempts', () => {
  test('are at most five in any minute, not only on average', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 100 }), (pauses) => {
        const clock = handClock();
        const attempts = createAttempts({ max: 5, windowMs: 60_000, clock });
        const taken: number[] = [];
        for (const pause of pauses) {
          clock.advance(pause);
          if (attempts.take('a').ok) taken.push(clock.monotonic());
        }
        for (const start of taken) {
          expect(taken.filter((time) => time >= start && time < start + 60_000).length).toBeLessThanOrEqual(
            5,
          );
        }
      }),
    );
  });

  test('that were given back count no more; a reset clears them', () => {
    const attempts = createAttempts({ max: 1, windowMs: 1000, clock: handClock() });
    const first = attempts.take('a');
    expect(attempts.take('a').ok).toBe(false);
    if (first.ok) first.giveBack();
    expect(attempts.take('a').ok).toBe(true);
    attempts.reset('a');
    expect(attempts.take('a').ok).toBe(true);
  });
});

describe('the pause before a check', () => {
  test('grows with the failures of a user, whoever they came from, up to its end; a success ends it', async () => {
    const clock = handClock();
    const pauses: number[] = [];
    const credentials = createCredentials({
      clock,
      sleep: async (ms) => void pauses.push(ms),
      hasher: {
        hash: async () => '',
        verify: async (password) => ({ ok: password === 'right', rehash: false }),
      },
    });
    let host = 0;
    const attempt = (password: string, username = 'Admin') => {
      host += 1;
      const address = `10.0.${Math.floor(host / 200)}.${host % 200}`;
      return credentials.check({ username, user: undefined, password, address });
    };
    for (let i = 0; i < 12; i += 1) await attempt('wrong');
    expect(pauses).toEqual([125, 250, 500, 1000, 2000, 2000, 2000, 2000, 2000]);
    await attempt('wrong', 'other');
    expect(pauses).toHaveLength(9);
    await attempt('right', 'aDMIN');
    expect(pauses).toHaveLength(10);
    await attempt('right');
    expect(pauses).toHaveLength(10);
    for (let i = 0; i < 5; i += 1) await attempt('wrong');
    clock.advance(15 * 60_000);
    pauses.length = 0;
    await attempt('wrong');
    expect(pauses).toEqual([]);
  });

  test('a check that could not be made does not count', async () => {
    const clock = handClock();
    const credentials = createCredentials({
      clock,
      hasher: { hash: async () => '', verify: async () => Promise.reject(new Error('busy')) },
    });
    const check = { username: 'a', user: undefined, password: 'x', address: '10.0.0.1' };
    for (let i = 0; i < 20; i += 1) await expect(credentials.check(check)).rejects.toThrow('busy');
  });
});

describe('the key of an address', () => {
  test('is the address for IPv4, the /64 for IPv6', () => {
    expect(addressKey('192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('2001:db8::1')).toBe(addressKey('2001:db8:0:0:ffff::1'));
    expect(addressKey('2001:db8::1')).not.toBe(addressKey('2001:db8:0:1::1'));
    expect(addressKey('nonsense')).toBe('nonsense');
  });
});

describe('ADMIN_JWT_SECRET', () => {
  test('must have 32 bytes; without it the key of the workspace is taken', () => {
    const kept = new Uint8Array(32);
    expect(tokenKey(undefined, kept)).toBe(kept);
    expect(tokenKey('', kept)).toBe(kept);
    expect(tokenKey('x'.repeat(32), kept)).toHaveLength(32);
    expect(() => tokenKey('x'.repeat(31), kept)).toThrow(
      expect.objectContaining({ family: 'config', code: 'jwt_secret_short' }),
    );
  });
});

import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { judgePassword } from './password-rule.ts';
import { createPasswordHasher, DEFAULT_COST } from './passwords.ts';
import { newSetupCode, sameSetupCode } from './setup-code.ts';

const CHEAP = { memory: 256, passes: 1, parallelism: 1 };

describe('the rule for passwords', () => {
  const code = (password: string, name = 'admin') => {
    const verdict = judgePassword(password, name);
    return verdict.ok ? 'ok' : verdict.code;
  };

  test('takes 16 characters, or 12 with three classes', () => {
    for (const good of [
      'violet otter kettle lamp',
      'violet otter ket',
      'Kettle-Otter9',
      'Tr0ub4dor&3xQ',
      'mjölnir häck öl!',
      'пароль длинный слон',
      '7f!9K#2m@Q5x',
      '839204716253948105',
      '🦊🐙🌵🍉🎈🚲🪁🧊🎻🪐🧭🛶abcxyq',
    ]) {
      expect([good, code(good)]).toEqual([good, 'ok']);
    }
  });

  test('refuses what is short or of too few kinds, counted in characters and not in bytes', () => {
    for (const weak of [
      '',
      'Sh0rt!',
      'Elevenchar1',
      'violetotter12',
      'violetotterke',
      'ääääöööö',
      '🦊🐙🌵🍉🎈🚲🪁🧊',
    ]) {
      expect([weak, code(weak)]).toEqual([weak, 'password_too_weak']);
    }
  });

  test('refuses what everybody takes', () => {
    for (const common of [
      'Password1234!',
      'P@ssw0rd1234',
      'passwordpassword',
      'Welcome2024!!',
      'Summer2024!!!',
      'qwertyuiop123456',
      '1234567890123456',
      'abcdefghijklmnop',
      'aaaaaaaaaaaaaaaa',
      'Admin123456!',
      'openpact-openpact',
      'correct horse battery staple',
      'Iloveyou1234!',
      '1qaz2wsx3edc4rfv',
      'Letmein12345!',
      'abcabcabcabcabcabc',
    ]) {
      expect([common, code(common)]).toEqual([common, 'password_too_common']);
    }
    expect(code('Marguerite!1', 'marguerite')).toBe('password_too_common');
  });

  test('refuses more than 1,024 bytes and broken characters', () => {
    expect(code('aé'.repeat(512))).toBe('password_too_long');
    expect(code('violet otter kettle \ud800')).toBe('password_invalid');
  });

  test('never throws and is quick, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ maxLength: 64 }),
        (text, name) => {
          judgePassword(text, name);
        },
      ),
      { numRuns: 200 },
    );
    const started = performance.now();
    for (const text of ['a'.repeat(1024), 'ab'.repeat(512), 'aab'.repeat(341), '12'.repeat(512)]) {
      judgePassword(text, 'x');
    }
    // Only against something that explodes.
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('hashes of passwords', () => {
  test('are argon2id with 64 MiB and three passes, and know the right password only', async () => {
    const hasher = createPasswordHasher();
    const hash = await hasher.hash('violet otter kettle');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await hasher.verify('violet otter kettle', hash)).toEqual({ ok: true, rehash: false });
    expect((await hasher.verify('violet otter kettlE', hash)).ok).toBe(false);
    expect(DEFAULT_COST).toEqual({ memory: 65_536, passes: 3, parallelism: 1 });
  });

  test('are those of the reference implementation', async () => {
    // A test vector of the reference implementation (argon2id, t = 2, m = 2^16, p = 1, "password", "somesalt").
    const reference =
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const hasher = createPasswordHasher();
    expect(await hasher.verify('password', reference)).toEqual({ ok: true, rehash: true });
  });

  test('are salted', async () => {
    const hasher = createPasswordHasher({ cost: CHEAP });
    expect(await hasher.hash('x')).not.toBe(await hasher.hash('x'));
  });

  test('of another cost are good and want to be renewed', async () => {
    const old = await createPasswordHasher({ cost: { ...CHEAP, passes: 2 } }).hash('x');
    expect(await createPasswordHasher({ cost: CHEAP }).verify('x', old)).toEqual({ ok: true, rehash: true });
  });

  test('nobody has no password', async () => {
    const hasher = createPasswordHasher({ cost: CHEAP });
    expect(await hasher.verify('', undefined)).toEqual({ ok: false, rehash: false });
  });

  test('that can not be read are a clear error, not a wrong password', async () => {
    const hasher = createPasswordHasher({ cost: CHEAP });
    for (const broken of [
      '',
      'x',
      '$2b$10$abc',
      '$argon2id$v=19$m=999999999,t=3,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
    ]) {
      await expect(hasher.verify('x', broken)).rejects.toMatchObject({ code: 'password_hash_unreadable' });
    }
  });

  test('two at once, a few wait, the rest is told to come back', async () => {
    const hasher = createPasswordHasher({ cost: CHEAP, parallel: 2, waiting: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.hash('x')));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ family: 'limit', code: 'busy' });
    }
    // All places are free again.
    await Promise.all(Array.from({ length: 5 }, () => hasher.hash('x')));
  });
});

describe('the setup code', () => {
  test('is new each time and read as people type it', () => {
    const codes = new Set(Array.from({ length: 100 }, newSetupCode));
    expect(codes.size).toBe(100);
    for (const code of codes) {
      expect(sameSetupCode(code, code)).toBe(true);
      const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
      expect(sameSetupCode(typed, code)).toBe(true);
      expect(sameSetupCode(code.slice(0, -1), code)).toBe(false);
      expect(sameSetupCode('', code)).toBe(false);
    }
  });
});

import { hashSync } from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { bcryptCost, bcryptMatches } from './bcrypt-hash.ts';
import { createPasswordHasher } from './passwords.ts';

const CHEAP = { memory: 256, passes: 1, parallelism: 1 };
const PASSWORD = 'violet otter kettle lamp';
/** Of "allmine", made by the library that the original uses (golang.org/x/crypto/bcrypt, its own test). */
const KNOWN = '$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga';

describe('a bcrypt hash', () => {
  test('is taken with a cost from 4 to 14, under the names that bcrypt has had', () => {
    const hash = hashSync(PASSWORD, 4);
    expect(bcryptCost(hash)).toBe(4);
    for (const kind of ['$2a$', '$2b$', '$2y$']) expect(bcryptCost(hash.replace(/^\$2.\$/, kind))).toBe(4);
    expect(bcryptCost(KNOWN)).toBe(10);
    expect(bcryptCost(KNOWN.replace('$10$', '$14$'))).toBe(14);
  });

  test('that is malformed, or would take too long, is none', () => {
    for (const bad of [
      '',
      PASSWORD,
      KNOWN.replace('$10$', '$15$'),
      KNOWN.replace('$10$', '$31$'),
      KNOWN.replace('$10$', '$03$'),
      KNOWN.replace('$2a$', '$2x$'),
      KNOWN.replace('$2a$', '$2$'),
      KNOWN.slice(0, -1),
      `${KNOWN}a`,
      `${KNOWN}\n`,
      ` ${KNOWN}`,
      // Bits in the last letters that no hash has.
      `${KNOWN.slice(0, 28)}z${KNOWN.slice(29)}`,
      `${KNOWN.slice(0, -1)}z`,
      KNOWN.replace('Xajj', 'Xa+j'),
      '$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdA',
    ]) {
      expect([bad, bcryptCost(bad)]).toEqual([bad, undefined]);
    }
  });

  test('matches its password and no other', async () => {
    const hash = hashSync(PASSWORD, 4);
    expect(await bcryptMatches(PASSWORD, hash)).toBe(true);
    expect(await bcryptMatches(`${PASSWORD}.`, hash)).toBe(false);
    expect(await bcryptMatches('', hash)).toBe(false);
    expect(await bcryptMatches('allmine', KNOWN)).toBe(true);
  });

  test('does not match what bcrypt alone would take for the same: cut off at 72 bytes, repeated after a NUL', async () => {
    const long = 'aé'.repeat(24);
    const hash = hashSync(long, 4);
    expect(Buffer.byteLength(long)).toBe(72);
    expect(await bcryptMatches(long, hash)).toBe(true);
    expect(await bcryptMatches(`${long}more`, hash)).toBe(false);
    expect(await bcryptMatches(`${PASSWORD}\0${PASSWORD}`, hashSync(PASSWORD, 4))).toBe(false);
    expect(await bcryptMatches('\ud800abcdefghijk', hashSync('\ufffdabcdefghijk', 4))).toBe(false);
  });
});

describe('the hasher, with an imported hash', () => {
  const hasher = createPasswordHasher({ cost: CHEAP });
  const imported = hashSync(PASSWORD, 4);

  test('checks it and says that it is to be replaced', async () => {
    expect(await hasher.verify(PASSWORD, imported, imported)).toEqual({ ok: true, rehash: true });
    expect(await hasher.verify('violet otter kettle lamb', imported, imported)).toMatchObject({ ok: false });
  });

  test('lets nobody else in with its password', async () => {
    const other = await hasher.hash('another long passphrase');
    expect(await hasher.verify(PASSWORD, undefined, imported)).toEqual({ ok: false, rehash: false });
    expect(await hasher.verify(PASSWORD, other, imported)).toEqual({ ok: false, rehash: false });
    expect(await hasher.verify('another long passphrase', other, imported)).toEqual({
      ok: true,
      rehash: false,
    });
  });
});

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isStrong } from './strength.ts';

describe('a value that somebody could guess is weak', () => {
  it.each([
    '',
    'short-Q7x!',
    'password1234',
    'P4ssw0rd!2024',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    'abcdefghijklmnopqrstuvwx',
    '123456789012345',
    'changemechangeme',
    'changeme-please-2026',
    'iloveyouforever',
    'qwertyuiopasdf',
    'test-secret-key-123',
    'abcabcabcabcabcabc',
    '2026-01-01 2026',
    'my-secret-token',
    'mydogisbrownandbig',
  ])('%s', (value) => {
    expect(isStrong(value)).toBe(false);
  });
});

describe('a value that nobody guesses is strong', () => {
  it.each([
    'sk-proj-8fJ2kQxW5tZp9LmN4vB7',
    'ghp_Zk3VbN8mQw2RtY7uLp',
    '123456789:AAHk2Jq8xYw_Vn3ZpRtLmCdEfGhIjKlMnOp',
    'xoxb-2934857203-9283475620-a8Kd82Jd0sKw',
    'f47ac10b-58cc-4372-a567-0e02b2c3d479',
    'Tr0ub4dor&3-xQ9!vZ',
    'K7QF-9M2X-4HTB-8WDP',
  ])('%s', (value) => {
    expect(isStrong(value)).toBe(true);
  });

  it.each(['base64', 'base64url', 'hex'] as const)('16 random bytes in %s, every time', (encoding) => {
    for (let round = 0; round < 500; round += 1) {
      const value = randomBytes(16).toString(encoding);
      expect(isStrong(value), value).toBe(true);
    }
  });
});

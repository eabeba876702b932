import { expect, it } from 'vitest';

import { createRateLimit } from './rate-limit.ts';

it('forgets nobody who still has to wait, however many others come', () => {
  let now = 0;
  const limit = createRateLimit({ now: () => 0, monotonic: () => now });
  for (let i = 0; i < 20; i += 1) expect(limit.spend('busy')).toBe(null);
  expect(limit.spend('busy')).toBe(100);
  for (let i = 0; i < 1000; i += 1) {
    limit.spend(`other-${i}`);
    if (i === 500) now = 50;
  }
  expect(limit.spend('busy')).toBe(50);
  now = 100;
  expect(limit.spend('busy')).toBe(null);
});

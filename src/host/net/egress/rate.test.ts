import { expect, it } from 'vitest';
import { createRequestRate } from './rate.ts';

it('a flood of hosts neither grows without end nor fills a bucket that was emptied', () => {
  let now = 0;
  const rate = createRequestRate({ now: () => 0, monotonic: () => now }, 5, 100);
  for (let i = 0; i < 5; i += 1) expect(rate.take('weather', 'a.example.com')).toBe(true);
  expect(rate.take('weather', 'a.example.com')).toBe(false);
  let taken = 0;
  for (let i = 0; i < 1_000; i += 1) if (rate.take('flood', `${i}.example.com`)) taken += 1;
  expect(taken).toBe(99);
  expect(rate.size).toBe(100);
  expect(rate.take('weather', 'a.example.com')).toBe(false);
  // What is full again is forgotten, and there is room.
  now = 500;
  expect(rate.take('other', 'b.example.com')).toBe(true);
  expect(rate.size).toBe(2);
  now = 10_000;
  for (let i = 0; i < 5; i += 1) expect(rate.take('weather', 'a.example.com')).toBe(true);
  expect(rate.take('weather', 'a.example.com')).toBe(false);
});

it('a script can not take the name of another pair', () => {
  const rate = createRequestRate({ now: () => 0, monotonic: () => 0 }, 1);
  expect(rate.take('a', 'b","c')).toBe(true);
  expect(rate.take('a","b', 'c')).toBe(true);
});

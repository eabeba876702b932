import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTurnClock } from './turn-clock.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());
const clock = { now: () => 0, monotonic: () => performance.now() };

test('time in which a person decides does not count, also when two decisions overlap', () => {
  const over = vi.fn();
  const turn = createTurnClock(clock, 1000, over);
  vi.advanceTimersByTime(600);
  const first = turn.pause();
  vi.advanceTimersByTime(5000);
  const second = turn.pause();
  first();
  first();
  vi.advanceTimersByTime(5000);
  second();
  vi.advanceTimersByTime(399);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(over).toHaveBeenCalledOnce();
});

test('a stopped clock never ends a turn, not even when a pause ends later', () => {
  const over = vi.fn();
  const turn = createTurnClock(clock, 1000, over);
  const resume = turn.pause();
  turn.stop();
  resume();
  vi.advanceTimersByTime(5000);
  expect(over).not.toHaveBeenCalled();
});

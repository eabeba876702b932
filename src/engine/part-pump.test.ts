import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPartPump } from './part-pump.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('the first state goes out at once, later ones together, the last one always', () => {
  const sent: string[] = [];
  const pump = createPartPump((text) => sent.push(text));
  for (const text of ['a', 'ab', 'abc']) pump.push(text);
  expect(sent).toEqual(['a']);
  vi.advanceTimersByTime(50);
  expect(sent).toEqual(['a', 'abc']);
  pump.push('abcd');
  pump.end('abcde');
  vi.advanceTimersByTime(5000);
  expect(sent).toEqual(['a', 'abc', 'abcde']);
});

test('a long answer is sent less often, so that its cost grows with its length and not with the square', () => {
  let bytes = 0;
  const pump = createPartPump((text) => (bytes += text.length));
  let text = '';
  for (let i = 0; i < 4096; i += 1) {
    text += 'x'.repeat(1024);
    pump.push(text);
    vi.advanceTimersByTime(1);
  }
  pump.end(text);
  expect(bytes).toBeLessThan(text.length * 20);
});

import { expect, test } from 'vitest';
import { createContextWindows } from './context-windows.ts';

const model = (name: string, context_limit: number | null) =>
  ({ provider: 'openrouter', model: name, label: name, context_limit }) as const;

test('what a provider says of its models is kept until its address changes, and the table holds for the maker alone', () => {
  const windows = createContextWindows();
  expect(windows.of('openrouter', 'a/b', false)).toBeNull();
  windows.learn([model('a/b', 8_192), model('a/c', null)]);
  expect(windows.of('openrouter', 'a/b', false)).toBe(8_192);
  expect(windows.of('openrouter', 'a/c', false)).toBeNull();
  windows.forget('openrouter');
  expect(windows.of('openrouter', 'a/b', false)).toBeNull();
  expect(windows.of('openai', 'gpt-4o-2024-08-06', true)).toBe(128_000);
  expect(windows.of('openai', 'gpt-4o', false)).toBeNull();
});

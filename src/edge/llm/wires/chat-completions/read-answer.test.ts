import { expect, it } from 'vitest';
import { createReader } from './read-answer.ts';

const event = (finish: string | null, tokens: number | null): string =>
  JSON.stringify({
    choices: [{ index: 0, delta: { content: 'word' }, finish_reason: finish }],
    ...(tokens === null ? {} : { usage: { prompt_tokens: 9, completion_tokens: tokens } }),
  });

it('believes no count of an answer that has not ended: a cut one would come to less than what was shown', () => {
  const reader = createReader();
  expect(reader.read(event(null, 1), 16)?.usage).toBeUndefined();
  expect(reader.read(event('', 2), 16)?.usage).toBeUndefined();
  expect(reader.read(event('stop', null), 16)?.usage).toMatchObject({ input: 9, output: 2 });
  const last = JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 5 } });
  expect(reader.read(last, 16)?.usage).toMatchObject({ input: 9, output: 5 });
});

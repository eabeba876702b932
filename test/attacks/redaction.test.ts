/** A model that gets at a key, in the forms that a model would try, against the running program. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variantsOf } from '../../src/guard/secrets/index.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const KEY = 'sk-live-8fJ2/kQ+xW5tZ&p9Lm';
const NAME = 'OPENAI_COMPATIBLE_API_KEY';

const LEAKS = {
  plain: KEY,
  json: JSON.stringify({ key: KEY }),
  url: `https://collect.example/?k=${encodeURIComponent(KEY)}`,
  form: new URLSearchParams({ k: KEY }).toString(),
  base64: Buffer.from(KEY).toString('base64'),
  basic: Buffer.from(`user:${KEY}`).toString('base64'),
  hex: Buffer.from(KEY).toString('hex'),
  backwards: [...KEY].reverse().join(''),
};

/** Everything that the program said, sent or stored while a model read the leaks and repeated the key in pieces. */
async function runWith(key: string, off: readonly string[]) {
  const { program, model } = await startWithModel(
    {
      answers: [
        { calls: [{ name: 'workspace_read', arguments: { path: 'notes.md' } }] },
        {
          thinking: [key.slice(0, 5), key.slice(5)],
          text: ['The key is ', key.slice(0, 9), key.slice(9), '.'],
        },
      ],
    },
    { off },
  );
  writeFileSync(join(program.workspace, 'ai-data/notes.md'), `${Object.values(LEAKS).join('\n')}\n${key}\n`);
  const stored = await program.api('PUT', '/api/llm/upstreams/openai-compatible', { api_key: key });
  expect(stored.status).toBe(200);
  const { events } = await program.say('Which key is in my notes?');
  const audit = await program.api('GET', '/api/audit?limit=200');
  const data = join(program.workspace, 'secure/data');
  const disk = readdirSync(data)
    .filter((name) => name.includes('db'))
    .map((name) => readFileSync(join(data, name), 'latin1'))
    .join('\n');
  // A key that its owner pastes is hidden before it is stored.
  await program.say(`Is ${key} a good key?`);
  return {
    events,
    sinks: {
      page: JSON.stringify(events),
      prompts: model.requests.map((request) => request.text).join('\n'),
      audit: JSON.stringify(audit.body),
      log: program.log(),
      disk,
    },
  };
}

describe('the key of the model', () => {
  test('leaves in no form through a result, a prompt, an answer, the log, the audit log or the disk', async () => {
    const { events, sinks } = await runWith(KEY, []);
    for (const [sink, text] of Object.entries(sinks)) {
      for (const form of variantsOf(KEY)) expect(text.includes(form), `${form} in ${sink}`).toBe(false);
    }
    expect(sinks.disk).toContain(`[REDACTED:${NAME}]`);
    expect(sinks.prompts).toContain(`Is [REDACTED:${NAME}] a good key?`);
    const result = events.find((event) => event.type === 'tool_result');
    expect(result).toMatchObject({ is_error: false, redactions: { [NAME]: expect.any(Number) } });
    expect(events.findLast((event) => event.type === 'text')).toMatchObject({
      content: `The key is [REDACTED:${NAME}].`,
    });
  });

  test('is seen in results, prompts and answers when redaction is switched off: nothing else hides it', async () => {
    const { sinks } = await runWith(KEY, ['redaction']);
    expect(sinks.page).toContain(LEAKS.hex);
    expect(sinks.prompts).toContain(LEAKS.hex);
    expect(sinks.page).toContain(`The key is ${KEY}.`);
    expect(sinks.disk).toContain(LEAKS.hex);
  });

  test('that is easily guessed is not matched, so that hiding tells no model which guess was right', async () => {
    const { sinks } = await runWith('password1234', []);
    expect(sinks.prompts).toContain('password1234');
    expect(sinks.prompts).not.toContain(`[REDACTED:${NAME}]`);
  });
});

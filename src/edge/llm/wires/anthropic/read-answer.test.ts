import { array, assert, constantFrom, jsonValue, nat, oneof, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { createReader } from './read-answer.ts';

const type = constantFrom(
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'error',
  'ping',
);
const block = constantFrom(
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'server_tool_use',
  'fallback',
);
const delta = constantFrom('text_delta', 'thinking_delta', 'signature_delta', 'input_json_delta', 'x');
const any = jsonValue({ maxDepth: 2 });
const event = record(
  {
    type,
    index: oneof(nat(3), any),
    content_block: oneof(
      record({ type: block, text: any, thinking: any, id: any, name: any, input: any }),
      any,
    ),
    delta: oneof(
      record({
        type: delta,
        text: any,
        thinking: any,
        signature: any,
        partial_json: any,
        stop_reason: any,
      }),
      any,
    ),
    message: oneof(record({ usage: oneof(record({ input_tokens: any, output_tokens: any }), any) }), any),
    usage: oneof(record({ input_tokens: any, output_tokens: any, cache_read_input_tokens: any }), any),
    error: any,
  },
  { requiredKeys: ['type'] },
);

it('reads whatever an upstream sends as facts of the right type, or as no event', () => {
  assert(
    property(array(event, { maxLength: 12 }), (events) => {
      const reader = createReader();
      for (const each of events) {
        const chunk = reader.read(JSON.stringify(each), 16);
        if (!chunk) continue;
        expect(typeof chunk.text).toBe('string');
        expect(typeof chunk.thinking).toBe('string');
        for (const call of chunk.calls) expect(typeof call.argumentsText).toBe('string');
        for (const count of [
          chunk.usage?.input,
          chunk.usage?.output,
          chunk.usage?.cached,
          chunk.usage?.written,
        ]) {
          if (typeof count === 'number') expect(count).toBeGreaterThanOrEqual(0);
        }
        if (chunk.error?.status !== undefined) expect(chunk.error.status).toBeGreaterThanOrEqual(400);
      }
      const sealed = reader.sealed();
      if (sealed !== undefined) expect(JSON.parse(JSON.stringify(sealed))).toEqual(sealed);
    }),
    { numRuns: 300 },
  );
});

it('opens no block twice, so that nothing that was said can be replaced', () => {
  const reader = createReader();
  const start = (kind: string) =>
    JSON.stringify({ type: 'content_block_start', index: 0, content_block: { type: kind } });
  expect(reader.read(start('text'), 16)).toBeDefined();
  expect(reader.read(start('tool_use'), 16)).toBeUndefined();
});

it('is no reader of what is not JSON, not an object, or nested too deep', () => {
  const reader = createReader();
  for (const data of [
    '',
    '[DONE]',
    '[]',
    'null',
    '{"type":7}',
    `{"type":"ping","x":${'['.repeat(40)}${']'.repeat(40)}}`,
  ]) {
    expect(reader.read(data, 16)).toBeUndefined();
  }
});

it('takes a reason and a kind of error that every object has a property of as words like others', () => {
  for (const word of ['constructor', 'toString', '__proto__']) {
    const end = createReader().read(
      JSON.stringify({ type: 'message_delta', delta: { stop_reason: word }, usage: { output_tokens: 1 } }),
      16,
    );
    expect(end?.finish).toBe(word);
    const error = createReader().read(JSON.stringify({ type: 'error', error: { type: word } }), 16);
    expect(error?.error).toEqual({ status: undefined, type: word, message: undefined });
  }
});

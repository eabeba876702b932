import { array, assert, constantFrom, jsonValue, oneof, property, record, type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGeminiWire } from './gemini/index.ts';
import { createResponsesWire } from './openai-responses/index.ts';
import type { Wire } from './wire.ts';

const any = jsonValue({ maxDepth: 2 });

const item = record(
  {
    type: constantFrom('message', 'reasoning', 'function_call', 'web_search_call'),
    id: any,
    call_id: any,
    name: any,
    arguments: any,
    encrypted_content: oneof(constantFrom('gAAA=='), any),
    summary: oneof(array(record({ type: any, text: any })), any),
  },
  { requiredKeys: ['type'] },
);
const responsesEvent = record(
  {
    type: constantFrom(
      'response.output_item.added',
      'response.output_item.done',
      'response.output_text.delta',
      'response.refusal.delta',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_part.added',
      'response.function_call_arguments.delta',
      'response.completed',
      'response.incomplete',
      'response.failed',
      'error',
    ),
    output_index: any,
    item: oneof(item, any),
    delta: oneof(constantFrom('text'), any),
    response: oneof(
      record({ usage: oneof(record({ input_tokens: any, output_tokens: any }), any), error: any }),
      any,
    ),
    error: any,
    code: any,
    message: any,
  },
  { requiredKeys: ['type'] },
);

const part = record({
  text: oneof(constantFrom('text'), any),
  thought: any,
  thoughtSignature: oneof(constantFrom('c2ln'), any),
  functionCall: oneof(record({ name: any, args: any }), any),
});
const geminiEvent = record(
  {
    candidates: oneof(
      array(
        record({
          content: oneof(record({ parts: oneof(array(part), any) }), any),
          finishReason: oneof(constantFrom('STOP', 'SAFETY', 'MALFORMED_FUNCTION_CALL'), any),
        }),
      ),
      any,
    ),
    promptFeedback: oneof(record({ blockReason: any }), any),
    usageMetadata: oneof(record({ promptTokenCount: any, candidatesTokenCount: any }), any),
    error: oneof(record({ code: any, status: any, message: any, details: any }), constantFrom(null)),
  },
  { requiredKeys: [] },
);

describe.each<[name: string, wire: Wire, event: Arbitrary<object>]>([
  ['OpenAI', createResponsesWire('bearer'), responsesEvent],
  ['Google', createGeminiWire(), geminiEvent],
])('what %s sends', (_name, wire, event) => {
  it('is read as facts of the right type, or as no event', () => {
    assert(
      property(array(event, { maxLength: 12 }), (events) => {
        const reader = wire.reader();
        for (const each of events) {
          const chunk = reader.read(JSON.stringify(each), 16);
          if (!chunk) continue;
          expect(typeof chunk.text).toBe('string');
          expect(typeof chunk.thinking).toBe('string');
          for (const call of chunk.calls) {
            expect(typeof call.argumentsText).toBe('string');
            expect(['string', 'undefined']).toContain(typeof call.name);
          }
          for (const count of [chunk.usage?.input, chunk.usage?.output, chunk.usage?.cached]) {
            if (typeof count === 'number') expect(count).toBeGreaterThanOrEqual(0);
          }
          if (chunk.error?.status !== undefined) expect(chunk.error.status).toBeGreaterThanOrEqual(400);
          expect(['string', 'undefined']).toContain(typeof chunk.error?.message);
        }
        const sealed = reader.sealed();
        if (sealed !== undefined) expect(JSON.parse(JSON.stringify(sealed))).toEqual(sealed);
      }),
      { numRuns: 300 },
    );
  });

  it('is no event when it is not JSON, not an object, or nested too deep', () => {
    const deep = `{"type":"x","candidates":${'['.repeat(40)}${']'.repeat(40)}}`;
    for (const data of ['', '[]', 'null', '7', '{"type":7}', '{"__proto__":{"candidates":[]}}', deep]) {
      expect(wire.reader().read(data, 16), data).toBeUndefined();
    }
  });
});

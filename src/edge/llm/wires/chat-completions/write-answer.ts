// Guarantees: what the engine reads is written by us, chunk by chunk, from redacted parts and recorded calls.
import type { AnswerFrame, AnswerWriter } from '../wire.ts';

export function createWriter({ id, model, created }: AnswerFrame): AnswerWriter {
  const event = (data: unknown): string =>
    `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
  const head = { id, object: 'chat.completion.chunk', created, model };
  const chunk = (delta: unknown, finish: string | null = null): string =>
    event({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });
  return {
    part: (part, delta) => chunk(part === 'text' ? { content: delta } : { reasoning_content: delta }),
    finish(calls, finishReason, usage) {
      const input = usage.input ?? 0;
      const output = usage.output ?? 0;
      return [
        ...calls.map((call) =>
          chunk({
            tool_calls: [
              {
                index: call.index,
                id: call.id,
                type: 'function',
                function: { name: call.name, arguments: call.argumentsText },
              },
            ],
          }),
        ),
        chunk({}, calls.length > 0 ? 'tool_calls' : finishReason),
        event({
          ...head,
          choices: [],
          usage: {
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input + output,
            prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
          },
        }),
        event('[DONE]'),
      ].join('');
    },
    fail: (code, message) => event({ error: { message, type: 'gateway', param: null, code } }),
  };
}

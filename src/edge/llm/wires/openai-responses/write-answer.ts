// Guarantees: what the engine reads is written by us, from redacted parts and recorded calls. Where the provider would give
// encrypted reasoning stands the name under which the gateway keeps it.
import type { AnswerFrame, AnswerWriter } from '../wire.ts';

const REASONING = 0;
const MESSAGE = 1;

/**
 * All thinking is one item, the first, also when there is none: only at the end it shows whether something is kept under
 * its name, and it must stand before what it led to.
 */
export function createWriter({ id, model, created, seal }: AnswerFrame): AnswerWriter {
  const response = { id, object: 'response', created_at: created, model };
  const reasoning = { id: `rs_${seal}`, type: 'reasoning', summary: [] };
  const message = { id: `msg_${seal}`, type: 'message', role: 'assistant', content: [] };
  let number = 0;
  let begun = false;
  let spoken = false;

  const event = (type: string, data: object): string => {
    const text = JSON.stringify({ type, sequence_number: number, ...data });
    number += 1;
    return `event: ${type}\ndata: ${text}\n\n`;
  };
  const added = (output_index: number, item: object): string =>
    event('response.output_item.added', { output_index, item });
  const done = (output_index: number, item: object): string =>
    event('response.output_item.done', { output_index, item });
  const begin = (): string => {
    if (begun) return '';
    begun = true;
    const head = { response: { ...response, status: 'in_progress' } };
    return event('response.created', head) + added(REASONING, reasoning);
  };

  return {
    part(part, delta) {
      let out = begin();
      if (part === 'thinking') {
        const at = { item_id: reasoning.id, output_index: REASONING, summary_index: 0 };
        return out + event('response.reasoning_summary_text.delta', { ...at, delta });
      }
      if (!spoken) out += added(MESSAGE, message);
      spoken = true;
      const at = { item_id: message.id, output_index: MESSAGE, content_index: 0 };
      return out + event('response.output_text.delta', { ...at, delta });
    },
    finish(calls, finishReason, usage, sealed) {
      let out = begin();
      out += done(REASONING, sealed ? { ...reasoning, encrypted_content: seal } : reasoning);
      if (spoken) out += done(MESSAGE, message);
      for (const { index, id: call_id, name, argumentsText } of calls) {
        const place = MESSAGE + 1 + index;
        const item = { id: `fc_${call_id}`, type: 'function_call', call_id, name };
        out += added(place, { ...item, arguments: '', status: 'in_progress' });
        const at = { item_id: item.id, output_index: place };
        out += event('response.function_call_arguments.delta', { ...at, delta: argumentsText });
        out += event('response.function_call_arguments.done', { ...at, arguments: argumentsText });
        out += done(place, { ...item, arguments: argumentsText, status: 'completed' });
      }
      const input_tokens = usage.input ?? 0;
      const output_tokens = usage.output ?? 0;
      const counted = {
        input_tokens,
        input_tokens_details: { cached_tokens: usage.cached ?? 0 },
        output_tokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: input_tokens + output_tokens,
      };
      const reason = INCOMPLETE[finishReason];
      return (
        out +
        (reason === undefined
          ? event('response.completed', { response: { ...response, status: 'completed', usage: counted } })
          : event('response.incomplete', {
              response: {
                ...response,
                status: 'incomplete',
                incomplete_details: { reason },
                usage: counted,
              },
            }))
      );
    },
    fail: (code, message_) => begin() + event('error', { code, message: message_, param: null }),
  };
}

const INCOMPLETE: Readonly<Record<string, string>> = {
  length: 'max_output_tokens',
  content_filter: 'content_filter',
};

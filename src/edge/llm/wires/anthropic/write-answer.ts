// Guarantees: what the engine reads is written by us, event by event, from redacted parts and recorded calls. In the place of
// a signature it gets the name of the step, which only the gateway can turn back. An answer that failed has no message_stop.
import type { JsonObject } from '../../../../core/index.ts';
import type { StepPart } from '../../ports.ts';
import type { AnswerFrame, AnswerWriter } from '../wire.ts';

const STOP_REASON: ReadonlyMap<string, string> = new Map([
  ['stop', 'end_turn'],
  ['tool_calls', 'tool_use'],
  ['length', 'max_tokens'],
  ['content_filter', 'refusal'],
]);

export function createWriter({ id, model, seal }: AnswerFrame): AnswerWriter {
  let started = false;
  let index = -1;
  let open: StepPart | undefined;
  let thought = false;

  const event = (data: JsonObject & { readonly type: string }): string =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
  const begin = (): string => {
    if (started) return '';
    started = true;
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0 },
    };
    return event({ type: 'message_start', message });
  };
  const delta = (piece: JsonObject): string => event({ type: 'content_block_delta', index, delta: piece });
  const start = (block: JsonObject): string => {
    index += 1;
    return event({ type: 'content_block_start', index, content_block: block });
  };
  const stop = (): string => event({ type: 'content_block_stop', index });
  const close = (): string => {
    if (open === undefined) return '';
    const signature = open === 'thinking' ? delta({ type: 'signature_delta', signature: seal }) : '';
    open = undefined;
    return signature + stop();
  };
  const openPart = (part: StepPart): string => {
    if (open === part) return '';
    const before = close();
    open = part;
    if (part === 'text') return before + start({ type: 'text', text: '' });
    thought = true;
    return before + start({ type: 'thinking', thinking: '', signature: '' });
  };

  return {
    part(part, text) {
      const opened = begin() + openPart(part);
      return (
        opened +
        delta(part === 'text' ? { type: 'text_delta', text } : { type: 'thinking_delta', thinking: text })
      );
    },
    finish(calls, finishReason, usage, sealed) {
      const cached = usage.cached ?? 0;
      const written = usage.written ?? 0;
      return [
        begin(),
        // Thinking that was only signed, or hidden by the provider: the name of the step still has to come back.
        sealed && !thought ? openPart('thinking') : '',
        close(),
        ...calls.map(
          (call) =>
            start({ type: 'tool_use', id: call.id, name: call.name, input: {} }) +
            delta({ type: 'input_json_delta', partial_json: call.argumentsText }) +
            stop(),
        ),
        event({
          type: 'message_delta',
          delta: {
            stop_reason: calls.length > 0 ? 'tool_use' : (STOP_REASON.get(finishReason) ?? finishReason),
            stop_sequence: null,
          },
          usage: {
            input_tokens: Math.max(0, (usage.input ?? 0) - cached - written),
            cache_read_input_tokens: cached,
            cache_creation_input_tokens: written,
            output_tokens: usage.output ?? 0,
          },
        }),
        event({ type: 'message_stop' }),
      ].join('');
    },
    fail: (code, message) => event({ type: 'error', error: { type: 'gateway', code, message } }),
  };
}

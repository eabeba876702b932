/**
 * A fake of OpenAI's and Azure's Responses API. Like the real one it refuses parameters and items that it doesn't know, a
 * call without its result, and encrypted reasoning that it did not hand out.
 */
import {
  pieces,
  startWireServer,
  type WireAnswer,
  type WireOptions,
  type WireRefusal,
  type WireRequest,
  type WireServer,
} from './wire-server.ts';

export interface ResponsesServerOptions extends WireOptions {
  /** Where the API begins. Default: /v1; Azure: /openai/v1. */
  readonly base?: string;
  /** The header that must carry the key. */
  readonly key?: { readonly header: 'authorization' | 'api-key'; readonly value: string };
  readonly models?: readonly string[];
}

/** `url` is the base URL. */
export async function startResponsesServer(
  options: ResponsesServerOptions = {},
): Promise<WireServer & { readonly url: string }> {
  const base = options.base ?? '/v1';
  const sealed = new Map<string, string>();

  function refuse(request: WireRequest): WireRefusal | undefined {
    const { key } = options;
    const expected = key?.header === 'authorization' ? `Bearer ${key.value}` : key?.value;
    if (key && request.headers[key.header] !== expected) {
      return error(401, 'invalid_api_key', 'Incorrect API key provided.');
    }
    if (request.method !== 'POST') return undefined;
    const unknown = Object.keys(request.body).find((name) => !PARAMETERS.has(name));
    if (unknown !== undefined) return error(400, 'unknown_parameter', `Unknown parameter: '${unknown}'.`);
    const open = new Set<string>();
    for (const [place, item] of request.body.input.entries()) {
      if (item.type === 'function_call') open.add(item.call_id);
      if (item.type === 'function_call_output' && !open.delete(item.call_id)) {
        return error(400, 'invalid_request_error', `No tool call found for call_id ${item.call_id}.`);
      }
      if (item.type === 'reasoning') {
        const next = request.body.input[place + 1];
        if (sealed.get(item.id) !== item.encrypted_content) {
          return error(
            400,
            'invalid_encrypted_content',
            `The encrypted content for item ${item.id} could not be verified.`,
          );
        }
        if (next?.type !== 'function_call' && next?.type !== 'reasoning' && next?.role !== 'assistant') {
          return error(
            400,
            'invalid_request_error',
            `Item '${item.id}' of type 'reasoning' was provided without its required following item.`,
          );
        }
      }
    }
    const [unanswered] = open;
    return unanswered === undefined
      ? undefined
      : error(400, 'invalid_request_error', `No tool output found for function call ${unanswered}.`);
  }

  function eventsOf(answer: WireAnswer, count: number): unknown[] {
    const response = {
      id: `resp_${count}`,
      object: 'response',
      created_at: 1,
      model: 'fake',
      error: null,
      incomplete_details: null,
      output: [],
    };
    const events: unknown[] = [
      { type: 'response.created', response: { ...response, status: 'in_progress' } },
      { type: 'response.in_progress', response: { ...response, status: 'in_progress' } },
    ];
    let output_index = 0;
    if (answer.thinking !== undefined) {
      const id = `rs_${count}`;
      sealed.set(id, `gAAAA${count}==`);
      const item = { id, type: 'reasoning', summary: [] };
      events.push({
        type: 'response.output_item.added',
        output_index,
        item: { ...item, encrypted_content: 'gAAA-partial' },
      });
      events.push({
        type: 'response.reasoning_summary_part.added',
        item_id: id,
        output_index,
        summary_index: 0,
        part: { type: 'summary_text', text: '' },
      });
      for (const delta of pieces(answer.thinking)) {
        events.push({
          type: 'response.reasoning_summary_text.delta',
          item_id: id,
          output_index,
          summary_index: 0,
          delta,
        });
      }
      events.push({
        type: 'response.output_item.done',
        output_index,
        item: { ...item, encrypted_content: sealed.get(id) },
      });
      output_index += 1;
    }
    if (answer.text !== undefined) {
      const id = `msg_${count}`;
      const item = { id, type: 'message', role: 'assistant', content: [] };
      events.push({
        type: 'response.output_item.added',
        output_index,
        item: { ...item, status: 'in_progress' },
      });
      events.push({
        type: 'response.content_part.added',
        item_id: id,
        output_index,
        content_index: 0,
        part: { type: 'output_text', text: '', annotations: [] },
      });
      for (const delta of pieces(answer.text)) {
        events.push({
          type: 'response.output_text.delta',
          item_id: id,
          output_index,
          content_index: 0,
          delta,
        });
      }
      events.push({
        type: 'response.output_item.done',
        output_index,
        item: { ...item, status: 'completed' },
      });
      output_index += 1;
    }
    for (const [index, call] of (answer.calls ?? []).entries()) {
      const id = `fc_${count}_${index}`;
      const text = JSON.stringify(call.arguments);
      const item = { id, type: 'function_call', call_id: `call_${index}`, name: call.name };
      events.push({
        type: 'response.output_item.added',
        output_index,
        item: { ...item, arguments: '', status: 'in_progress' },
      });
      for (const delta of [text.slice(0, 3), text.slice(3)]) {
        events.push({ type: 'response.function_call_arguments.delta', item_id: id, output_index, delta });
      }
      events.push({
        type: 'response.function_call_arguments.done',
        item_id: id,
        output_index,
        arguments: text,
      });
      events.push({
        type: 'response.output_item.done',
        output_index,
        item: { ...item, arguments: text, status: 'completed' },
      });
      output_index += 1;
    }
    if (answer.cut === true) return events;
    events.push({ type: 'response.completed', response: { ...response, status: 'completed', usage: USAGE } });
    return events;
  }

  const server = await startWireServer(options, {
    refuse,
    eventsOf,
    named: true,
    isAsk: ({ path }) => path === `${base}/responses`,
    get: ({ path }) =>
      path === `${base}/models` && options.models
        ? { object: 'list', data: options.models.map((id) => ({ id, object: 'model' })) }
        : undefined,
  });
  return { ...server, url: `${server.origin}${base}` };
}

const USAGE = {
  input_tokens: 40,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 20 },
  total_tokens: 70,
};

const PARAMETERS = new Set([
  'background',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
]);

function error(status: number, code: string, message: string): WireRefusal {
  return { status, body: { error: { message, type: 'invalid_request_error', param: null, code } } };
}

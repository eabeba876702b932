// Guarantees: from whatever an upstream sends as an event of a response, only the facts below, with the types below; an item
// that the provider ran by itself ends the answer.
// Does not: add them up or limit them. An attacker may control: the whole event.
import { isJsonObject, type Json, type JsonObject } from '../../../../core/index.ts';
import { parseBoundedJson } from '../../bounded-json.ts';
import { countOf, textOf } from '../json-facts.ts';
import { EMPTY_CHUNK, type UpstreamChunk, type UpstreamReport } from '../upstream-chunk.ts';
import type { UpstreamReader } from '../wire.ts';
import { SealedAnswer } from './sealed-answer.ts';

/** What may stand in an answer. Everything else was run by the provider, or is not known. */
const OWN_ITEMS: ReadonlySet<string> = new Set(['message', 'reasoning', 'function_call']);

/** Reads the events of one answer in their order. */
export function createReader(): UpstreamReader {
  const sealed = new SealedAnswer();
  /** Calls whose arguments came in pieces, by their place in the answer. */
  const streamed = new Set<number>();

  function added(event: JsonObject): UpstreamChunk {
    const item = itemOf(event);
    const type = textOf(item['type']) ?? '';
    if (!OWN_ITEMS.has(type)) return actedByItself(type);
    if (type !== 'function_call') return EMPTY_CHUNK;
    sealed.call();
    return call(event, item, '');
  }

  function done(event: JsonObject): UpstreamChunk {
    const item = itemOf(event);
    const type = textOf(item['type']) ?? '';
    if (!OWN_ITEMS.has(type)) return actedByItself(type);
    if (type === 'reasoning') sealed.reasoning(item);
    const index = placeOf(event);
    if (type !== 'function_call' || (index !== undefined && streamed.has(index))) return EMPTY_CHUNK;
    return call(event, item, textOf(item['arguments']) ?? '');
  }

  function read(event: JsonObject, type: string): UpstreamChunk {
    switch (type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta': {
        const text = textOf(event['delta']) ?? '';
        sealed.text(text);
        return { ...EMPTY_CHUNK, text };
      }
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return { ...EMPTY_CHUNK, thinking: textOf(event['delta']) ?? '' };
      case 'response.reasoning_summary_part.added':
        // The parts of a summary are paragraphs.
        return event['summary_index'] === 0 ? EMPTY_CHUNK : { ...EMPTY_CHUNK, thinking: '\n\n' };
      case 'response.output_item.added':
        return added(event);
      case 'response.function_call_arguments.delta': {
        const index = placeOf(event);
        if (index !== undefined) streamed.add(index);
        const argumentsText = textOf(event['delta']) ?? '';
        return { ...EMPTY_CHUNK, calls: [{ index, id: undefined, name: undefined, argumentsText }] };
      }
      case 'response.output_item.done':
        return done(event);
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return ended(type, isJsonObject(event['response']) ? event['response'] : {});
      case 'error':
        return { ...EMPTY_CHUNK, error: reportOf(event['error'] ?? event) };
      default:
        return EMPTY_CHUNK;
    }
  }

  return {
    read(data, maxDepth) {
      // Of chat completions, but some servers end every stream with it.
      if (data.trim() === '[DONE]') return { ...EMPTY_CHUNK, last: true };
      const parsed = parseBoundedJson(data, maxDepth);
      if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
      const event = parsed.value;
      const type = textOf(event['type']);
      if (type !== undefined) return read(event, type);
      return isJsonObject(event['error']) ? { ...EMPTY_CHUNK, error: reportOf(event['error']) } : undefined;
    },
    sealed: () => sealed.value(),
  };
}

function ended(type: string, response: JsonObject): UpstreamChunk {
  const end = { ...EMPTY_CHUNK, usage: readUsage(response['usage']), last: true };
  if (type === 'response.failed') return { ...end, error: reportOf(response['error']) };
  if (type === 'response.completed') return { ...end, finish: 'stop' };
  const details = response['incomplete_details'];
  const reason = isJsonObject(details) ? textOf(details['reason']) : undefined;
  if (reason === 'max_output_tokens') return { ...end, finish: 'length' };
  return { ...end, finish: reason === 'content_filter' ? 'content_filter' : 'error' };
}

function itemOf(event: JsonObject): JsonObject {
  return isJsonObject(event['item']) ? event['item'] : {};
}

function call(event: JsonObject, item: JsonObject, argumentsText: string): UpstreamChunk {
  const id = textOf(item['call_id']) || undefined;
  const name = textOf(item['name']) || undefined;
  return { ...EMPTY_CHUNK, calls: [{ index: placeOf(event), id, name, argumentsText }] };
}

function actedByItself(type: string): UpstreamChunk {
  return {
    ...EMPTY_CHUNK,
    error: { status: undefined, type: undefined, message: type, known: 'llm_provider_acted' },
  };
}

/** The `error` of an answer or of an event. Inside a stream words stand in the place of a status. */
export function reportOf(value: Json | undefined): UpstreamReport {
  const error = isJsonObject(value) ? value : {};
  const type = textOf(error['code']) ?? textOf(error['type']);
  return {
    status: STATUS.get(type ?? ''),
    type,
    message: textOf(error['message']),
    // Azure refuses a prompt with a 400.
    ...(type === 'content_filter' ? { known: 'llm_filtered' } : {}),
  };
}

const STATUS: ReadonlyMap<string, number> = new Map([
  ['insufficient_quota', 429],
  ['rate_limit_exceeded', 429],
  ['invalid_api_key', 401],
  ['model_not_found', 404],
  ['DeploymentNotFound', 404],
  ['invalid_prompt', 400],
  ['context_length_exceeded', 400],
]);

/** Cached tokens are a part of the prompt, tokens of reasoning a part of the answer. */
function readUsage(value: Json | undefined): UpstreamChunk['usage'] {
  if (!isJsonObject(value)) return undefined;
  const details = value['input_tokens_details'];
  return {
    input: countOf(value['input_tokens']),
    output: countOf(value['output_tokens']),
    cached: isJsonObject(details) ? countOf(details['cached_tokens']) : null,
    costUsd: null,
  };
}

function placeOf(event: JsonObject): number | undefined {
  return countOf(event['output_index']) ?? undefined;
}

// Guarantees: from whatever an upstream sends as an event, only the facts of an UpstreamChunk; a block that the provider made
// by running something of its own (server tools, remote MCP) makes the answer unreadable.
// Does not: add them up or limit them. An attacker may control: every event and their order.
import { isJsonObject, type Json, type JsonObject } from '../../../../core/index.ts';
import { parseBoundedJson } from '../../bounded-json.ts';
import { countOf, textOf } from '../json-facts.ts';
import {
  EMPTY_CHUNK,
  type UpstreamChunk,
  type UpstreamReport,
  type UpstreamUsage,
} from '../upstream-chunk.ts';
import type { UpstreamReader } from '../wire.ts';

/** A block of the answer, as it must be said again; a number is the place of a call. */
type Block =
  | { readonly type: 'text'; text: string }
  | { readonly type: 'thinking'; thinking: string; signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }
  | number;

const FINISH: ReadonlyMap<string, string> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content_filter'],
]);

/** Says that the answer is not complete; nothing that we offer leads to it. */
const PAUSE = 'pause_turn';

const STATUS: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

export function createReader(): UpstreamReader {
  const blocks = new Map<number, Block>();
  let calls = 0;
  let usage: UpstreamUsage = { input: null, output: null, cached: null, costUsd: null };
  let tokens: JsonObject = {};

  function start(index: number, block: JsonObject): UpstreamChunk | undefined {
    switch (block['type']) {
      case 'text': {
        const text = textOf(block['text']) ?? '';
        blocks.set(index, { type: 'text', text });
        return { ...EMPTY_CHUNK, text };
      }
      case 'thinking': {
        const thinking = textOf(block['thinking']) ?? '';
        blocks.set(index, { type: 'thinking', thinking, signature: textOf(block['signature']) ?? '' });
        return { ...EMPTY_CHUNK, thinking };
      }
      case 'redacted_thinking':
        blocks.set(index, { type: 'redacted_thinking', data: textOf(block['data']) ?? '' });
        return EMPTY_CHUNK;
      case 'tool_use': {
        blocks.set(index, calls);
        calls += 1;
        const { input } = block;
        const whole = isJsonObject(input) && Object.keys(input).length > 0;
        return {
          ...EMPTY_CHUNK,
          calls: [
            {
              index,
              id: textOf(block['id']) || undefined,
              name: textOf(block['name']) || undefined,
              // Usually empty here, and then said in pieces.
              argumentsText: whole ? JSON.stringify(input) : '',
            },
          ],
        };
      }
      default:
        return undefined;
    }
  }

  function add(index: number, delta: JsonObject): UpstreamChunk | undefined {
    const block = blocks.get(index);
    switch (delta['type']) {
      case 'text_delta': {
        const text = textOf(delta['text']) ?? '';
        if (typeof block !== 'object' || block.type !== 'text') return undefined;
        block.text += text;
        return { ...EMPTY_CHUNK, text };
      }
      case 'thinking_delta': {
        const thinking = textOf(delta['thinking']) ?? '';
        if (typeof block !== 'object' || block.type !== 'thinking') return undefined;
        block.thinking += thinking;
        return { ...EMPTY_CHUNK, thinking };
      }
      case 'signature_delta':
        if (typeof block !== 'object' || block.type !== 'thinking') return undefined;
        block.signature += textOf(delta['signature']) ?? '';
        return EMPTY_CHUNK;
      case 'input_json_delta': {
        if (typeof block !== 'number') return undefined;
        const argumentsText = textOf(delta['partial_json']) ?? '';
        return { ...EMPTY_CHUNK, calls: [{ index, id: undefined, name: undefined, argumentsText }] };
      }
      default:
        // Citations and whatever else hangs on a block that we know.
        return EMPTY_CHUNK;
    }
  }

  function count(value: Json | undefined, output: boolean): UpstreamUsage | undefined {
    if (!isJsonObject(value)) return undefined;
    tokens = { ...tokens, ...Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null)) };
    const fresh = countOf(tokens['input_tokens']);
    const read = countOf(tokens['cache_read_input_tokens']) ?? 0;
    const written = countOf(tokens['cache_creation_input_tokens']) ?? 0;
    usage = {
      input: fresh === null ? null : fresh + read + written,
      // What the first event says of the answer is a beginning; only the last event's word is a sum.
      output: output ? countOf(tokens['output_tokens']) : null,
      cached: read,
      written,
      costUsd: null,
    };
    return usage;
  }

  return {
    read(data, maxDepth) {
      const parsed = parseBoundedJson(data, maxDepth);
      if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
      const event = parsed.value;
      const index = countOf(event['index']);
      switch (event['type']) {
        case 'message_start': {
          const { message } = event;
          if (!isJsonObject(message)) return undefined;
          return { ...EMPTY_CHUNK, usage: count(message['usage'], false) };
        }
        case 'content_block_start':
          return index === null || blocks.has(index) || !isJsonObject(event['content_block'])
            ? undefined
            : start(index, event['content_block']);
        case 'content_block_delta':
          return index === null || !isJsonObject(event['delta']) ? undefined : add(index, event['delta']);
        case 'message_delta': {
          const reason = isJsonObject(event['delta']) ? textOf(event['delta']['stop_reason']) : undefined;
          const finish =
            reason === undefined || reason === PAUSE ? undefined : (FINISH.get(reason) ?? reason);
          return { ...EMPTY_CHUNK, finish, usage: count(event['usage'], true) };
        }
        case 'message_stop':
          return { ...EMPTY_CHUNK, last: true };
        case 'error':
          return {
            ...EMPTY_CHUNK,
            error: readError(event) ?? { status: 500, type: undefined, message: undefined },
          };
        default:
          // Pings, ends of blocks, and events that are to come: the provider asks to pass over those.
          return typeof event['type'] === 'string' ? EMPTY_CHUNK : undefined;
      }
    },
    sealed() {
      const said = [...blocks].toSorted(([a], [b]) => a - b).map(([, block]) => block);
      const signed = said.some(
        (block) =>
          typeof block === 'object' &&
          (block.type === 'redacted_thinking' || (block.type === 'thinking' && block.signature !== '')),
      );
      if (!signed) return undefined;
      return said.filter(
        (block) =>
          typeof block === 'number' ||
          (block.type === 'text' ? block.text !== '' : block.type !== 'thinking' || block.signature !== ''),
      );
    },
  };
}

/** `{type: "error", error: {type, message}}`, as a body and as an event. */
export function readError(value: Json): UpstreamReport | undefined {
  if (!isJsonObject(value) || !isJsonObject(value['error'])) return undefined;
  const type = textOf(value['error']['type']);
  return { status: STATUS.get(type ?? ''), type, message: textOf(value['error']['message']) };
}

// Guarantees: from whatever an upstream sends as an event, only the facts below, with the types below.
// Does not: add them up or limit them. An attacker may control: the whole event.
import { isJsonObject, type Json } from '../../../../core/index.ts';
import { parseBoundedJson } from '../../bounded-json.ts';
import { amountOf, countOf, listOf, textOf } from '../json-facts.ts';
import type { UpstreamReader } from '../wire.ts';
import { EMPTY_CHUNK, type CallDelta, type UpstreamChunk, type UpstreamReport } from '../upstream-chunk.ts';

const DONE = '[DONE]';

/** Reads the events of one answer in their order. */
export function createReader(): UpstreamReader {
  let counted: UpstreamChunk['usage'];
  let over = false;
  return {
    read(data, maxDepth) {
      const chunk = readEvent(data, maxDepth);
      if (!chunk) return undefined;
      counted = chunk.usage ?? counted;
      if (chunk.finish !== undefined && chunk.finish !== '') over = true;
      // Counts before the end are of what has come so far: only the last ones say what the call came to.
      return { ...chunk, usage: over ? counted : undefined };
    },
    sealed: () => undefined,
  };
}

/** Undefined: no event of a chat completion. */
function readEvent(data: string, maxDepth: number): UpstreamChunk | undefined {
  if (data.trim() === DONE) return { ...EMPTY_CHUNK, last: true };
  const parsed = parseBoundedJson(data, maxDepth);
  return parsed.ok ? readChunk(parsed.value) : undefined;
}

function readChunk(value: Json): UpstreamChunk | undefined {
  if (!isJsonObject(value)) return undefined;
  const error = readError(value['error']);
  const choices = listOf(value['choices']);
  if (!error && !('choices' in value) && !('usage' in value)) return undefined;
  // We ask for one choice; what else comes is not ours.
  const choice = choices.find((item) => isJsonObject(item) && (item['index'] ?? 0) === 0);
  const usage = readUsage(value['usage']);
  if (!isJsonObject(choice)) return { ...EMPTY_CHUNK, usage, error };
  const delta = isJsonObject(choice['delta']) ? choice['delta'] : {};
  const [text, thinking] = readContent(delta['content']);
  return {
    text: text + (textOf(delta['refusal']) ?? ''),
    thinking: thinking + (textOf(delta['reasoning_content']) ?? textOf(delta['reasoning']) ?? ''),
    calls: listOf(delta['tool_calls']).flatMap((call) => readCall(call)),
    finish: textOf(choice['finish_reason']),
    usage,
    error: error ?? readError(choice['error']),
    last: false,
  };
}

/** The `error` of an answer, in the shapes that are found in the wild. */
export function readError(value: Json | undefined): UpstreamReport | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  if (typeof value === 'string') return { status: undefined, type: undefined, message: value };
  if (!isJsonObject(value)) return { status: undefined, type: undefined, message: undefined };
  const code = value['code'];
  const status = Number(code);
  return {
    status: Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined,
    type: typeof code === 'string' ? code : textOf(value['type']),
    message: textOf(value['message']),
  };
}

function readContent(value: Json | undefined): readonly [text: string, thinking: string] {
  if (typeof value === 'string') return [value, ''];
  if (!Array.isArray(value)) return ['', ''];
  let text = '';
  let thinking = '';
  for (const part of value as readonly Json[]) {
    if (!isJsonObject(part)) continue;
    if (part['type'] === 'text') text += textOf(part['text']) ?? '';
    if (part['type'] === 'thinking') {
      const inner = part['thinking'];
      thinking += typeof inner === 'string' ? inner : readContent(inner)[0];
    }
  }
  return [text, thinking];
}

function readCall(value: Json): CallDelta[] {
  if (!isJsonObject(value)) return [];
  const definition = isJsonObject(value['function']) ? value['function'] : {};
  const given = definition['arguments'];
  const index = value['index'];
  return [
    {
      index: typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : undefined,
      id: textOf(value['id']) || undefined,
      name: textOf(definition['name']) || undefined,
      // Some send the finished object instead of its text.
      argumentsText: typeof given === 'string' ? given : isJsonObject(given) ? JSON.stringify(given) : '',
    },
  ];
}

function readUsage(value: Json | undefined): UpstreamChunk['usage'] {
  if (!isJsonObject(value)) return undefined;
  const details = isJsonObject(value['prompt_tokens_details']) ? value['prompt_tokens_details'] : {};
  return {
    input: countOf(value['prompt_tokens']),
    output: countOf(value['completion_tokens']),
    cached: countOf(details['cached_tokens']),
    costUsd: amountOf(value['cost']),
  };
}

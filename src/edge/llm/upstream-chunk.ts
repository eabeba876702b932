// Guarantees: from whatever an upstream sends as an event, only the facts below, with the types below.
// Does not: add them up or limit them. An attacker may control: the whole event.
import { isJsonObject, type Json } from '../../core/index.ts';
import type { StepUsage } from './ports.ts';

export interface UpstreamChunk {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly CallDelta[];
  readonly finish: string | undefined;
  readonly usage: (StepUsage & { readonly costUsd: number | null }) | undefined;
  readonly error: UpstreamReport | undefined;
}

export interface CallDelta {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly argumentsText: string;
}

/** What an upstream says of its own trouble. */
export interface UpstreamReport {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly message: string | undefined;
}

/** Undefined: no event of a chat completion. */
export function readChunk(value: Json): UpstreamChunk | undefined {
  if (!isJsonObject(value)) return undefined;
  const error = readError(value['error']);
  const choices: readonly Json[] = Array.isArray(value['choices']) ? value['choices'] : [];
  if (!error && !('choices' in value) && !('usage' in value)) return undefined;
  // We ask for one choice; what else comes is not ours.
  const choice = choices.find((item) => isJsonObject(item) && (item['index'] ?? 0) === 0);
  const usage = readUsage(value['usage']);
  if (!isJsonObject(choice)) return { text: '', thinking: '', calls: [], finish: undefined, usage, error };
  const delta = isJsonObject(choice['delta']) ? choice['delta'] : {};
  const calls: readonly Json[] = Array.isArray(delta['tool_calls']) ? delta['tool_calls'] : [];
  const [text, thinking] = readContent(delta['content']);
  return {
    text: text + (textOf(delta['refusal']) ?? ''),
    thinking: thinking + (textOf(delta['reasoning_content']) ?? textOf(delta['reasoning']) ?? ''),
    calls: calls.flatMap((call) => readCall(call)),
    finish: textOf(choice['finish_reason']),
    usage,
    error: error ?? readError(choice['error']),
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
    input: count(value['prompt_tokens']),
    output: count(value['completion_tokens']),
    cached: count(details['cached_tokens']),
    costUsd: amount(value['cost']),
  };
}

function count(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function amount(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

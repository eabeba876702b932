// Guarantees: the body that goes upstream consists of checked fields, our own tool definitions and what this upstream itself
// signed earlier in this turn, and known secrets in all of it are replaced by their markers. Call ids are ours: one for each
// call of the conversation, each result with its call.
// Does not: find secrets that the redactor doesn't know, or that are spread over several messages.
// An attacker may control: texts, arguments and ids in the messages, and which sealed steps they name.
import { isJsonObject, type Json, type JsonObject } from '../../../../core/index.ts';
import { callId } from '../call-id.ts';
import { listOf } from '../json-facts.ts';
import { notAllowed } from '../refusals.ts';
import type { Outbound, OutboundOptions } from '../wire.ts';
import type { AllowedMessage, AllowedRequest } from './allowed-request.ts';

const LEAST_THINKING_TOKENS = 1024;

type Blocks = readonly JsonObject[];
type AssistantMessage = Extract<AllowedMessage, { readonly role: 'assistant' }>;

export function outboundBody(request: AllowedRequest, options: OutboundOptions): Outbound {
  const history = outboundMessages(request.messages, options.sealed);
  if (history === undefined) {
    return notAllowed('llm_content_refused', 'a tool result without its call');
  }
  const offered = new Set((request.tools ?? []).map(({ name }) => name));
  const tools = options.tools
    .filter(({ name }) => offered.has(name))
    .map(({ name, description, schema }) => ({ name, description, input_schema: schema }));
  const {
    model,
    system,
    max_tokens: asked,
    messages: _messages,
    tools: _tools,
    tool_choice: choice,
    thinking,
    ...plain
  } = request;
  const maxTokens = options.maxOutput ?? asked;
  const budget = thinkingWithin(thinking, maxTokens, history.unsigned);
  const body: Record<string, unknown> = {
    ...plain,
    model,
    max_tokens: maxTokens,
    stream: true,
    ...(budget === undefined ? {} : { thinking: budget }),
    ...(system === undefined || system.length === 0 ? {} : { system: cached(blocksOf(system)) }),
    messages: history.messages.map((message, place) =>
      place === history.messages.length - 1 && message.role === 'user'
        ? { role: message.role, content: cached(message.content) }
        : message,
    ),
    ...(tools.length === 0 ? {} : { tools }),
    ...(tools.length === 0 || choice === undefined ? {} : { tool_choice: choice }),
  };
  const { value, hidden } = options.redactor.json(body);
  return { ok: true, body: JSON.stringify(value), hidden };
}

interface History {
  readonly messages: readonly { readonly role: 'user' | 'assistant'; readonly content: Blocks }[];
  /** The calls that are being answered now came without their signed thinking. */
  readonly unsigned: boolean;
}

/** Undefined: a result without a call. */
function outboundMessages(
  messages: readonly AllowedMessage[],
  sealed: OutboundOptions['sealed'],
): History | undefined {
  const out: History['messages'][number][] = [];
  let open = new Map<string, string>();
  let unsigned = false;
  for (const [place, message] of messages.entries()) {
    if (message.role === 'assistant') {
      const calls = callsOf(message, place);
      open = new Map(calls.map(({ theirs, id }) => [theirs, id]));
      const signed = signedBlocks(message, sealed, calls.length);
      unsigned = calls.length > 0 && signed === undefined;
      const content = signed
        ? signed.map((block) => (typeof block === 'number' ? (calls[block]?.block ?? {}) : block))
        : [...textBlocks(message), ...calls.map(({ block }) => block)];
      // An empty message is an error upstream, and says nothing.
      if (content.length > 0) out.push({ role: 'assistant', content });
      continue;
    }
    const content: JsonObject[] = [];
    for (const block of typeof message.content === 'string' ? blocksOf(message.content) : message.content) {
      if (block.type === 'text') {
        if (block.text !== '') content.push({ ...block });
        continue;
      }
      const id = open.get(block.tool_use_id);
      if (id === undefined) return undefined;
      content.push({
        type: 'tool_result',
        tool_use_id: id,
        ...(block.content === undefined ? {} : { content: block.content }),
        ...(block.is_error === true ? { is_error: true } : {}),
      });
    }
    if (!content.some((block) => block['type'] === 'tool_result')) unsigned = false;
    if (content.length > 0) out.push({ role: 'user', content });
  }
  return { messages: out, unsigned };
}

function callsOf(
  { content }: AssistantMessage,
  place: number,
): readonly { readonly theirs: string; readonly id: string; readonly block: JsonObject }[] {
  if (typeof content === 'string') return [];
  return content
    .filter((block) => block.type === 'tool_use')
    .map(({ id: theirs, name, input }, index) => {
      const id = callId(place, index);
      return { theirs, id, block: { type: 'tool_use', id, name, input } };
    });
}

function textBlocks({ content }: AssistantMessage): JsonObject[] {
  const blocks = typeof content === 'string' ? blocksOf(content) : content;
  return blocks.flatMap((block) => (block.type === 'text' && block.text !== '' ? [{ ...block }] : []));
}

/** The message as the upstream said it; a number stands for a call. Undefined where nothing was kept, or it doesn't fit. */
function signedBlocks(
  { content }: AssistantMessage,
  sealed: OutboundOptions['sealed'],
  calls: number,
): readonly (JsonObject | number)[] | undefined {
  if (typeof content === 'string') return undefined;
  const seal = content.find((block) => block.type === 'thinking')?.signature;
  const blocks = listOf(seal === undefined ? undefined : sealed(seal)).flatMap((block: Json) =>
    typeof block === 'number' || isJsonObject(block) ? [block] : [],
  );
  const places = blocks.filter((block) => typeof block === 'number');
  return blocks.length > 0 && places.length === calls ? blocks : undefined;
}

interface TextBlock extends JsonObject {
  readonly type: 'text';
  readonly text: string;
}

function blocksOf(content: string | readonly TextBlock[]): readonly TextBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** Asks the upstream to remember everything up to here for some minutes: the next step begins with the same. */
function cached(blocks: Blocks): Blocks {
  const last = blocks.at(-1);
  if (last === undefined || last['text'] === '') return blocks;
  return [...blocks.slice(0, -1), { ...last, cache_control: { type: 'ephemeral' } }];
}

/**
 * A budget must be below the answer's limit. With one, calls must be preceded by their signed thinking: where that is gone,
 * this step goes without thinking, which is better than an error.
 */
function thinkingWithin(
  thinking: AllowedRequest['thinking'],
  maxTokens: number,
  unsigned: boolean,
): AllowedRequest['thinking'] {
  if (thinking?.type !== 'enabled') return thinking;
  const budget = Math.min(thinking.budget_tokens, maxTokens - 1);
  return unsigned || budget < LEAST_THINKING_TOKENS
    ? { type: 'disabled' }
    : { ...thinking, budget_tokens: budget };
}

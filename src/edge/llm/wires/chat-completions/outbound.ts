// Guarantees: the body that goes upstream consists of checked fields and our own tool definitions, and known secrets in
// it are replaced by their markers. Call ids are ours: one for each call of the conversation, each result with its call.
// Does not: find secrets that the redactor doesn't know, or that are spread over several messages.
// An attacker may control: texts, arguments and ids in the messages.
import type { Json, JsonObject } from '../../../../core/index.ts';
import { callId } from '../call-id.ts';
import { notAllowed } from '../refusals.ts';
import type { Outbound, OutboundOptions } from '../wire.ts';
import type { AllowedMessage, AllowedRequest } from './allowed-request.ts';

/** How an upstream differs from plain chat completions. */
export interface Dialect {
  /** Newer OpenAI models refuse `max_tokens`. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** Whether earlier thinking is sent back; some models need it between tool calls, OpenAI doesn't know the field. */
  readonly reasoningInHistory: boolean;
}

export function outboundBody(
  request: AllowedRequest,
  dialect: Dialect,
  { tools: ours, maxOutput, redactor }: Omit<OutboundOptions, 'sealed'>,
): Outbound {
  const messages = outboundMessages(request.messages, dialect);
  if (messages === undefined) {
    return notAllowed('llm_content_refused', 'a tool result without its call');
  }
  const offered = new Set((request.tools ?? []).map((item) => item.function.name));
  const tools = ours
    .filter((tool) => offered.has(tool.name))
    .map(({ name, description, schema }) => ({
      type: 'function',
      function: { name, description, parameters: schema },
    }));
  const {
    max_tokens: _most,
    max_completion_tokens: _mostCompletion,
    messages: _messages,
    tools: _tools,
    tool_choice,
    parallel_tool_calls,
    ...plain
  } = request;
  const body: Record<string, unknown> = {
    ...plain,
    stream: true,
    stream_options: { include_usage: true },
    ...(maxOutput === undefined ? {} : { [dialect.maxTokensField]: maxOutput }),
    messages,
    // An empty list of tools, or a choice among none, is an error for most upstreams.
    ...(tools.length === 0 ? {} : { tools }),
    ...(tools.length === 0 || tool_choice === undefined ? {} : { tool_choice }),
    ...(tools.length === 0 || parallel_tool_calls === undefined ? {} : { parallel_tool_calls }),
  };
  const { value, hidden } = redactor.json(body);
  return { ok: true, body: JSON.stringify(value), hidden };
}

/**
 * Call ids from the engine repeat from turn to turn, and some upstreams refuse a conversation in which one occurs twice.
 * So each call gets an id by its place; nine letters and digits suit the pickiest. Undefined: a result without a call.
 */
function outboundMessages(messages: readonly AllowedMessage[], dialect: Dialect): JsonObject[] | undefined {
  const out: JsonObject[] = [];
  let open = new Map<string, string>();
  for (const [place, message] of messages.entries()) {
    switch (message.role) {
      case 'system':
      case 'user':
        out.push({ role: message.role, content: message.content });
        break;
      case 'assistant': {
        open = new Map();
        const calls: Json[] = [];
        for (const [index, call] of (message.tool_calls ?? []).entries()) {
          const id = callId(place, index);
          open.set(call.id, id);
          calls.push({ id, type: 'function', function: { ...call.function } });
        }
        const thinking = dialect.reasoningInHistory ? message.reasoning_content : undefined;
        out.push({
          role: 'assistant',
          content: message.content ?? (calls.length > 0 ? null : ''),
          ...(thinking === undefined ? {} : { reasoning_content: thinking }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        });
        break;
      }
      case 'tool': {
        const id = open.get(message.tool_call_id);
        if (id === undefined) return undefined;
        out.push({ role: 'tool', tool_call_id: id, content: message.content });
      }
    }
  }
  return out;
}

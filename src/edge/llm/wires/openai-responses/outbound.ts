// Guarantees: the body that goes upstream consists of checked fields and our own tool definitions, the provider is told to
// keep nothing, and known secrets are replaced by their markers. Encrypted reasoning is what the provider gave for this very
// turn, never what the engine says. Call ids are ours: each result has its call.
// Does not: find secrets that the redactor doesn't know, or that are spread over several messages.
// An attacker may control: texts, arguments, ids and the names of sealed answers in the input.
import type { Json, JsonObject } from '../../../../core/index.ts';
import { callId } from '../call-id.ts';
import { notAllowed } from '../refusals.ts';
import type { Outbound, OutboundOptions } from '../wire.ts';
import type { ResponsesItem, ResponsesRequest } from './allowed-request.ts';
import { sealedItems } from './sealed-answer.ts';

export function outboundBody(request: ResponsesRequest, options: OutboundOptions): Outbound {
  const input = outboundInput(request.input, options.sealed);
  if (input === undefined) return notAllowed('llm_content_refused', 'a tool result without its call');
  const offered = new Set((request.tools ?? []).map(({ name }) => name));
  const tools = options.tools
    .filter(({ name }) => offered.has(name))
    .map(({ name, description, schema }) => ({
      type: 'function',
      name,
      description,
      parameters: schema,
      // Left out it means true, and our schemas are not written for that.
      strict: false,
    }));
  const {
    input: _input,
    tools: _tools,
    max_output_tokens: _most,
    tool_choice,
    parallel_tool_calls,
    ...plain
  } = request;
  const body: Record<string, unknown> = {
    ...plain,
    stream: true,
    store: false,
    ...(options.maxOutput === undefined ? {} : { max_output_tokens: options.maxOutput }),
    input,
    // A choice among no tools is an error.
    ...(tools.length === 0 ? {} : { tools }),
    ...(tools.length === 0 || tool_choice === undefined ? {} : { tool_choice }),
    ...(tools.length === 0 || parallel_tool_calls === undefined ? {} : { parallel_tool_calls }),
  };
  const { value, hidden } = options.redactor.json(body);
  return { ok: true, body: JSON.stringify(value), hidden };
}

/** Undefined: a result without a call. */
function outboundInput(
  items: readonly ResponsesItem[],
  sealed: (seal: string) => Json | undefined,
): JsonObject[] | undefined {
  const out: JsonObject[] = [];
  const open = new Map<string, string>();
  /** The rest of a sealed answer, which is said again in its own order; its calls come from the engine. */
  let again: JsonObject[] = [];
  const sayUntilCall = (): void => {
    while (again.length > 0 && again[0]?.['type'] !== 'call') out.push(again.shift() ?? {});
  };
  let replaced = false;
  for (const [place, item] of items.entries()) {
    switch (item.type) {
      case 'message':
        again = [];
        replaced = false;
        out.push({ role: item.role, content: item.content });
        break;
      case 'answer':
        // Its words are in the sealed answer.
        if (!replaced) out.push({ role: item.role, content: item.content });
        break;
      case 'reasoning': {
        const kept = replaced ? undefined : sealedItems(sealed(item.encrypted_content));
        if (kept !== undefined) {
          again = [...kept];
          replaced = true;
          sayUntilCall();
        }
        // Reasoning that was not kept is left out: the provider takes nothing but its own.
        break;
      }
      case 'function_call': {
        const id = callId(place, 0);
        open.set(item.call_id, id);
        sayUntilCall();
        again.shift();
        out.push({ type: item.type, call_id: id, name: item.name, arguments: item.arguments });
        break;
      }
      case 'function_call_output': {
        again = [];
        replaced = false;
        const id = open.get(item.call_id);
        if (id === undefined) return undefined;
        open.delete(item.call_id);
        out.push({ type: item.type, call_id: id, output: item.output });
      }
    }
  }
  return out;
}

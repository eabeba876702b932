// Guarantees: what passes is a streaming chat completion with fields from a closed list, messages of text and function
// calls only, this turn's model, and tools that are named in this turn. The result is built anew from what was checked,
// so that nothing unchecked can ride along.
// Does not: judge what the texts say. The engine writes them and may say anything in them.
// An attacker may control: the whole body (the engine is untrusted).
import { z } from 'zod';
import { isJsonObject, type JsonObject, type ToolDefinition } from '../../../../core/index.ts';
import { notAllowed, quoted } from '../refusals.ts';
import { readRequestBody, refusedModel } from '../request-body.ts';
import type { CheckContext, RefusedPrompt } from '../wire.ts';

export type AllowedRequest = z.output<typeof requestSchema>;
export type AllowedMessage = AllowedRequest['messages'][number];

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const callId = z.string().min(1).max(128);
const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const content = z.union([z.string(), z.array(textPart)]);

const functionCall = z.strictObject({
  id: callId,
  type: z.literal('function'),
  function: z.strictObject({ name: toolName, arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content }),
  z.strictObject({ role: z.literal('user'), content }),
  z.strictObject({
    role: z.literal('assistant'),
    content: content.nullish(),
    reasoning_content: z.string().optional(),
    tool_calls: z.array(functionCall).min(1).max(64).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: callId, content }),
]);

const tool = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({
    name: toolName,
    // Read and thrown away: the definitions that go upstream are ours.
    description: z.string().optional(),
    parameters: z.unknown().optional(),
    strict: z.boolean().nullish(),
  }),
});

const requestSchema = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1).max(10_000),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).optional(),
  tools: z.array(tool).max(256).optional(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: toolName }) }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_tokens: z.int().min(1).max(1_000_000).optional(),
  max_completion_tokens: z.int().min(1).max(1_000_000).optional(),
  stop: z.union([z.string().max(256), z.array(z.string().max(256)).max(16)]).optional(),
  seed: z.int().optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  response_format: z.strictObject({ type: z.enum(['text', 'json_object']) }).optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
});

const FIELDS = new Set(Object.keys(requestSchema.shape));

export type CheckedRequest = { readonly ok: true; readonly request: AllowedRequest } | RefusedPrompt;

/** Checks the body of a request against the closed list and the turn. */
export function checkRequest(text: string, context: CheckContext): CheckedRequest {
  const read = readRequestBody(text, FIELDS, context.maxDepth);
  if (!read.ok) return read;
  const { body } = read;
  // These by hand before the schema: they are the attacks, and deserve an exact word each.
  if (body['stream'] !== true)
    return notAllowed('llm_stream_required', 'only streamed answers are supported');
  const model = refusedModel(body, context.model);
  if (model) return model;
  const foreign = foreignTool(body, context.tools);
  if (foreign !== undefined) return notAllowed('llm_tool_refused', foreign);

  const checked = requestSchema.safeParse(body);
  if (!checked.success) return refusedShape(checked.error.issues[0]);
  const request = checked.data;
  const offered = new Set((request.tools ?? []).map((item) => item.function.name));
  if (offered.size !== (request.tools ?? []).length) {
    return notAllowed('llm_tool_refused', 'it offers the same tool twice');
  }
  if (typeof request.tool_choice === 'object' && !offered.has(request.tool_choice.function.name)) {
    return notAllowed(
      'llm_tool_refused',
      `it demands the tool ${quoted(request.tool_choice.function.name)}, which it does not offer`,
    );
  }
  return { ok: true, request };
}

function foreignTool(body: JsonObject, ours: readonly ToolDefinition[]): string | undefined {
  const tools = body['tools'];
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return 'its tools are no list';
  const known = new Set(ours.map((item) => item.name));
  for (const item of tools as readonly unknown[]) {
    if (!isJsonObject(item)) return 'one of its tools is no object';
    if (item['type'] !== 'function') {
      return `a tool of type ${quoted(item['type'])} would be run by the provider, outside of OpenPact`;
    }
    const { function: definition } = item;
    const name = isJsonObject(definition) ? definition['name'] : undefined;
    if (typeof name !== 'string' || !known.has(name))
      return `the tool ${quoted(name)} does not belong to this turn`;
  }
  return undefined;
}

function refusedShape(issue: z.core.$ZodIssue | undefined): RefusedPrompt {
  const path = (issue?.path ?? []).map(String).join('.');
  switch (String(issue?.path[0])) {
    case 'messages':
      return notAllowed('llm_content_refused', `${path} holds something other than text and function calls`);
    case 'tools':
    case 'tool_choice':
      return notAllowed('llm_tool_refused', `${path} is not a plain function tool`);
    default:
      return notAllowed(
        'llm_body_invalid',
        `${path === '' ? 'its body' : path} has a value that is not allowed`,
      );
  }
}

// Guarantees: what passes is a streamed response with fields from a closed list, that nobody keeps (`store` is false),
// with an input of texts, function calls, their results and the names of encrypted reasoning (never such reasoning itself),
// this turn's model, and functions that are named in this turn. The result is built anew from what was checked.
// Does not: judge what the texts say. The engine writes them and may say anything in them.
// An attacker may control: the whole body (the engine is untrusted).
import { z } from 'zod';
import { isJsonObject, type JsonObject, type ToolDefinition } from '../../../../core/index.ts';
import { listOf } from '../json-facts.ts';
import { notAllowed, quoted } from '../refusals.ts';
import { readRequestBody, refusedModel } from '../request-body.ts';
import type { CheckContext, RefusedPrompt } from '../wire.ts';

export type ResponsesRequest = z.output<typeof requestSchema>;
export type ResponsesItem = ResponsesRequest['input'][number];

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const callId = z.string().min(1).max(128);
const inputText = z.strictObject({ type: z.literal('input_text'), text: z.string() });
const outputText = z.strictObject({ type: z.literal('output_text'), text: z.string() });
const said = z.union([z.string(), z.array(inputText)]);
const seal = z.string().min(1).max(512);

const item = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    role: z.enum(['system', 'developer', 'user']),
    content: said,
  }),
  z.strictObject({
    type: z.literal('answer'),
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(outputText)]),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    call_id: callId,
    name: toolName,
    arguments: z.string(),
  }),
  z.strictObject({ type: z.literal('function_call_output'), call_id: callId, output: said }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: seal,
    encrypted_content: seal,
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })).max(64),
  }),
]);

const tool = z.strictObject({
  type: z.literal('function'),
  name: toolName,
  // Read and thrown away: the definitions that go upstream are ours.
  description: z.string().optional(),
  parameters: z.unknown().optional(),
  strict: z.boolean().nullish(),
});

const requestSchema = z.strictObject({
  model: z.string(),
  input: z.array(z.preprocess(withType, item)).min(1).max(10_000),
  stream: z.literal(true),
  store: z.literal(false).optional(),
  instructions: z.string().optional(),
  include: z.array(z.literal('reasoning.encrypted_content')).max(1).optional(),
  tools: z.array(tool).max(256).optional(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.strictObject({ type: z.literal('function'), name: toolName }),
    ])
    .optional(),
  parallel_tool_calls: z.boolean().optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_output_tokens: z.int().min(1).max(1_000_000).optional(),
  reasoning: z
    .strictObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).optional(),
      summary: z.enum(['auto', 'concise', 'detailed']).optional(),
    })
    .optional(),
  text: z
    .strictObject({
      format: z.strictObject({ type: z.enum(['text', 'json_object']) }).optional(),
      verbosity: z.enum(['low', 'medium', 'high']).optional(),
    })
    .optional(),
});

const FIELDS: ReadonlySet<string> = new Set(Object.keys(requestSchema.shape));
const REASONING = 'reasoning.encrypted_content';
const ITEMS: ReadonlySet<string> = new Set(['message', 'function_call', 'function_call_output', 'reasoning']);

/** A message may leave its type out. What the assistant said gets a name of its own, so that each kind has one shape. */
function withType(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const { type = 'message', role } = value;
  // Any other type was refused before.
  if (type !== 'message') return value;
  return { ...value, type: role === 'assistant' ? 'answer' : 'message' };
}

/** Checks the body of a request against the closed list and the turn. */
export function checkRequest(
  text: string,
  context: CheckContext,
): { readonly ok: true; readonly request: ResponsesRequest } | RefusedPrompt {
  const read = readRequestBody(text, FIELDS, context.maxDepth);
  if (!read.ok) return read;
  const { body } = read;
  // These by hand before the schema: they are the attacks, and deserve an exact word each.
  if (body['stream'] !== true) {
    return notAllowed('llm_stream_required', 'only streamed answers are supported');
  }
  const refused = refusedModel(body, context.model) ?? refusedKeeping(body) ?? refusedItem(body);
  if (refused) return refused;
  const foreign = foreignTool(body, context.tools);
  if (foreign !== undefined) return notAllowed('llm_tool_refused', foreign);

  const checked = requestSchema.safeParse(body);
  if (!checked.success) return refusedShape(checked.error.issues[0]);
  const request = checked.data;
  const offered = new Set((request.tools ?? []).map(({ name }) => name));
  if (offered.size !== (request.tools ?? []).length) {
    return notAllowed('llm_tool_refused', 'it offers the same tool twice');
  }
  if (typeof request.tool_choice === 'object' && !offered.has(request.tool_choice.name)) {
    return notAllowed(
      'llm_tool_refused',
      `it demands the tool ${quoted(request.tool_choice.name)}, which it does not offer`,
    );
  }
  return { ok: true, request };
}

function refusedKeeping(body: JsonObject): RefusedPrompt | undefined {
  if (body['store'] !== undefined && body['store'] !== false) {
    return notAllowed('llm_field_refused', 'it wants the provider to keep the answer ("store")');
  }
  const more = listOf(body['include']).find((entry) => entry !== REASONING);
  return more === undefined
    ? undefined
    : notAllowed('llm_field_refused', `"include" asks for ${quoted(more)}`);
}

function refusedItem(body: JsonObject): RefusedPrompt | undefined {
  for (const entry of listOf(body['input'])) {
    if (!isJsonObject(entry)) continue;
    const { type = 'message', content, output } = entry;
    if (typeof type !== 'string' || !ITEMS.has(type)) {
      return notAllowed('llm_content_refused', `an item of type ${quoted(type)} is not allowed`);
    }
    for (const part of [...listOf(content), ...listOf(output)]) {
      const kind = isJsonObject(part) ? part['type'] : undefined;
      if (kind !== 'input_text' && kind !== 'output_text') {
        return notAllowed('llm_content_refused', `content of type ${quoted(kind)} is not text`);
      }
    }
  }
  return undefined;
}

function foreignTool(body: JsonObject, ours: readonly ToolDefinition[]): string | undefined {
  const { tools } = body;
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return 'its tools are no list';
  const known = new Set(ours.map(({ name }) => name));
  for (const offered of tools as readonly unknown[]) {
    if (!isJsonObject(offered)) return 'one of its tools is no object';
    const { type, name } = offered;
    if (type !== 'function') {
      return `a tool of type ${quoted(type)} would be run by the provider, outside of OpenPact`;
    }
    if (typeof name !== 'string' || !known.has(name)) {
      return `the tool ${quoted(name)} does not belong to this turn`;
    }
  }
  return undefined;
}

function refusedShape(issue: z.core.$ZodIssue | undefined): RefusedPrompt {
  const path = (issue?.path ?? []).map(String).join('.');
  switch (String(issue?.path[0])) {
    case 'input':
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

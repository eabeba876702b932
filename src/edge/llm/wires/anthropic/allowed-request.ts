// Guarantees: what passes is a streaming Messages request with fields from a closed list, messages of text, tool calls, their
// results and names of sealed thinking, this turn's model, and tools that are named in this turn. Nothing that the provider
// would run, fetch, keep or bill at another rate: server tools, remote MCP, containers, files, addresses in content, tiers.
// Does not: judge what the texts say. An attacker may control: the whole body and the headers (the engine is untrusted).
import { z } from 'zod';
import { isJsonObject, type JsonObject, type ToolDefinition } from '../../../../core/index.ts';
import { notAllowed, quoted } from '../refusals.ts';
import { readRequestBody, refusedModel } from '../request-body.ts';
import type { CheckContext, RefusedPrompt } from '../wire.ts';

export type AllowedRequest = z.output<typeof requestSchema>;
export type AllowedMessage = AllowedRequest['messages'][number];

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const callId = z.string().min(1).max(128);
const textBlock = z.strictObject({ type: z.literal('text'), text: z.string() });
const texts = z.union([z.string(), z.array(textBlock)]);

const userBlock = z.discriminatedUnion('type', [
  textBlock,
  z.strictObject({
    type: z.literal('tool_result'),
    tool_use_id: callId,
    content: texts.optional(),
    is_error: z.boolean().optional(),
  }),
]);

const assistantBlock = z.discriminatedUnion('type', [
  textBlock,
  // Only the name counts: the thinking itself is put back from what the upstream said.
  z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().max(128) }),
  z.strictObject({
    type: z.literal('tool_use'),
    id: callId,
    name: toolName,
    input: z.record(z.string(), z.json()),
  }),
]);

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('user'), content: z.union([z.string(), z.array(userBlock)]) }),
  z.strictObject({ role: z.literal('assistant'), content: z.union([z.string(), z.array(assistantBlock)]) }),
]);

const tool = z.strictObject({
  type: z.literal('custom').optional(),
  name: toolName,
  // Read and thrown away: the definitions that go upstream are ours.
  description: z.string().optional(),
  input_schema: z.unknown().optional(),
  strict: z.boolean().optional(),
  eager_input_streaming: z.boolean().optional(),
});

const display = z.enum(['summarized', 'omitted']).optional();
const thinking = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('disabled') }),
  z.strictObject({ type: z.literal('adaptive'), display }),
  z.strictObject({ type: z.literal('between_tools') }),
  z.strictObject({
    type: z.literal('enabled'),
    budget_tokens: z.int().min(1024).max(1_000_000),
    display,
  }),
]);

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
const requestSchema = z.strictObject({
  model: z.string(),
  max_tokens: z.int().min(1).max(1_000_000),
  system: texts.optional(),
  messages: z.array(message).min(1).max(10_000),
  stream: z.literal(true),
  tools: z.array(tool).max(256).optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('auto'), ...parallel }),
      z.strictObject({ type: z.literal('any'), ...parallel }),
      z.strictObject({ type: z.literal('none') }),
      z.strictObject({ type: z.literal('tool'), name: toolName, ...parallel }),
    ])
    .optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(1).max(1_000_000).optional(),
  stop_sequences: z.array(z.string().max(256)).max(16).optional(),
  thinking: thinking.optional(),
  output_config: z.strictObject({ effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']) }).optional(),
});

const FIELDS = new Set(Object.keys(requestSchema.shape));

/** Betas that the provider's client names by itself and that change nothing but form. None of them goes upstream. */
const HARMLESS_BETAS = new Set([
  'structured-outputs-2025-11-13',
  'fine-grained-tool-streaming-2025-05-14',
  'interleaved-thinking-2025-05-14',
]);

export type CheckedRequest = { readonly ok: true; readonly request: AllowedRequest } | RefusedPrompt;

/** Checks a request against the closed list and the turn. */
export function checkRequest(text: string, headers: Headers, context: CheckContext): CheckedRequest {
  const beta = (headers.get('anthropic-beta') ?? '')
    .split(',')
    .map((name) => name.trim())
    .find((name) => name !== '' && !HARMLESS_BETAS.has(name));
  if (beta !== undefined) {
    return notAllowed(
      'llm_field_refused',
      `the beta ${quoted(beta)} is not on the list of what may be asked for`,
    );
  }
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
  const offered = new Set((request.tools ?? []).map(({ name }) => name));
  if (offered.size !== (request.tools ?? []).length) {
    return notAllowed('llm_tool_refused', 'it offers the same tool twice');
  }
  const choice = request.tool_choice;
  if (choice?.type === 'tool' && !offered.has(choice.name)) {
    return notAllowed(
      'llm_tool_refused',
      `it demands the tool ${quoted(choice.name)}, which it does not offer`,
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
    const { type, name } = item;
    if (type !== undefined && type !== 'custom') {
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
    case 'messages':
    case 'system':
      return notAllowed(
        'llm_content_refused',
        `${path} holds something other than text, tool calls and their results`,
      );
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

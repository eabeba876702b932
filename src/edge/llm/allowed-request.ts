// Guarantees: what passes is a streaming chat completion with fields from a closed list, messages of text and function
// calls only, this turn's model, and tools that are named in this turn. The result is built anew from what was checked,
// so that nothing unchecked can ride along.
// Does not: judge what the texts say. The engine writes them and may say anything in them.
// An attacker may control: the whole body (the engine is untrusted).
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../core/index.ts';
import { parseBoundedJson } from './bounded-json.ts';
import type { GatewayTurn } from './ports.ts';

/** Why a request of the engine was not passed on. `message` is for a person. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

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

export type CheckedRequest =
  | { readonly ok: true; readonly request: AllowedRequest }
  | ({ readonly ok: false } & Refusal);

/** Checks the body of a request against the closed list and the turn. */
export function checkRequest(
  text: string,
  turn: Pick<GatewayTurn, 'model' | 'tools'>,
  maxDepth: number,
): CheckedRequest {
  const parsed = parseBoundedJson(text, maxDepth);
  if (!parsed.ok) return refuse('llm_body_invalid', `its body is ${parsed.problem}`);
  if (!isJsonObject(parsed.value)) return refuse('llm_body_invalid', 'its body is no JSON object');
  const body = parsed.value;
  // These three first, by hand: they are the attacks, and deserve an exact word each.
  const field = Object.keys(body).find((key) => !FIELDS.has(key));
  if (field !== undefined) {
    return refuse('llm_field_refused', `the field ${quoted(field)} is not on the list of what may be sent`);
  }
  if (body['stream'] !== true) return refuse('llm_stream_required', 'only streamed answers are supported');
  if (body['model'] !== turn.model) {
    return refuse(
      'llm_model_refused',
      `it asks for the model ${quoted(body['model'])}, this turn runs on another`,
    );
  }
  const foreign = foreignTool(body, turn);
  if (foreign !== undefined) return refuse('llm_tool_refused', foreign);

  const checked = requestSchema.safeParse(body);
  if (!checked.success) return refusedShape(checked.error.issues[0]);
  const request = checked.data;
  const offered = new Set((request.tools ?? []).map((item) => item.function.name));
  if (offered.size !== (request.tools ?? []).length) {
    return refuse('llm_tool_refused', 'it offers the same tool twice');
  }
  if (typeof request.tool_choice === 'object' && !offered.has(request.tool_choice.function.name)) {
    return refuse(
      'llm_tool_refused',
      `it demands the tool ${quoted(request.tool_choice.function.name)}, which it does not offer`,
    );
  }
  return { ok: true, request };
}

function foreignTool(body: JsonObject, turn: Pick<GatewayTurn, 'tools'>): string | undefined {
  const tools = body['tools'];
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return 'its tools are no list';
  const known = new Set(turn.tools.map((item) => item.name));
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

function refusedShape(issue: z.core.$ZodIssue | undefined): CheckedRequest {
  const path = (issue?.path ?? []).map(String).join('.');
  switch (String(issue?.path[0])) {
    case 'messages':
      return refuse('llm_content_refused', `${path} holds something other than text and function calls`);
    case 'tools':
    case 'tool_choice':
      return refuse('llm_tool_refused', `${path} is not a plain function tool`);
    default:
      return refuse('llm_body_invalid', `${path === '' ? 'its body' : path} has a value that is not allowed`);
  }
}

function refuse(code: string, why: string): CheckedRequest {
  return {
    ok: false,
    code,
    message: `The engine asked for something that is not allowed, and nothing was sent to the model: ${why}.`,
  };
}

/** What the engine wrote, fit for a log: short and on one line. */
function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

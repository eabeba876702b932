// Guarantees: what passes has fields from a closed list, contents of text, function calls, their results and the names of
// signatures (never a signature itself), and functions that are named in this turn; the model stands in the path and is
// compared there. The result is built anew from what was checked, so that nothing unchecked can ride along.
// Does not: judge what the texts say. The engine writes them and may say anything in them.
// An attacker may control: the whole body (the engine is untrusted).
import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject, type ToolDefinition } from '../../../../core/index.ts';
import { listOf } from '../json-facts.ts';
import { notAllowed, quoted } from '../refusals.ts';
import { readRequestBody } from '../request-body.ts';
import type { CheckContext, RefusedPrompt } from '../wire.ts';

export type GeminiRequest = z.output<typeof requestSchema>;
export type GeminiContent = GeminiRequest['contents'][number];

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const callId = z.string().min(1).max(128).optional();
const json = z.custom<Json>((value) => value !== undefined);
const object = z.custom<JsonObject>((value) => isJsonObject(value));
const signature = z.string().min(1).max(512).optional();

const text = z.strictObject({
  text: z.string(),
  thought: z.boolean().optional(),
  thoughtSignature: signature,
});
const functionCall = z.strictObject({
  functionCall: z.strictObject({ id: callId, name: toolName, args: object.optional() }),
  thoughtSignature: signature,
});
const functionResponse = z.strictObject({
  functionResponse: z.strictObject({ id: callId, name: toolName, response: object }),
});

const content = z.discriminatedUnion('role', [
  z.strictObject({
    role: z.literal('user'),
    parts: z
      .array(z.union([text, functionResponse]))
      .min(1)
      .max(10_000),
  }),
  z.strictObject({
    role: z.literal('model'),
    parts: z
      .array(z.union([text, functionCall]))
      .min(1)
      .max(10_000),
  }),
]);

const declaration = z.strictObject({
  name: toolName,
  // Read and thrown away: the definitions that go upstream are ours.
  description: z.string().optional(),
  parameters: json.optional(),
  parametersJsonSchema: json.optional(),
});

const requestSchema = z.strictObject({
  contents: z.array(content).min(1).max(10_000),
  systemInstruction: z
    .strictObject({
      role: z.enum(['user', 'system']).optional(),
      parts: z.array(z.strictObject({ text: z.string() })).max(64),
    })
    .optional(),
  tools: z
    .array(z.strictObject({ functionDeclarations: z.array(declaration).max(256) }))
    .max(16)
    .optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z
        .strictObject({
          mode: z.enum(['AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(),
          allowedFunctionNames: z.array(toolName).max(256).optional(),
        })
        .optional(),
    })
    .optional(),
  generationConfig: z
    .strictObject({
      maxOutputTokens: z.int().min(1).max(1_000_000).optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().min(0).max(1).optional(),
      topK: z.int().min(1).max(1_000).optional(),
      frequencyPenalty: z.number().min(-2).max(2).optional(),
      presencePenalty: z.number().min(-2).max(2).optional(),
      seed: z.int().optional(),
      stopSequences: z.array(z.string().max(256)).max(16).optional(),
      responseMimeType: z.enum(['text/plain', 'application/json']).optional(),
      thinkingConfig: z
        .strictObject({
          includeThoughts: z.boolean().optional(),
          thinkingBudget: z.int().min(-1).max(1_000_000).optional(),
          thinkingLevel: z.enum(['minimal', 'low', 'medium', 'high']).optional(),
        })
        .optional(),
    })
    .optional(),
  /** Read and thrown away: how strict the filters are is between the owner and the provider. */
  safetySettings: z
    .array(z.strictObject({ category: z.string().max(64), threshold: z.string().max(64) }))
    .max(16)
    .optional(),
});

const FIELDS: ReadonlySet<string> = new Set(Object.keys(requestSchema.shape));

const PARTS: ReadonlySet<string> = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'functionCall',
  'functionResponse',
]);

/** Checks the body of a request against the closed list and the turn. */
export function checkRequest(
  body: string,
  context: CheckContext,
): { readonly ok: true; readonly request: GeminiRequest } | RefusedPrompt {
  const read = readRequestBody(body, FIELDS, context.maxDepth);
  if (!read.ok) return read;
  // By hand before the schema: these are the attacks, and deserve an exact word each.
  const part = foreignPart(read.body);
  if (part !== undefined) {
    return notAllowed(
      'llm_content_refused',
      `content with ${quoted(part)} is neither text nor a function call`,
    );
  }
  const foreign = foreignTool(read.body, context.tools);
  if (foreign !== undefined) return notAllowed('llm_tool_refused', foreign);

  const checked = requestSchema.safeParse(read.body);
  if (!checked.success) return refusedShape(checked.error.issues[0]);
  const request = checked.data;
  const offered = namesOf(request);
  if (new Set(offered).size !== offered.length) {
    return notAllowed('llm_tool_refused', 'it offers the same tool twice');
  }
  const demanded = request.toolConfig?.functionCallingConfig?.allowedFunctionNames ?? [];
  const missing = demanded.find((name) => !offered.includes(name));
  if (missing !== undefined) {
    return notAllowed('llm_tool_refused', `it demands the tool ${quoted(missing)}, which it does not offer`);
  }
  return { ok: true, request };
}

/** Names of the functions that are offered. */
export function namesOf(request: Pick<GeminiRequest, 'tools'>): string[] {
  return (request.tools ?? []).flatMap((tool) => tool.functionDeclarations.map(({ name }) => name));
}

function foreignPart(body: JsonObject): string | undefined {
  for (const content of listOf(body['contents'])) {
    for (const part of isJsonObject(content) ? listOf(content['parts']) : []) {
      const other = isJsonObject(part) ? Object.keys(part).find((key) => !PARTS.has(key)) : undefined;
      if (other !== undefined) return other;
    }
  }
  return undefined;
}

function foreignTool(body: JsonObject, ours: readonly ToolDefinition[]): string | undefined {
  const { tools } = body;
  if (tools === undefined) return undefined;
  if (!Array.isArray(tools)) return 'its tools are no list';
  const known = new Set(ours.map(({ name }) => name));
  for (const tool of tools as readonly Json[]) {
    if (!isJsonObject(tool)) return 'one of its tools is no object';
    const other = Object.keys(tool).find((key) => key !== 'functionDeclarations');
    if (other !== undefined) {
      return `a tool of type ${quoted(other)} would be run by the provider, outside of OpenPact`;
    }
    for (const declared of listOf(tool['functionDeclarations'])) {
      const name = isJsonObject(declared) ? declared['name'] : undefined;
      if (typeof name !== 'string' || !known.has(name)) {
        return `the tool ${quoted(name)} does not belong to this turn`;
      }
    }
  }
  return undefined;
}

function refusedShape(issue: z.core.$ZodIssue | undefined): RefusedPrompt {
  const path = (issue?.path ?? []).map(String).join('.');
  switch (String(issue?.path[0])) {
    case 'contents':
    case 'systemInstruction':
      return notAllowed('llm_content_refused', `${path} holds something other than text and function calls`);
    case 'tools':
    case 'toolConfig':
      return notAllowed('llm_tool_refused', `${path} is not a plain function tool`);
    default:
      return notAllowed(
        'llm_body_invalid',
        `${path === '' ? 'its body' : path} has a value that is not allowed`,
      );
  }
}

// Guarantees: the body that goes upstream consists of checked fields and our own tool definitions, and known secrets in it
// are replaced by their markers. A signature is what the provider gave for this very turn, never what the engine says. Call
// ids are ours: each result has its call, under the name of that call. Calls that no signature is kept for (of another
// model, or of a turn that was cut off) are said to be unsigned.
// Does not: find secrets that the redactor doesn't know, or that are spread over several messages.
// An attacker may control: texts, arguments, ids and the names of signatures in the contents.
import type { Json, JsonObject } from '../../../../core/index.ts';
import { callId } from '../call-id.ts';
import { notAllowed } from '../refusals.ts';
import type { Outbound, OutboundOptions } from '../wire.ts';
import { namesOf, type GeminiContent, type GeminiRequest } from './allowed-request.ts';
import { signedParts } from './signed-answer.ts';

/** The provider's own word for calls that it did not sign: ai.google.dev/gemini-api/docs/thought-signatures */
const UNSIGNED = 'skip_thought_signature_validator';
/** From the third generation on, calls without a signature are refused. */
const SIGNS = /(^|\/)gemini-([3-9]|[1-9]\d)/;

export function outboundBody(request: GeminiRequest, options: OutboundOptions, model: string): Outbound {
  const contents = outboundContents(request.contents, options.sealed, SIGNS.test(model));
  if (contents === undefined) return notAllowed('llm_content_refused', 'a tool result without its call');
  const offered = new Set(namesOf(request));
  const functionDeclarations = options.tools
    .filter((tool) => offered.has(tool.name))
    .map(({ name, description, schema }) => ({ name, description, parametersJsonSchema: schema }));
  const { systemInstruction, toolConfig } = request;
  const { maxOutputTokens: _most, ...asked } = request.generationConfig ?? {};
  const generationConfig = {
    ...asked,
    ...(options.maxOutput === undefined ? {} : { maxOutputTokens: options.maxOutput }),
  };
  const body: Record<string, unknown> = {
    contents,
    ...(systemInstruction === undefined ? {} : { systemInstruction }),
    ...(Object.keys(generationConfig).length === 0 ? {} : { generationConfig }),
    // An empty list of tools, or a choice among none, is an error.
    ...(functionDeclarations.length === 0 ? {} : { tools: [{ functionDeclarations }] }),
    ...(functionDeclarations.length === 0 || toolConfig === undefined ? {} : { toolConfig }),
  };
  const { value, hidden } = options.redactor.json(body);
  return { ok: true, body: JSON.stringify(value), hidden };
}

interface OpenCall {
  readonly given: string | undefined;
  readonly name: string;
  readonly id: string;
}

/**
 * A result belongs to the call of its id, or to the first open one of its name: the id may be left out on this wire.
 * Undefined: a result without a call.
 */
function outboundContents(
  contents: readonly GeminiContent[],
  sealed: (seal: string) => Json | undefined,
  signs: boolean,
): JsonObject[] | undefined {
  const out: JsonObject[] = [];
  let open: OpenCall[] = [];
  for (const [place, content] of contents.entries()) {
    if (content.role === 'model') {
      open = [];
      out.push({ role: 'model', parts: answerParts(content, place, open, sealed, signs) });
      continue;
    }
    const parts: JsonObject[] = [];
    for (const part of content.parts) {
      if (!('functionResponse' in part)) {
        parts.push({ text: part.text });
        continue;
      }
      const { id: given, name, response } = part.functionResponse;
      const call = open.find(
        (entry) => entry.name === name && (given === undefined || entry.given === given),
      );
      if (call === undefined) return undefined;
      open = open.filter((entry) => entry !== call);
      parts.push({ functionResponse: { id: call.id, name, response } });
    }
    out.push({ role: 'user', parts });
  }
  return out;
}

/** What the model said, as it signed it where that was kept; its calls are noted in `open`. */
function answerParts(
  content: Extract<GeminiContent, { role: 'model' }>,
  place: number,
  open: OpenCall[],
  sealed: (seal: string) => Json | undefined,
  signs: boolean,
): JsonObject[] {
  let seal: string | undefined;
  const calls: JsonObject[] = [];
  const parts = content.parts.map((part): JsonObject => {
    seal ??= part.thoughtSignature;
    if (!('functionCall' in part)) {
      return { text: part.text, ...(part.thought === true ? { thought: true } : {}) };
    }
    const { name, args, id: given } = part.functionCall;
    const id = callId(place, open.length);
    open.push({ given, name, id });
    const call = { functionCall: { id, name, args: args ?? {} } };
    calls.push(call);
    return call;
  });
  const signed = signedParts(seal === undefined ? undefined : sealed(seal), calls);
  if (signed !== undefined || !signs) return signed ?? parts;
  // Of several calls of one answer the first is the signed one.
  return parts.map((part) => (part === calls[0] ? { ...part, thoughtSignature: UNSIGNED } : part));
}

// Google's generateContent, of the Gemini API.
import { isJsonObject, type Json } from '../../../../core/index.ts';
import { listOf, textOf } from '../json-facts.ts';
import type { ModelPage, Wire } from '../wire.ts';
import { checkRequest } from './allowed-request.ts';
import { outboundBody } from './outbound.ts';
import { createReader, reportOf } from './read-answer.ts';
import { createWriter } from './write-answer.ts';

const ASK = ':streamGenerateContent?alt=sse';
const PAGE_SIZE = 200;

export function createGeminiWire(): Wire {
  return {
    name: 'gemini',
    enginePath: (model) => `/v1beta/models/${shortName(model)}${ASK}`,
    check(text, _headers, context) {
      const checked = checkRequest(text, context);
      if (!checked.ok) return checked;
      const { request } = checked;
      return {
        ok: true,
        messages: request.contents.length,
        maxOutput: request.generationConfig?.maxOutputTokens,
        outbound: (options) => outboundBody(request, options, context.model),
      };
    },
    upstreamPath: (model) => `models/${encodeURIComponent(shortName(model))}${ASK}`,
    // Never in the URL: addresses end up in logs.
    upstreamHeaders: (key) => (key === null ? {} : { 'x-goog-api-key': key }),
    reader: createReader,
    readFailure: (body) => (isJsonObject(body) ? reportOf(body['error'] ?? null) : undefined),
    writer: createWriter,
    failureBody: ({ code, message }) => ({ error: { code, message, status: code } }),
    testBody: (_model, prompt, maxOutput) =>
      JSON.stringify({
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { maxOutputTokens: maxOutput },
      }),
    modelList: {
      path: (after) =>
        `models?pageSize=${PAGE_SIZE}${after === undefined ? '' : `&pageToken=${encodeURIComponent(after)}`}`,
      read: readModels,
    },
  };
}

/** The API lists its models with the folder before their names. */
function shortName(model: string): string {
  return model.replace(/^models\//, '');
}

function readModels(body: Json): ModelPage | undefined {
  if (!isJsonObject(body) || !Array.isArray(body['models'])) return undefined;
  const models = listOf(body['models']).flatMap((item) => {
    if (!isJsonObject(item) || !listOf(item['supportedGenerationMethods']).includes('generateContent'))
      return [];
    const id = shortName(textOf(item['name']) ?? '');
    // They paint, speak or move instead of talking.
    if (/image|imagen|veo|-tts|-live|robotics/.test(id)) return [];
    return [{ id, label: item['displayName'], context: item['inputTokenLimit'] }];
  });
  const next = textOf(body['nextPageToken']);
  return { models, next: next === '' ? undefined : next };
}

// OpenAI's Responses API, of OpenAI itself and of Azure.
import { isJsonObject, type Json } from '../../../../core/index.ts';
import { bearer } from '../bearer.ts';
import { listOf } from '../json-facts.ts';
import type { ModelPage, Wire } from '../wire.ts';
import { checkRequest } from './allowed-request.ts';
import { outboundBody } from './outbound.ts';
import { createReader, reportOf } from './read-answer.ts';
import { createWriter } from './write-answer.ts';

export function createResponsesWire(keyIn: 'bearer' | 'api-key'): Wire {
  return {
    name: 'openai-responses',
    enginePath: () => '/v1/responses',
    check(text, _headers, context) {
      const checked = checkRequest(text, context);
      if (!checked.ok) return checked;
      const { request } = checked;
      return {
        ok: true,
        messages: request.input.length,
        maxOutput: request.max_output_tokens,
        outbound: (options) => outboundBody(request, options),
      };
    },
    upstreamPath: () => 'responses',
    upstreamHeaders: (key) => (keyIn === 'bearer' ? bearer(key) : key === null ? {} : { 'api-key': key }),
    reader: createReader,
    readFailure: (body) =>
      isJsonObject(body) && isJsonObject(body['error']) ? reportOf(body['error']) : undefined,
    writer: createWriter,
    failureBody: ({ code, message }) => ({ error: { message, type: 'gateway', param: null, code } }),
    testBody: (model, prompt, maxOutput) =>
      JSON.stringify({
        model,
        input: [{ role: 'user', content: prompt }],
        stream: true,
        store: false,
        max_output_tokens: maxOutput,
      }),
    modelList: { path: () => 'models', read: readModels },
  };
}

function readModels(body: Json): ModelPage | undefined {
  if (!isJsonObject(body) || !Array.isArray(body['data'])) return undefined;
  const models = listOf(body['data']).flatMap((item) =>
    isJsonObject(item) ? [{ id: item['id'], label: undefined, context: undefined }] : [],
  );
  return { models, next: undefined };
}

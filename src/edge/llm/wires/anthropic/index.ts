// Anthropic's Messages.
import { isJsonObject } from '../../../../core/index.ts';
import { listOf, textOf } from '../json-facts.ts';
import type { Wire } from '../wire.ts';
import { checkRequest } from './allowed-request.ts';
import { outboundBody } from './outbound.ts';
import { createReader, readError } from './read-answer.ts';
import { createWriter } from './write-answer.ts';

const VERSION = '2023-06-01';
/** The most that the provider gives. */
const MODELS_A_PAGE = 1_000;
const CURSOR = /^[\w.:@-]{1,200}$/;

export const anthropicWire: Wire = {
  name: 'anthropic',
  enginePath: () => '/v1/messages',
  check(text, headers, context) {
    const checked = checkRequest(text, headers, context);
    if (!checked.ok) return checked;
    const { request } = checked;
    return {
      ok: true,
      messages: request.messages.length,
      maxOutput: request.max_tokens,
      outbound: (options) => outboundBody(request, options),
    };
  },
  upstreamPath: () => 'messages',
  upstreamHeaders: (key) => ({
    'anthropic-version': VERSION,
    ...(key === null ? {} : { 'x-api-key': key }),
  }),
  reader: createReader,
  readFailure: readError,
  writer: createWriter,
  failureBody: ({ code, message }) => ({ type: 'error', error: { type: 'gateway', code, message } }),
  testBody: (model, prompt, maxOutput) =>
    JSON.stringify({
      model,
      max_tokens: maxOutput,
      stream: true,
      messages: [{ role: 'user', content: prompt }],
    }),
  modelList: {
    path: (after) => `models?limit=${MODELS_A_PAGE}${after === undefined ? '' : `&after_id=${after}`}`,
    read(body) {
      if (!isJsonObject(body) || !Array.isArray(body['data'])) return undefined;
      const last = textOf(body['last_id']);
      const models = listOf(body['data']).flatMap((item) =>
        isJsonObject(item)
          ? [{ id: item['id'], label: item['display_name'], context: item['max_input_tokens'] }]
          : [],
      );
      const more = body['has_more'] === true && last !== undefined && CURSOR.test(last);
      return { models, next: more ? last : undefined };
    },
  },
};

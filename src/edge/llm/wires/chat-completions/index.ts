// OpenAI's chat completions, which most other providers and servers speak too.
import { isJsonObject } from '../../../../core/index.ts';
import { bearer } from '../bearer.ts';
import { listOf } from '../json-facts.ts';
import type { Wire } from '../wire.ts';
import { checkRequest } from './allowed-request.ts';
import { outboundBody, type Dialect } from './outbound.ts';
import { createReader, readError } from './read-answer.ts';
import { createWriter } from './write-answer.ts';

export type { Dialect };

export function createChatCompletionsWire(dialect: Dialect): Wire {
  return {
    name: 'chat-completions',
    enginePath: () => '/v1/chat/completions',
    check(text, _headers, context) {
      const checked = checkRequest(text, context);
      if (!checked.ok) return checked;
      const { request } = checked;
      return {
        ok: true,
        messages: request.messages.length,
        maxOutput: request.max_completion_tokens ?? request.max_tokens,
        outbound: (options) => outboundBody(request, dialect, options),
      };
    },
    upstreamPath: () => 'chat/completions',
    upstreamHeaders: bearer,
    reader: createReader,
    readFailure: (body) => (isJsonObject(body) ? readError(body['error']) : undefined),
    writer: createWriter,
    failureBody: ({ code, message }) => ({ error: { message, type: 'gateway', param: null, code } }),
    testBody: (model, prompt, maxOutput) =>
      JSON.stringify({
        model,
        messages: [{ role: 'user', content: prompt }],
        stream: true,
        stream_options: { include_usage: true },
        [dialect.maxTokensField]: maxOutput,
      }),
    modelList: {
      path: () => 'models',
      read(body) {
        if (!isJsonObject(body) || !Array.isArray(body['data'])) return undefined;
        const models = listOf(body['data']).flatMap((item) =>
          isJsonObject(item)
            ? [{ id: item['id'], label: item['name'], context: item['context_length'] }]
            : [],
        );
        return { models, next: undefined };
      },
    },
  };
}

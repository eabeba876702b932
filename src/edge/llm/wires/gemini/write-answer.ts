// Guarantees: what the engine reads is written by us, from redacted parts and recorded calls. Where the provider would give
// a signature stands the name under which the gateway keeps it.
import { isJsonObject, type JsonObject } from '../../../../core/index.ts';
import type { AnswerFrame, AnswerWriter } from '../wire.ts';

export function createWriter({ id, model, seal }: AnswerFrame): AnswerWriter {
  const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
  const chunk = (parts: readonly JsonObject[], more: JsonObject = {}, rest: JsonObject = {}): string =>
    event({
      candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
      ...rest,
      modelVersion: model,
      responseId: id,
    });
  return {
    part: (part, delta) => chunk([{ text: delta, ...(part === 'thinking' ? { thought: true } : {}) }]),
    finish(calls, finishReason, usage, sealed) {
      const parts = calls.map(({ index, id: callId, name, arguments: args }) => ({
        // What could not be read has no shape on this wire. It never runs, whatever the engine makes of it.
        functionCall: { id: callId, name, args: isJsonObject(args) ? args : {} },
        ...(sealed && index === 0 ? { thoughtSignature: seal } : {}),
      }));
      const prompt = usage.input ?? 0;
      const answer = usage.output ?? 0;
      return chunk(
        parts,
        { finishReason: FINISH[finishReason] ?? 'STOP' },
        {
          usageMetadata: {
            promptTokenCount: prompt,
            cachedContentTokenCount: usage.cached ?? 0,
            candidatesTokenCount: answer,
            totalTokenCount: prompt + answer,
          },
        },
      );
    },
    // `code` is a number on this wire, and the client reads nothing but its own shape: the word stands in `status`.
    fail: (code, message) => event({ error: { code: null, message, status: code } }),
  };
}

const FINISH: Readonly<Record<string, string>> = {
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
};

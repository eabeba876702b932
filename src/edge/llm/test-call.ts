import { AppError, type Redactor } from '../../core/index.ts';
import { Answer } from './answer.ts';
import { callModel } from './call-model.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { ModelRoute } from './route.ts';
import { explained, llmError } from './upstream-errors.ts';

/** Enough for a word, also of a model that thinks first. */
const MAX_TOKENS = 256;
const LIMITS = { ...DEFAULT_LIMITS, headersMs: 60_000, totalMs: 60_000, answerChars: 64 * 1024, retries: 0 };

/** One tiny call, the same way as a real one. */
export async function testCall(
  route: ModelRoute,
  model: string,
  redactor: Redactor,
  signal: AbortSignal,
): Promise<{ readonly ok: boolean; readonly message: string; readonly code?: string }> {
  const answer = new Answer(LIMITS, redactor);
  const { wire } = route;
  try {
    await callModel({
      route,
      model,
      body: wire.testBody(model, 'Answer with the single word: ready', MAX_TOKENS),
      signal,
      limits: LIMITS,
      redactor,
      reader: wire.reader(),
      answer,
      onParts: () => undefined,
      ready: () => Promise.resolve(),
    });
    const end = answer.end(1);
    // A model that thinks at length may not come to its word; that it answers is what counts.
    if (!end.ok && answer.finishReason !== 'length') throw llmError(end.code, { label: route.label, model });
    return { ok: true, message: `${route.label} answers with the model "${model}".` };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ok: false, message: explained(error), code: error.code };
  }
}

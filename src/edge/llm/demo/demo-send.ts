import { AppError } from '../../../core/index.ts';
import type { HttpAnswer } from '../../../host/net/index.ts';
import type { ModelRoute } from '../route.ts';
import { createDemoModel } from './demo-model.ts';

const DEFAULT_DELAY_MS = 15;

/** The demo as an upstream: what `HttpClient.send` is for the others. */
export function createDemoSend(options: { readonly delayMs?: number | undefined }): ModelRoute['send'] {
  const model = createDemoModel({ delayMs: options.delayMs ?? DEFAULT_DELAY_MS });
  return async ({ path, body, signal }) => {
    const closed = new AbortController();
    const response = await model(
      new Request(`http://demo/v1/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([signal, closed.signal]),
      }),
    );
    return answerOf(response, closed);
  };
}

function answerOf(response: Response, closed: AbortController): HttpAnswer {
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* response.body ?? [];
    } catch (error) {
      // The demo itself doesn't fail: its stream ends early only when somebody closes it.
      throw new AppError({
        family: 'upstream',
        code: 'aborted',
        message: 'The request was stopped.',
        cause: error,
      });
    }
  }
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: read(),
    close: () => closed.abort(),
  };
}

import { unauthorized } from '../error-answer.ts';

/** A long file is no way to read on after the session has ended: the connection breaks, and the file is not complete. */
export async function* whileLive(body: AsyncIterable<string>, isLive: () => boolean): AsyncGenerator<string> {
  for await (const piece of body) {
    if (!isLive()) throw unauthorized();
    yield piece;
  }
}

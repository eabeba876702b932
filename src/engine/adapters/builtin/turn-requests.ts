// Guarantees: a request of the agent reaches one of the two handlers only, only in the name of the running turn, with no
// more than the headers on the list; how many are open, how large they are together and how much of an answer lies in
// our memory are bounded; when the turn or the process ends every open request is aborted.
// Does not: check the capability or what is asked for. The handlers do, each on its own.
// An attacker may control: every field of a request, and whether answers are ever read.
import type { Log } from '../../../core/index.ts';
import { errorText } from '../../../core/index.ts';
import type { EngineHandlers } from '../../adapter.ts';
import type { FrameToAgent, RequestFrame } from './frames.ts';

const MOST_OPEN = 8;
/** Of all open requests together, in characters. */
const MOST_OPEN_CHARACTERS = 12 * 1024 * 1024;
/** So much of an answer may be under way before the agent has acknowledged it. */
const WINDOW_CHARACTERS = 256 * 1024;

const REQUEST_HEADERS = new Set([
  'accept',
  // Named so that the gateway can refuse it: what it asks for is more than the body says.
  'anthropic-beta',
  'authorization',
  'content-type',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
]);
const RESPONSE_HEADERS = ['content-type', 'retry-after'];

export interface Wire {
  send(frame: FrameToAgent): void;
  /** Resolves once the pipe takes more. Rejects when it is closed. */
  drained(): Promise<void>;
}

interface Open {
  readonly abort: AbortController;
  readonly size: number;
  unacknowledged: number;
  wake: () => void;
}

export interface TurnRequests {
  /** False: no honest agent asks this. */
  begin(frame: RequestFrame): boolean;
  cancel(req: number): void;
  /** False: more was acknowledged than was sent. */
  acknowledge(req: number, n: number): boolean;
  /** Aborts all that is open. Nothing can begin afterwards. */
  close(): void;
}

export function createTurnRequests(
  turnId: string,
  handlers: EngineHandlers,
  wire: Wire,
  log: Log,
): TurnRequests {
  const open = new Map<number, Open>();
  let last = 0;
  let size = 0;
  let closed = false;

  async function answer(frame: RequestFrame, entry: Open): Promise<void> {
    const { signal } = entry.abort;
    const { req } = frame;
    const say = (part: FrameToAgent): void => {
      if (!signal.aborted) wire.send(part);
    };
    try {
      const response = await handlers[frame.target](requestOf(frame, signal));
      say({ t: 'head', req, status: response.status, headers: headersOf(response) });
      if (response.body !== null) await pump(response.body, req, entry, say);
      say({ t: 'end', req });
    } catch (error) {
      if (!signal.aborted) {
        log.warn('A request of the agent got no answer.', {
          turn: turnId,
          target: frame.target,
          error: errorText(error),
        });
      }
      say({ t: 'fail', req, message: 'The request got no answer.' });
    } finally {
      // Tells the handler that nobody reads on; without effect when the answer is complete.
      entry.abort.abort();
      open.delete(req);
      size -= entry.size;
    }
  }

  async function pump(
    body: ReadableStream<Uint8Array>,
    req: number,
    entry: Open,
    say: (part: FrameToAgent) => void,
  ): Promise<void> {
    const { signal } = entry.abort;
    const decoder = new TextDecoder();
    const reader = body.getReader();
    const onAbort = (): void => {
      entry.wake();
      reader
        .cancel()
        .catch((error: unknown) => log.debug('Cancelling an answer failed.', { error: errorText(error) }));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return;
      const data = done ? decoder.decode() : decoder.decode(value, { stream: true });
      if (data !== '') {
        entry.unacknowledged += data.length;
        say({ t: 'body', req, data });
        await wire.drained();
      }
      if (done) return;
      while (entry.unacknowledged >= WINDOW_CHARACTERS && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        entry.wake = resolve;
        await promise;
      }
    }
  }

  return {
    begin(frame) {
      if (closed || frame.turn !== turnId || frame.req !== last + 1) return false;
      if (open.size >= MOST_OPEN || size + frame.body.length > MOST_OPEN_CHARACTERS) return false;
      last = frame.req;
      size += frame.body.length;
      const entry: Open = {
        abort: new AbortController(),
        size: frame.body.length,
        unacknowledged: 0,
        wake: () => undefined,
      };
      open.set(frame.req, entry);
      void answer(frame, entry);
      return true;
    },
    cancel(req) {
      open.get(req)?.abort.abort();
    },
    acknowledge(req, n) {
      const entry = open.get(req);
      if (entry === undefined) return req <= last;
      if (n > entry.unacknowledged) return false;
      entry.unacknowledged -= n;
      entry.wake();
      return true;
    },
    close() {
      closed = true;
      for (const entry of open.values()) entry.abort.abort();
    },
  };
}

function requestOf(frame: RequestFrame, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(frame.headers)) {
    if (REQUEST_HEADERS.has(name.toLowerCase())) headers.set(name, value);
  }
  const bodiless = frame.method === 'GET' || frame.method === 'HEAD';
  return new Request(`http://${frame.target}.internal${frame.path}`, {
    method: frame.method,
    headers,
    signal,
    // As bytes: a text would bring a content type of its own.
    ...(bodiless ? {} : { body: new TextEncoder().encode(frame.body) }),
  });
}

function headersOf(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of RESPONSE_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return headers;
}

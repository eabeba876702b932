import type { FrameFromAgent, FrameFromParent, Target } from './frames.ts';

/** Answers are acknowledged in portions, so that a stream of small chunks costs no frame each. */
const ACK_CHARACTERS = 16 * 1024;

/** Where a custom `fetch` finds the two targets: the names mean nothing outside these pipes. */
export const LLM_ORIGIN = 'http://llm.internal';
export const MCP_ORIGIN = 'http://mcp.internal';

type AnswerFrame = Extract<FrameFromParent, { readonly req: number }>;

/** The requests of one turn, carried by the parent. Drop it with the turn. */
export interface ParentFetch {
  readonly fetch: typeof globalThis.fetch;
  handle(frame: AnswerFrame): void;
  /** Ends every request that is still open. */
  close(): void;
}

interface Open {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  body(data: string): void;
  end(): void;
  fail(error: unknown): void;
}

export function createParentFetch(turn: string, send: (frame: FrameFromAgent) => void): ParentFetch {
  const open = new Map<number, Open>();
  let last = 0;

  const request = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const target = targetOf(url);
    if (typeof init.body !== 'string' && init.body !== undefined) {
      throw new TypeError('only text can be sent');
    }
    const signal = init.signal ?? undefined;
    signal?.throwIfAborted();
    last += 1;
    const req = last;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const answer = answerStream((n) => {
      if (open.has(req)) send({ t: 'ack', req, n });
    });

    const finish = (): void => {
      open.delete(req);
      signal?.removeEventListener('abort', onAbort);
    };
    const cancel = (reason: unknown): void => {
      if (!open.has(req)) return;
      finish();
      send({ t: 'cancel', req });
      answer.fail(reason);
      reject(reason);
    };
    const onAbort = (): void => cancel(signal?.reason);
    answer.onCancel = cancel;
    signal?.addEventListener('abort', onAbort, { once: true });

    if (target === 'llm' && Buffer.byteLength(init.body ?? '') > MOST_PROMPT_BYTES) throw new TooLong();
    open.set(req, {
      head: (status, headers) =>
        resolve(new Response(status === 202 || status === 204 ? null : answer.stream, { status, headers })),
      body: (data) => answer.push(data),
      end: () => {
        finish();
        answer.end();
      },
      fail: (error) => {
        finish();
        answer.fail(error);
        reject(error);
      },
    });
    send({
      t: 'request',
      turn,
      req,
      target,
      method: init.method ?? 'GET',
      path: url.pathname + url.search,
      headers: Object.fromEntries(new Headers(init.headers)),
      body: init.body ?? '',
    });
    return promise;
  };

  return {
    fetch: async (input, init) => await request(input, init),
    handle(frame) {
      const entry = open.get(frame.req);
      if (entry === undefined) return; // it was cancelled while this frame was under way
      switch (frame.t) {
        case 'head':
          return entry.head(frame.status, frame.headers);
        case 'body':
          return entry.body(frame.data);
        case 'end':
          return entry.end();
        case 'fail':
          return entry.fail(new Error(frame.message));
      }
    },
    close() {
      for (const entry of open.values()) entry.fail(new Error('the turn is over'));
    },
  };
}

function targetOf(url: URL): Target {
  if (url.origin === LLM_ORIGIN) return 'llm';
  if (url.origin === MCP_ORIGIN) return 'mcp';
  throw new TypeError(`nothing but ${LLM_ORIGIN} and ${MCP_ORIGIN} can be reached`);
}

/** About a million tokens. In a frame every quote and line break of it is escaped once more. */
const MOST_PROMPT_BYTES = 4 * 1024 * 1024;

/** Said in our words before it is tried: a frame of this size would end the process. */
class TooLong extends Error {
  readonly code = 'context_too_long';

  constructor() {
    super(
      'This conversation has become too long for one request to the model (4 MiB). Start a new conversation, or ask for smaller files.',
    );
  }
}

/** A body that is acknowledged as it is read: what nobody reads stays with the parent. */
function answerStream(ack: (characters: number) => void): {
  readonly stream: ReadableStream<Uint8Array>;
  onCancel: (reason: unknown) => void;
  push(data: string): void;
  end(): void;
  fail(error: unknown): void;
} {
  const encoder = new TextEncoder();
  const waiting: string[] = [];
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let ended = false;
  let closed = false;
  let wanted = false;
  let unacknowledged = 0;

  const flow = (): void => {
    if (closed || controller === undefined) return;
    const next = wanted ? waiting.shift() : undefined;
    if (next !== undefined) {
      wanted = false;
      controller.enqueue(encoder.encode(next));
      unacknowledged += next.length;
      if (unacknowledged >= ACK_CHARACTERS && !ended) {
        ack(unacknowledged);
        unacknowledged = 0;
      }
    }
    if (ended && waiting.length === 0) {
      closed = true;
      controller.close();
    }
  };
  const self = {
    onCancel: (_reason: unknown): void => undefined,
    stream: new ReadableStream<Uint8Array>(
      {
        start(given) {
          controller = given;
        },
        pull() {
          wanted = true;
          flow();
        },
        cancel(reason) {
          closed = true;
          self.onCancel(reason);
        },
      },
      { highWaterMark: 1 },
    ),
    push(data: string) {
      waiting.push(data);
      flow();
    },
    end() {
      ended = true;
      flow();
    },
    fail(error: unknown) {
      if (closed) return;
      closed = true;
      waiting.length = 0;
      controller?.error(error);
    },
  };
  return self;
}

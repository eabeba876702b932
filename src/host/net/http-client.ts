// Guarantees: the only way out for HTTP. One request, one answer: no redirects, no cookies, no proxy from the environment,
// no decompression, http and https only, no user and password in a URL, caps on time (connect, first byte, silence, total)
// and on bytes that are enforced here and not left to a library's defaults.
// Does not (yet): decide whether an address may be reached. That check belongs into `send`, between `checkUrl` and the
// connect function, where the name is resolved. Today every caller passes a URL that the owner configured.
// An attacker may control: the answer in full (status, headers, bytes, timing), and what a name resolves to.
import type { Socket } from 'node:net';
import { Agent, buildConnector, errors, request, type Dispatcher } from 'undici';
import { AppError } from '../../core/index.ts';

/** Why a request or the rest of its answer could not be had. */
type HttpFailure =
  | 'bad_url'
  | 'bad_header'
  | 'connect_failed'
  | 'tls_failed'
  | 'timeout_connect'
  | 'timeout_headers'
  | 'timeout_idle'
  | 'timeout_total'
  | 'too_large'
  | 'encoded'
  | 'redirected'
  | 'cut'
  | 'aborted';

interface HttpTimeouts {
  /** To an open connection, TLS included. Milliseconds, as all of these. */
  readonly connectMs: number;
  /** From the start of the request to the headers of the answer. */
  readonly headersMs: number;
  /** Between two pieces of the body, while the caller waits for one. */
  readonly idleMs: number;
  /** From the start to the end of the body. */
  readonly totalMs: number;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  readonly timeouts: HttpTimeouts;
  /** Of the answer's body. */
  readonly maxBytes: number;
  /** A redirect is an error (`redirected`): the caller asks anew if it trusts the target. */
  readonly redirects: 'refuse';
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of repeated ones the first. Without set-cookie. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The bytes, once. Throws AppError with an HttpFailure as code. Read it to the end, or leave the loop, or call `close`:
   * each frees the connection.
   */
  readonly body: AsyncIterable<Uint8Array>;
  close(): void;
}

export interface HttpClient {
  /** Rejects with an AppError of the family `upstream` whose code is an HttpFailure. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Ends every connection. */
  close(): Promise<void>;
}

const MAX_HEADER_BYTES = 32 * 1024;
const KEEP_ALIVE_MS = 10_000;

export function createHttpClient(): HttpClient {
  // Connections are kept and shared; one pool for each connect timeout, of which a program has two or three.
  const agents = new Map<number, Agent>();
  const agentFor = (connectMs: number): Agent => {
    const known = agents.get(connectMs);
    if (known) return known;
    const agent = new Agent({
      connect: connectWithin(connectMs),
      // Our own timers count; the library's are coarse and know no total.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      pipelining: 1,
      allowH2: false,
    });
    agents.set(connectMs, agent);
    return agent;
  };
  return {
    send: (message) => send(message, agentFor(message.timeouts.connectMs)),
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

async function send(message: HttpRequest, dispatcher: Dispatcher): Promise<HttpAnswer> {
  const url = checkUrl(message.url);
  const headers = checkHeaders(message.headers ?? {});
  const { timeouts, signal } = message;
  if (signal?.aborted) throw failure('aborted');
  const controller = new AbortController();
  // The first reason wins: what comes after it is only the noise of closing.
  let reason: HttpFailure | undefined;
  const stop = (why: HttpFailure): void => {
    reason ??= why;
    controller.abort();
  };
  const onAbort = (): void => stop('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  const total = setTimeout(() => stop('timeout_total'), timeouts.totalMs);
  const first = setTimeout(() => stop('timeout_headers'), timeouts.headersMs);
  const done = (): void => {
    clearTimeout(total);
    clearTimeout(first);
    signal?.removeEventListener('abort', onAbort);
  };

  let answer: Dispatcher.ResponseData;
  try {
    answer = await request(url, {
      dispatcher,
      method: message.method,
      headers: { ...headers, 'accept-encoding': 'identity' },
      body: message.body ?? null,
      signal: controller.signal,
    });
  } catch (error) {
    done();
    throw failure(reason ?? reasonOf(error, 'connect_failed'), error);
  }
  clearTimeout(first);
  // A body that is closed before anybody reads it would otherwise raise an unhandled error.
  answer.body.on('error', () => undefined);
  const close = (): void => {
    done();
    reason ??= 'aborted';
    controller.abort();
  };
  const kept = plainHeaders(answer.headers);
  const refused = refusedAnswer(answer.statusCode, kept, message.maxBytes);
  if (refused) {
    close();
    throw failure(refused);
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    let complete = false;
    let idle: NodeJS.Timeout | undefined;
    try {
      const chunks = answer.body[Symbol.asyncIterator]();
      for (;;) {
        idle = setTimeout(() => stop('timeout_idle'), timeouts.idleMs);
        const { value, done: ended } = (await chunks.next()) as IteratorResult<Uint8Array, undefined>;
        clearTimeout(idle);
        if (reason) throw failure(reason);
        if (ended) {
          // The connection is whole and goes back to its pool.
          complete = true;
          return;
        }
        bytes += value.byteLength;
        if (bytes > message.maxBytes) {
          stop('too_large');
          throw failure('too_large');
        }
        yield value;
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw failure(reason ?? reasonOf(error, 'cut'), error);
    } finally {
      clearTimeout(idle);
      if (complete) done();
      else close();
    }
  }
  return { status: answer.statusCode, headers: kept, body: read(), close };
}

/** Connects with a limit of our own, which covers the TLS handshake too. */
function connectWithin(limitMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: 0, allowH2: false });
  return (options, callback) => {
    let settled = false;
    const timer = setTimeout(() => {
      socket?.destroy(new errors.ConnectTimeoutError());
    }, limitMs);
    // The types say that nothing is returned; the library returns the socket that is being opened.
    const socket = connect(options, (...result) => {
      clearTimeout(timer);
      if (settled) return;
      settled = true;
      callback(...result);
    }) as unknown as Socket | undefined;
  };
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username || url.password) {
    throw failure('bad_url');
  }
  return url;
}

// RFC 9110 §5.1 and §5.5; what a caller puts together must not become a second header.
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value)) throw failure('bad_header');
  }
  return { ...headers };
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const plain: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value[0] : value;
    if (text !== undefined && name !== 'set-cookie') plain.push([name, text]);
  }
  return Object.fromEntries(plain);
}

function refusedAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): HttpFailure | undefined {
  if (status >= 300 && status < 400) return 'redirected';
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity') return 'encoded';
  if (Number(headers['content-length'] ?? 0) > maxBytes) return 'too_large';
  return undefined;
}

function reasonOf(error: unknown, otherwise: HttpFailure): HttpFailure {
  if (error instanceof errors.ConnectTimeoutError) return 'timeout_connect';
  // The other side went after the connection stood.
  if (error instanceof errors.SocketError) return 'cut';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) return 'tls_failed';
  if (code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('HPE_')) return 'cut';
  return otherwise;
}

const MESSAGES: Readonly<Record<HttpFailure, string>> = {
  bad_url: 'The address is no http or https address, or holds a user name.',
  bad_header: 'A request header holds a character that is not allowed there.',
  connect_failed: 'The server could not be reached.',
  tls_failed: "The server's certificate or encryption could not be verified.",
  timeout_connect: 'The server did not accept a connection in time.',
  timeout_headers: 'The server did not start to answer in time.',
  timeout_idle: 'The server fell silent in the middle of its answer.',
  timeout_total: 'The answer took longer than allowed.',
  too_large: 'The answer is larger than allowed.',
  encoded: 'The server sent a compressed answer although none was asked for.',
  redirected: 'The server redirects to another address, which is not followed.',
  cut: 'The connection broke before the answer was complete.',
  aborted: 'The request was stopped.',
};

function failure(code: HttpFailure, cause?: unknown): AppError {
  return new AppError({ family: 'upstream', code, message: MESSAGES[code], cause });
}

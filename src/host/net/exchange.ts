// Guarantees: one request over a given dispatcher, one answer as it comes: not redirected, not decompressed. Caps on time
// (first byte, silence, total) and on bytes are enforced here and not left to a library's defaults; every way out frees the
// connection. Failures are codes; the caller makes errors of them.
// Does not: look at the URL, decide whether an address may be reached, or connect.
// An attacker may control: the answer in full (status, headers, bytes, timing).
import { errors, request, type Dispatcher } from 'undici';
import { EgressError, type EgressCode } from './egress/codes.ts';

export type ExchangeFailure = Extract<
  EgressCode,
  | 'dns_failed'
  | 'dns_timeout'
  | 'address_refused'
  | 'connect_failed'
  | 'tls_failed'
  | 'outdated'
  | 'timeout_connect'
  | 'timeout_headers'
  | 'timeout_idle'
  | 'timeout_total'
  | 'headers_too_large'
  | 'bad_response'
  | 'too_large'
  | 'cut'
  | 'aborted'
>;

export interface ExchangeRequest {
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  /** From the start of the request to the headers of the answer. Milliseconds, as all of these. */
  readonly headersMs: number;
  /** Between two pieces of the body, while the caller waits for one. */
  readonly idleMs: number;
  /** From the start to the end of the body. */
  readonly totalMs: number;
  /** Of the body as it comes over the wire. */
  readonly maxBytes: number;
  /** Makes the error that is thrown. */
  readonly fail: (code: ExchangeFailure) => Error;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** In order of arrival, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Once. Throws what `fail` makes. */
  readonly body: AsyncIterable<Uint8Array>;
  close(): void;
}

/** Rejects with what `fail` makes. */
export async function exchange(message: ExchangeRequest, dispatcher: Dispatcher): Promise<ExchangeAnswer> {
  const { signal, fail } = message;
  if (signal?.aborted) throw fail('aborted');
  const controller = new AbortController();
  // The first reason wins: what comes after it is only the noise of closing.
  let reason: ExchangeFailure | undefined;
  const stop = (why: ExchangeFailure): void => {
    reason ??= why;
    controller.abort();
  };
  const onAbort = (): void => stop('aborted');
  signal?.addEventListener('abort', onAbort, { once: true });
  const total = setTimeout(() => stop('timeout_total'), message.totalMs);
  const first = setTimeout(() => stop('timeout_headers'), message.headersMs);
  const done = (): void => {
    clearTimeout(total);
    clearTimeout(first);
    signal?.removeEventListener('abort', onAbort);
  };

  let answer: Dispatcher.ResponseData;
  try {
    answer = await request(message.url, {
      dispatcher,
      method: message.method,
      headers: message.headers.flatMap(([name, value]) => [name, value]),
      body: message.body ?? null,
      signal: controller.signal,
      responseHeaders: 'raw',
    });
  } catch (error) {
    done();
    throw fail(reason ?? failureOf(error, 'connect_failed'));
  }
  clearTimeout(first);
  // A body that is closed before anybody reads it would otherwise raise an unhandled error.
  answer.body.on('error', () => undefined);
  const close = (): void => {
    done();
    reason ??= 'aborted';
    controller.abort();
  };

  async function* read(): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    let complete = false;
    let idle: NodeJS.Timeout | undefined;
    try {
      const chunks = answer.body[Symbol.asyncIterator]();
      for (;;) {
        idle = setTimeout(() => stop('timeout_idle'), message.idleMs);
        const { value, done: ended } = await nextOf(chunks);
        clearTimeout(idle);
        if (reason) throw fail(reason);
        if (ended) {
          // The connection is whole and may be used again.
          complete = true;
          return;
        }
        bytes += value.byteLength;
        if (bytes > message.maxBytes) {
          stop('too_large');
          throw fail('too_large');
        }
        yield value;
      }
    } finally {
      clearTimeout(idle);
      if (complete) done();
      else close();
    }
  }

  async function nextOf(chunks: AsyncIterator<unknown>): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      return (await chunks.next()) as IteratorResult<Uint8Array, undefined>;
    } catch (error) {
      throw fail(reason ?? failureOf(error, 'cut'));
    }
  }
  // With `raw` names and values stand one after the other, which the types do not say.
  const headers = pairs(answer.headers as unknown as readonly string[]);
  return { status: answer.statusCode, headers, body: read(), close };
}

function pairs(flat: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([(flat[i] ?? '').toLowerCase(), flat[i + 1] ?? '']);
  return found;
}

function failureOf(error: unknown, otherwise: ExchangeFailure): ExchangeFailure {
  if (error instanceof EgressError) return isExchangeFailure(error.code) ? error.code : otherwise;
  if (error instanceof errors.ConnectTimeoutError) return 'timeout_connect';
  if (error instanceof errors.HeadersOverflowError) return 'headers_too_large';
  // It switched to another protocol unasked. The library has no code of its own for it.
  if (error instanceof errors.SocketError && error.message === 'bad upgrade') return 'bad_response';
  if (error instanceof errors.ResponseContentLengthMismatchError) return 'bad_response';
  // The other side went after the connection stood.
  if (error instanceof errors.SocketError) return 'cut';
  if (error instanceof errors.HTTPParserError) return 'bad_response';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) return 'tls_failed';
  if (code.startsWith('HPE_')) return 'bad_response';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'cut';
  return otherwise;
}

const FAILURES: Readonly<Record<ExchangeFailure, true>> = {
  dns_failed: true,
  dns_timeout: true,
  address_refused: true,
  connect_failed: true,
  tls_failed: true,
  outdated: true,
  timeout_connect: true,
  timeout_headers: true,
  timeout_idle: true,
  timeout_total: true,
  headers_too_large: true,
  bad_response: true,
  too_large: true,
  cut: true,
  aborted: true,
};

function isExchangeFailure(code: EgressCode): code is ExchangeFailure {
  return Object.hasOwn(FAILURES, code);
}

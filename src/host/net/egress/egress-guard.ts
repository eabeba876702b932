// Guarantees: the way out for addresses that scripts and models give. Each request is judged as a text (url-rules), counted
// (rate), resolved once and judged by all its addresses (destinations), sent over a connection of its own to one of exactly
// those (pinned-connect), and its answer is bounded in time and in bytes, packed and unpacked. Redirects are answers like
// any other: who follows asks anew. No proxy and no other setting of the environment counts. Failures are codes.
// Does not: know who may speak to whom (the broker does), or what in a request is secret.
// An attacker may control: URL, headers, body, the answers of DNS, everything the host sends, and when.
import { Client } from 'undici';
import type { Clock } from '../../../core/index.ts';
import { EgressError, type EgressCode } from './codes.ts';
import { codingOf, decompressed } from './decompress.ts';
import { createDestinations, type Destination, type DestinationDeps } from './destinations.ts';
import { follow, type FollowedAnswer } from './follow.ts';
import { exchange } from '../exchange.ts';
import { connectorOf, connectPinned } from './pinned-connect.ts';
import { createRequestRate } from './rate.ts';
import { checkBody, checkHeaders, type Headers } from './request-rules.ts';
import type { Target } from './url-rules.ts';

export type EgressMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface EgressRequest {
  /** Who asks, for the rate: a script's name. */
  readonly script: string;
  readonly url: string;
  readonly method: EgressMethod;
  readonly headers: Headers;
  readonly body?: string | Uint8Array | undefined;
  /** From the call to the end of the body, DNS and connection included. Milliseconds. */
  readonly timeoutMs: number;
  /** Of the answer's body, before and after decompression each. */
  readonly maxBytes: number;
  /** Asked when the connection stands, right before anything is sent; not then: `outdated`. */
  readonly current?: (() => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EgressAnswer {
  readonly status: number;
  /**
   * In order of arrival, names in lower case; without content-encoding and content-length when the body was decompressed.
   */
  readonly headers: Headers;
  /** Decompressed, once. Throws EgressError. Read it to the end, leave the loop, or call `close`: each frees the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  close(): void;
}

export interface EgressRefusal {
  readonly script: string;
  readonly code: EgressCode;
  /** Undefined when the URL could not be read. */
  readonly host: string | undefined;
  readonly port: number | undefined;
}

export interface EgressGuardDeps extends DestinationDeps {
  readonly clock: Clock;
  /** For the audit: each request that did not come about. Answers that break off later throw only. */
  readonly onRefusal?: (refusal: EgressRefusal) => void;
  /** For each script and host. Default 5. */
  readonly requestsPerSecond?: number;
  readonly limits?: Partial<EgressLimits>;
  /** Certificates to trust instead of the system's; only a test gives some. */
  readonly ca?: string;
}

export interface EgressLimits {
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly headersMs: number;
  readonly idleMs: number;
}

export interface EgressGuard {
  /** One hop. Rejects with EgressError. */
  send(request: EgressRequest): Promise<EgressAnswer>;
  /** Follows redirects, each hop judged and counted like the first. `timeoutMs` is for all. Rejects with EgressError. */
  follow(request: EgressRequest): Promise<FollowedAnswer>;
  /** What `send` does up to the connection, without counting. Rejects with EgressError. */
  judge(url: string, signal?: AbortSignal): Promise<Destination>;
}

const LIMITS: EgressLimits = { dnsMs: 5_000, connectMs: 10_000, headersMs: 30_000, idleMs: 10_000 };
const REQUESTS_PER_SECOND = 5;
const MAX_HEADER_BYTES = 32 * 1024;

export function createEgressGuard(deps: EgressGuardDeps): EgressGuard {
  const limits: EgressLimits = { ...LIMITS, ...deps.limits };
  const destinations = createDestinations(deps);
  const rate = createRequestRate(deps.clock, deps.requestsPerSecond ?? REQUESTS_PER_SECOND);

  async function ask(request: EgressRequest, read: (target: Target) => void): Promise<EgressAnswer> {
    const end = performance.now() + request.timeoutMs;
    const left = (): number => Math.max(1, end - performance.now());
    const { signal } = request;
    const target = destinations.read(request.url);
    read(target);
    if (signal?.aborted === true) throw new EgressError('aborted');
    const headers = checkHeaders(request.headers);
    if (typeof headers === 'string') throw new EgressError(headers);
    const badBody = checkBody(request.body);
    if (badBody !== undefined) throw new EgressError(badBody);
    if (!rate.take(request.script, target.host)) throw new EgressError('rate_limited');
    const destination = await destinations.admit(target, {
      deadlineMs: Math.min(limits.dnsMs, left()),
      signal,
    });
    const stopConnecting = new AbortController();
    const client = clientFor(destination, request, {
      connectMs: Math.min(limits.connectMs, left()),
      signal: stopConnecting.signal,
    });
    const free = (): void => {
      stopConnecting.abort();
      // It rejects for nothing that is not told to the request itself.
      void client.destroy();
    };
    try {
      const answer = await exchange(
        {
          url: destination.url,
          method: request.method,
          headers,
          body: request.body,
          signal,
          headersMs: Math.min(limits.headersMs, left()),
          idleMs: limits.idleMs,
          totalMs: left(),
          maxBytes: request.maxBytes,
          fail: (code) => new EgressError(code),
        },
        client,
      );
      const close = (): void => {
        answer.close();
        free();
      };
      try {
        return finished(answer, request, close);
      } catch (error) {
        close();
        throw error;
      }
    } catch (error) {
      free();
      throw error;
    }
  }

  /** One client, one connection, one request: nothing that was opened for one judgement serves another. */
  function clientFor(
    destination: Destination,
    { current }: EgressRequest,
    { connectMs, signal }: { readonly connectMs: number; readonly signal: AbortSignal },
  ): Client {
    const { addresses, host, port, url } = destination;
    const target = { addresses, host, port, encrypted: url.protocol === 'https:' };
    return new Client(url.origin, {
      connect: connectorOf(async () => {
        const socket = await connectPinned(target, { connectMs, signal, ca: deps.ca });
        // What the client writes now it writes before anything else can happen.
        if (current?.() !== false) return socket;
        socket.destroy();
        throw new EgressError('outdated');
      }),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      pipelining: 0,
      allowH2: false,
    });
  }

  async function send(request: EgressRequest): Promise<EgressAnswer> {
    let target: Target | undefined;
    try {
      return await ask(request, (found) => (target = found));
    } catch (error) {
      if (error instanceof EgressError) {
        const { script } = request;
        deps.onRefusal?.({ script, code: error.code, host: target?.host, port: target?.port });
      }
      throw error;
    }
  }

  return {
    send,
    follow: (request) =>
      follow(request, send, (code, last) => {
        const { host, port } = destinations.read(last);
        deps.onRefusal?.({ script: request.script, code, host, port });
      }),
    judge: async (url, signal) =>
      destinations.admit(destinations.read(url), { deadlineMs: limits.dnsMs, signal }),
  };
}

/** Undoes the compression. Errors: EgressError bad_encoding. */
function finished(answer: EgressAnswer, request: EgressRequest, close: () => void): EgressAnswer {
  const valueOf = (wanted: string): string | undefined =>
    answer.headers
      .filter(([name]) => name === wanted)
      .map(([, value]) => value)
      .join(',') || undefined;
  if (request.method !== 'HEAD' && Number(valueOf('content-length') ?? 0) > request.maxBytes) {
    // Told where the body is read, like a length that was not declared: with the status, and without a byte of it.
    return { status: answer.status, headers: answer.headers, body: tooLarge(close), close };
  }
  const coding = codingOf(valueOf('content-encoding'));
  const headers =
    coding === undefined
      ? answer.headers
      : answer.headers.filter(([name]) => name !== 'content-encoding' && name !== 'content-length');
  return {
    status: answer.status,
    headers,
    body: freeing(answer.body, coding, request.maxBytes, close),
    close,
  };
}

// eslint-disable-next-line require-yield -- there is nothing to give
async function* tooLarge(close: () => void): AsyncGenerator<Uint8Array> {
  close();
  throw new EgressError('too_large');
}

async function* freeing(
  raw: AsyncIterable<Uint8Array>,
  coding: ReturnType<typeof codingOf>,
  maxBytes: number,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* coding === undefined ? raw : decompressed(raw, coding, maxBytes);
  } finally {
    close();
  }
}

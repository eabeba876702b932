// Guarantees: the way out for HTTP to addresses of the configuration. One request, one answer: no redirects, no cookies, no
// proxy from the environment, no decompression, http and https only, no user and password in a URL, caps on time and bytes
// (exchange.ts). A name is resolved once for each connection, every address of the answer is judged, and the connection goes
// to one of them and nothing else: public ones; for what the owner configured also near ones; metadata services never.
// Does not: judge texts as strictly as the egress guard, which is for addresses that scripts and models give.
// An attacker may control: the answer in full (status, headers, bytes, timing), and what a name resolves to.
import { isIP } from 'node:net';
import { Agent, type buildConnector } from 'undici';
import { AppError } from '../../core/index.ts';
import { checkedAddresses, type DestinationDeps } from './egress/destinations.ts';
import { connectorOf, connectPinned } from './egress/pinned-connect.ts';
import { resolveBySystem } from './egress/resolve.ts';
import { exchange, type ExchangeFailure } from './exchange.ts';

/** Why a request or the rest of its answer could not be had. */
type HttpFailure =
  | 'bad_url'
  | 'dns_failed'
  | 'dns_timeout'
  | 'address_refused'
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
  /** `own`: the owner configured exactly this host and port, which may be of this machine or a private network. */
  readonly reach: 'public' | 'own';
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

/** For tests; the product gives none. Names are resolved the system's way. */
export type HttpClientDeps = Pick<DestinationDeps, 'resolve' | 'judge' | 'machineAddresses'>;

export function createHttpClient(deps: HttpClientDeps = {}): HttpClient {
  // Connections are kept and shared; one pool for each connect timeout, of which a program has two or three, and for each
  // reach: a connection to a private address must not serve who may not open one.
  const agents = new Map<string, Agent>();
  const agentFor = ({ reach, timeouts }: HttpRequest): Agent => {
    const key = `${reach} ${timeouts.connectMs}`;
    const known = agents.get(key);
    if (known) return known;
    const agent = new Agent({
      connect: connectChecked(deps, reach, timeouts.connectMs),
      // Our own timers count; the library's are coarse and know no total.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      pipelining: 1,
      allowH2: false,
    });
    agents.set(key, agent);
    return agent;
  };
  return {
    async send(message) {
      const url = checkUrl(message.url);
      const headers = checkHeaders(message.headers ?? {});
      const { timeouts, signal, maxBytes } = message;
      const answer = await exchange(
        {
          ...timeouts,
          url,
          method: message.method,
          headers: [...Object.entries(headers), ['accept-encoding', 'identity']],
          body: message.body,
          signal,
          maxBytes,
          fail: (code) => failure(httpFailure(code)),
        },
        agentFor(message),
      );
      const kept = plainHeaders(answer.headers);
      const refused = refusedAnswer(answer.status, kept, maxBytes);
      if (refused) {
        answer.close();
        throw failure(refused);
      }
      return { ...answer, headers: kept };
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

/** Resolves, judges and connects, all within one limit. */
function connectChecked(
  deps: HttpClientDeps,
  reach: HttpRequest['reach'],
  limitMs: number,
): buildConnector.connector {
  return connectorOf(async ({ hostname, port, protocol }) => {
    const encrypted = protocol === 'https:';
    const end = performance.now() + limitMs;
    const host = hostname.replace(/^\[|\]$/g, '');
    const addresses = await checkedAddresses(
      { host, literal: isIP(host) !== 0 },
      { ...deps, resolve: deps.resolve ?? resolveBySystem, isOwn: reach === 'own' },
      { deadlineMs: limitMs, signal: undefined },
    );
    return connectPinned(
      { addresses, host, port: Number(port) || (encrypted ? 443 : 80), encrypted },
      { connectMs: Math.max(1, end - performance.now()) },
    );
  });
}

function httpFailure(code: ExchangeFailure): HttpFailure {
  // Of these nobody here asks for the last.
  return code === 'bad_response' || code === 'headers_too_large' || code === 'outdated' ? 'cut' : code;
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

function plainHeaders(headers: readonly (readonly [string, string])[]): Record<string, string> {
  // Of repeated ones the first: what comes later overwrites in an object.
  return Object.fromEntries(headers.filter(([name]) => name !== 'set-cookie').toReversed());
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

const MESSAGES: Readonly<Record<HttpFailure, string>> = {
  bad_url: 'The address is no http or https address, or holds a user name.',
  bad_header: 'A request header holds a character that is not allowed there.',
  dns_failed: 'The name of the server could not be resolved.',
  dns_timeout: 'The name of the server could not be resolved in time.',
  address_refused: 'The name of the server leads to an address that may not be reached.',
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

function failure(code: HttpFailure): AppError {
  return new AppError({ family: 'upstream', code, message: MESSAGES[code] });
}

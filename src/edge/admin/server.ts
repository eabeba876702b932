// Guarantees: every request passes the gatekeeper first and leaves with the security headers, what can't be parsed too; slow, large and many
// connections are bounded in time, bytes and number; a body that breaks off ends quietly.
// Does not: speak TLS (a proxy does, S-37).
// An attacker may control: everything that comes over a connection, and how many there are.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { AppError, errorText, type Redactor } from '../../core/index.ts';
import { addressKey, createTokenBuckets } from '../../guard/identity/index.ts';
import { createApp } from './app.ts';
import { createChatUpgrade } from './chat-upgrade.ts';
import { unknownPath, type Env } from './dispatch.ts';
import { errorAnswer, type ErrorAnswer } from './error-answer.ts';
import { createGatekeeper } from './gatekeeper.ts';
import { DEFAULT_LIMITS, type AdminOptions } from './options.ts';
import type { PageFiles } from './ports.ts';
import { rawAnswer } from './raw-answer.ts';
import { routeTable, type RouteDeps } from './routes/index.ts';
import { securityHeaders } from './security-headers.ts';

export interface AdminServerDeps extends Omit<RouteDeps, 'version'> {
  /** Empty when the page isn't built: a plain page says so then. */
  readonly pages: PageFiles;
  /** Over every answer of the API. */
  readonly redactor: Redactor;
  readonly options: AdminOptions;
}

export interface AdminServer {
  /** `address` is what to open, such as `http://127.0.0.1:8888`. Error: `port_in_use`, `bind_failed` (config). */
  listen(): Promise<{ readonly address: string; readonly port: number }>;
  /** Sends WebSockets away, lets requests in flight end, then cuts the rest off. */
  close(): Promise<void>;
  readonly app: Hono<Env>;
}

/** A second and at once: monitors ask often, and the answer is cheap. */
const HEALTH_RATE = { rate: 20, burst: 200 };
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_REQUESTS_PER_CONNECTION = 1_000;
const IDLE_SOCKET_MS = 120_000;

export function createAdminServer(deps: AdminServerDeps): AdminServer {
  const { options, identity, clock, log } = deps;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const gatekeeper = createGatekeeper(options);
  const rateLimit = options.rateLimit ?? { rate: 10, burst: 40 };
  const app = createApp({
    routes: routeTable({ ...deps, version: options.version }),
    identity,
    vault: deps.vault,
    page: deps.pages,
    log,
    redactor: deps.redactor,
    requests: createTokenBuckets({ ...rateLimit, clock }),
    health: createTokenBuckets({ ...HEALTH_RATE, clock }),
    bodyBytes: limits.bodyBytes,
  });
  const chat = createChatUpgrade({
    ...deps,
    limits,
    gatekeeper,
    // Apart from the API, of which each opening needs a ticket: who keeps to that limit never meets this one.
    openings: createTokenBuckets({ ...rateLimit, clock }),
  });

  async function answer(request: Request, incoming: IncomingMessage): Promise<Response> {
    const started = clock.monotonic();
    const client = gatekeeper.client(incoming);
    let response: Response;
    try {
      gatekeeper.admit(incoming, client);
      response = await app.fetch(request, { incoming, client });
    } catch (error) {
      response = refusal(error);
    }
    for (const [name, value] of Object.entries(securityHeaders(client.https))) {
      response.headers.set(name, value);
    }
    log.debug('request', {
      method: incoming.method,
      path: incoming.url?.split('?', 1)[0]?.slice(0, 200),
      status: response.status,
      ms: Math.round(clock.monotonic() - started),
    });
    return response;
  }

  function refusal(error: unknown): Response {
    const { status, body, headers } = errorAnswer(error, log);
    return Response.json(body, { status, headers: { ...headers, 'cache-control': 'no-store' } });
  }

  const listener = getRequestListener(
    // The adapter gives us Node's own request for HTTP/1, which is all that this server speaks.
    (request, env) => answer(request, env.incoming as IncomingMessage),
    {
      overrideGlobalObjects: false,
      errorHandler: () => {
        const response = refusal(unknownPath());
        for (const [name, value] of Object.entries(securityHeaders(false))) response.headers.set(name, value);
        return response;
      },
    },
  );

  const server = createServer({
    // Refused below, with our headers and after the list of addresses; Node would answer by itself.
    requireHostHeader: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.max(100, Math.min(limits.headersMs, limits.requestMs) / 4),
    // Other upgrades (h2c) are answered as if they hadn't been asked for, as HTTP wants it.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  server.maxConnections = limits.connections;
  server.timeout = IDLE_SOCKET_MS;
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    incoming.on('error', () => undefined);
    const client = gatekeeper.client(incoming);
    try {
      // Before the adapter, which answers for itself where it can't make a request of what came.
      gatekeeper.requireAddress(client);
      if (incoming.headers.host === undefined) throw invalidRequest('The request names no host.');
    } catch (error) {
      turnAway(outgoing, errorAnswer(error, log), client.https);
      return;
    }
    listener(incoming, outgoing).catch((error: unknown) => {
      log.error('an answer could not be sent', { problem: errorText(error) });
      outgoing.destroy();
    });
  };
  server.on('request', serve);
  // An expectation that we don't know is no reason for an answer of Node's own.
  server.on('checkExpectation', serve);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    chat.upgrade(request, socket, head),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawAnswer(errorAnswer(unparsable(error, socket), log), false));
  });
  limitPerAddress(server, limits.connectionsPerAddress, gatekeeper.isTrustedProxy);

  /** No stranger hears whether their bytes were well formed. */
  function unparsable(error: NodeJS.ErrnoException, socket: Duplex): unknown {
    try {
      gatekeeper.requirePeer((socket as Socket).remoteAddress ?? '');
      return unparsableError(error);
    } catch (refused) {
      return refused;
    }
  }

  return {
    app,
    async listen() {
      await new Promise<void>((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, options));
        server.once('error', onError);
        server.listen({ host: options.host, port: options.port }, () => {
          server.off('error', onError);
          // Such as no file descriptor left for another connection: those that are open live on.
          server.on('error', (error) => log.error('the admin server', { problem: errorText(error) }));
          resolve();
        });
      });
      const { port } = server.address() as AddressInfo;
      return { address: `http://${urlHost(options.host)}:${port}`, port };
    },
    async close() {
      chat.close(false);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        // WebSockets are no connections of the HTTP server any more.
        chat.close(true);
        server.closeAllConnections();
      }, limits.closeMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function limitPerAddress(server: Server, max: number, uncounted: (address: string) => boolean): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (uncounted(address)) return;
    const key = addressKey(address);
    const count = (open.get(key) ?? 0) + 1;
    if (count > max) {
      socket.destroy();
      return;
    }
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    });
  });
}

function turnAway(outgoing: ServerResponse, { status, body, headers }: ErrorAnswer, https: boolean): void {
  outgoing.writeHead(status, {
    ...securityHeaders(https),
    ...headers,
    'cache-control': 'no-store',
    'content-type': 'application/json',
    connection: 'close',
  });
  outgoing.end(JSON.stringify(body));
}

function unparsableError(error: NodeJS.ErrnoException): AppError {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError({
      family: 'input',
      code: 'request_timeout',
      message: 'The request did not arrive in time.',
    });
  }
  return invalidRequest(
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'The headers of the request are too large.'
      : 'This is not a valid HTTP request.',
  );
}

function invalidRequest(message: string): AppError {
  return new AppError({ family: 'input', code: 'invalid_request', message });
}

export function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: { readonly host: string; readonly port: number },
): AppError {
  if (error.code === 'EADDRINUSE') {
    return new AppError({
      family: 'config',
      code: 'port_in_use',
      message: `Port ${port} on ${host} is taken by another program.`,
      fix: 'Stop that program, or choose another port: openpact start --port N, or admin.bind in secure/config.yaml.',
      cause: error,
    });
  }
  return new AppError({
    family: 'config',
    code: 'bind_failed',
    message: `OpenPact can't listen on ${host}:${port}: ${errorText(error)}.`,
    fix: 'Choose an address of this machine and a port above 1023 with admin.bind in secure/config.yaml.',
    cause: error,
  });
}

/** What to print: a wildcard is reached over loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

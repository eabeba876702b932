// Guarantees: every request passes the gatekeeper first and leaves with the security headers; slow, large and many
// connections are bounded in time, bytes and number; a body that breaks off ends quietly.
// Does not: speak TLS (a proxy does, S-37).
// An attacker may control: everything that comes over a connection, and how many there are.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { AppError, errorText } from '../../core/index.ts';
import { addressKey } from '../../guard/identity/index.ts';
import { createApp } from './app.ts';
import { createChatUpgrade } from './chat-upgrade.ts';
import { unknownPath, type Env } from './dispatch.ts';
import { errorAnswer } from './error-answer.ts';
import { createGatekeeper } from './gatekeeper.ts';
import { DEFAULT_LIMITS, type AdminOptions } from './options.ts';
import type { PageFiles } from './ports.ts';
import { rawAnswer } from './raw-answer.ts';
import { routeTable, type RouteDeps } from './routes/index.ts';
import { securityHeaders } from './security-headers.ts';

export interface AdminServerDeps extends Omit<RouteDeps, 'version'> {
  /** Empty when the page isn't built: a plain page says so then. */
  readonly pages: PageFiles;
  readonly options: AdminOptions;
}

export interface AdminServer {
  /** `address` is what to open, such as `http://127.0.0.1:8888`. Error: `port_in_use`, `bind_failed` (config). */
  listen(): Promise<{ readonly address: string; readonly port: number }>;
  /** Sends WebSockets away, lets requests in flight end, then cuts the rest off. */
  close(): Promise<void>;
  readonly app: Hono<Env>;
}

const MAX_HEADER_BYTES = 16 * 1024;
const MAX_REQUESTS_PER_CONNECTION = 1_000;
const IDLE_SOCKET_MS = 120_000;

export function createAdminServer(deps: AdminServerDeps): AdminServer {
  const { options, identity, clock, log } = deps;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const gatekeeper = createGatekeeper(options);
  const app = createApp({
    routes: routeTable({ ...deps, version: options.version }),
    identity,
    page: deps.pages,
    clock,
    log,
    rateLimit: options.rateLimit ?? { rate: 10, burst: 40 },
    bodyBytes: limits.bodyBytes,
  });
  const chat = createChatUpgrade({ ...deps, limits, gatekeeper });

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
  server.on('request', (incoming, outgoing) => {
    incoming.on('error', () => undefined);
    listener(incoming, outgoing).catch((error: unknown) => {
      log.error('an answer could not be sent', { problem: errorText(error) });
      outgoing.destroy();
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    chat.upgrade(request, socket, head),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawAnswer(errorAnswer(unparsable(error), log), false));
  });
  limitPerAddress(server, limits.connectionsPerAddress, gatekeeper.isTrustedProxy);

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

function unparsable(error: NodeJS.ErrnoException): AppError {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError({
      family: 'input',
      code: 'request_timeout',
      message: 'The request did not arrive in time.',
    });
  }
  return new AppError({
    family: 'input',
    code: 'invalid_request',
    message:
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'The headers of the request are too large.'
        : 'This is not a valid HTTP request.',
  });
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

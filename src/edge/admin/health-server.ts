// Guarantees: a second, tiny server that answers the health paths and nothing else, so that a container or a monitor can
// ask without reaching the page or the API. It needs no login and shows nothing that one would be needed for (O-01).
// Does not: know who asks; listen on 127.0.0.1 unless a monitor elsewhere has to ask.
// An attacker may control: every request that reaches it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { errorText } from '../../core/index.ts';
import { respond } from './app.ts';
import { clientOf } from './client.ts';
import { runRoute, unknownPath, type Env } from './dispatch.ts';
import { errorAnswer } from './error-answer.ts';
import type { RouteDeps } from './routes/deps.ts';
import { healthRoutes } from './routes/system-routes.ts';
import { securityHeaders } from './security-headers.ts';
import { listenError } from './server.ts';

export type HealthServerDeps = Pick<
  RouteDeps,
  'identity' | 'system' | 'vault' | 'clock' | 'version' | 'log'
> & {
  readonly address: { readonly host: string; readonly port: number };
};

export interface HealthServer {
  /** Errors: `port_in_use`, `bind_failed` (config). */
  listen(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

const REQUEST_MS = 5_000;
const CONNECTIONS = 32;

export function createHealthServer(deps: HealthServerDeps): HealthServer {
  const app = new Hono<Env>();
  // Whatever the setup and the vault say: that is what is asked for here.
  const limits = { bodyBytes: 0, requireServed: () => undefined };
  for (const row of healthRoutes(deps)) {
    app.on(row.method, [row.path], async (context) =>
      respond(context, await runRoute(row, context, deps.identity, limits)),
    );
  }
  app.notFound((context) => {
    const { status, body } = errorAnswer(unknownPath(), deps.log);
    return respond(context, { status, json: body });
  });
  app.onError((error, context) => {
    const { status, body, headers } = errorAnswer(error, deps.log);
    return respond(context, { status, json: body, headers });
  });
  const nobodyTrusted = (): boolean => false;
  const listener = getRequestListener(
    async (request, env) => {
      const incoming = env.incoming as Env['Bindings']['incoming'];
      const response = await app.fetch(request, { incoming, client: clientOf(incoming, nobodyTrusted) });
      for (const [name, value] of Object.entries(securityHeaders(false))) response.headers.set(name, value);
      return response;
    },
    { overrideGlobalObjects: false },
  );
  const server = createServer({
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: REQUEST_MS / 4,
    maxHeaderSize: 8 * 1024,
    keepAliveTimeout: REQUEST_MS,
  });
  server.timeout = REQUEST_MS;
  server.maxConnections = CONNECTIONS;
  server.on('request', (incoming, outgoing) => {
    incoming.on('error', () => undefined);
    listener(incoming, outgoing).catch((error: unknown) => {
      deps.log.error('an answer about health could not be sent', { problem: errorText(error) });
      outgoing.destroy();
    });
  });

  return {
    async listen() {
      await new Promise<void>((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, deps.address));
        server.once('error', onError);
        server.listen({ ...deps.address }, () => {
          server.off('error', onError);
          server.on('error', (error) => deps.log.error('the health server', { problem: errorText(error) }));
          resolve();
        });
      });
      return { port: (server.address() as AddressInfo).port };
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

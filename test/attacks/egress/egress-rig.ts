/**
 * A guard whose public internet is made of servers on loopback: names resolve as the test says, and of the addresses of this
 * machine exactly PUBLIC counts as public. The product gives its guard neither.
 */
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import {
  createEgressGuard,
  judgeAddress,
  type EgressGuard,
  type EgressGuardDeps,
  type EgressRefusal,
  type EgressRequest,
} from '../../../src/host/net/egress/index.ts';
import { CERTIFICATE, KEY } from './certificate.ts';

/** Both are loopback on Linux; the second stands for an inner address that must not be reached. */
export const PUBLIC = '127.0.0.1';
export const INNER = '127.0.0.2';

export interface Served {
  readonly port: number;
  /** Connections that were opened. */
  readonly connections: () => number;
  /** Connections that are open now. */
  readonly open: () => number;
}

const servers: { server: Server | HttpServer; sockets: Set<Socket> }[] = [];

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server | HttpServer, address: string, port = 0): Promise<Served> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    open: () => sockets.size,
  };
}

export const serve = (handle: RequestListener, address = PUBLIC, port = 0): Promise<Served> =>
  listen(createServer(handle), address, port);

export const serveTls = (handle: RequestListener, names: string[] = []): Promise<Served> =>
  listen(
    createTlsServer(
      {
        cert: CERTIFICATE,
        key: KEY,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      },
      handle,
    ),
    PUBLIC,
  );

/** A server that speaks bytes: `speak` is called when a whole request head came. */
export const serveRaw = (speak: (socket: Socket) => void): Promise<Served> =>
  listen(
    createTcpServer((socket) => {
      let seen = '';
      socket.on('data', (data) => {
        const before = seen.includes('\r\n\r\n');
        seen += data.toString('latin1');
        if (!before && seen.includes('\r\n\r\n')) speak(socket);
      });
    }),
    PUBLIC,
  );

export interface Rig {
  readonly guard: EgressGuard;
  readonly refusals: EgressRefusal[];
  /** Names that were asked for, in order. */
  readonly asked: string[];
}

/** `names`: what each question for a name is answered, the last answer again and again. */
export function rig(
  names: Readonly<Record<string, readonly (readonly string[])[]>> = {},
  more: Partial<EgressGuardDeps> = {},
): Rig {
  const refusals: EgressRefusal[] = [];
  const asked: string[] = [];
  const resolve = async (host: string): Promise<readonly string[]> => {
    const times = asked.filter((name) => name === host).length;
    asked.push(host);
    const answers = names[host] ?? [[PUBLIC]];
    return answers[Math.min(times, answers.length - 1)] ?? [];
  };
  const guard = createEgressGuard({
    clock: systemClock,
    resolve,
    resolveOwn: resolve,
    judge: (address) => (address === PUBLIC ? 'public' : judgeAddress(address)),
    machineAddresses: () => [],
    onRefusal: (refusal) => refusals.push(refusal),
    requestsPerSecond: 1_000,
    ca: CERTIFICATE,
    ...more,
  });
  return { guard, refusals, asked };
}

export function get(url: string, more: Partial<EgressRequest> = {}): EgressRequest {
  return {
    script: 'weather',
    url,
    method: 'GET',
    headers: [],
    timeoutMs: 10_000,
    maxBytes: 1_000_000,
    ...more,
  };
}

export async function textOf({ guard }: Rig, request: EgressRequest): Promise<string> {
  const answer = await guard.send(request);
  const parts: Uint8Array[] = [];
  for await (const part of answer.body) parts.push(part);
  return Buffer.concat(parts).toString();
}

export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );
}

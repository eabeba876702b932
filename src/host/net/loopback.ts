// Guarantees: both ends are on this machine: requests go to 127.0.0.1 and the server listens there only.
// Does not: follow redirects, keep connections, or check a certificate (there is none).
// An attacker may control: whatever else on this machine connects to the server while it is open.
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LoopbackRequest {
  readonly port: number;
  readonly method: string;
  /** Sent as it is, also where it is no proper path. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** An address of this machine to send from. */
  readonly from?: string;
}

export interface LoopbackAnswer {
  /** 101 where the server took a WebSocket; it is closed at once. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const DEADLINE_MS = 10_000;

/** One raw request. Rejects when no answer came within 10 s; a server that closes instead of answering is status 0. */
export function askLoopback(ask: LoopbackRequest): Promise<LoopbackAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port: ask.port,
      method: ask.method,
      path: ask.path,
      headers: { ...ask.headers },
      agent: false,
      timeout: DEADLINE_MS,
      ...(ask.from === undefined ? {} : { localAddress: ask.from }),
    });
    outgoing.on('response', (answer) => {
      const { statusCode: status = 0, headers } = answer;
      bodyOf(answer).then((text) => resolve({ status, headers, text }), reject);
    });
    outgoing.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode ?? 101, headers: answer.headers, text: '' });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${ask.method} within 10 s`)));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // A body that is too large is refused before all of it is sent.
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        resolve({ status: 0, headers: {}, text: '' });
      else reject(error);
    });
    outgoing.end(ask.body);
  });
}

export interface LoopbackServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A small server on a free port. The handler gives status, content type and text. */
export async function serveLoopback(
  handle: (
    method: string,
    path: string,
    body: string,
  ) => { readonly status: number; readonly type: string; readonly text: string },
): Promise<LoopbackServer> {
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { status, type, text } = handle(incoming.method ?? '', incoming.url ?? '', await bodyOf(incoming));
    outgoing.writeHead(status, { 'content-type': type });
    outgoing.end(text);
  };
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

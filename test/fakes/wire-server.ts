/** What the fake servers of the native wires share: real HTTP on loopback, answers by script, requests kept for the test. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // eslint-disable-next-line typescript/no-explicit-any -- tests read what they expect
  readonly body: any;
}

export interface WireCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface WireAnswer {
  readonly text?: string | readonly string[];
  readonly thinking?: string | readonly string[];
  readonly calls?: readonly WireCall[];
  /** Anything but 200: `body` as it is. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Events in the place of the answer, as they are. */
  readonly events?: readonly unknown[];
  /** The socket dies behind the events. */
  readonly cut?: boolean;
}

/** A refusal as the provider would say it. */
export interface WireRefusal {
  readonly status: number;
  readonly body: unknown;
}

export interface WireServer {
  readonly origin: string;
  /** Requests for answers, oldest first. */
  readonly requests: readonly WireRequest[];
  readonly others: readonly WireRequest[];
  next(...answers: WireAnswer[]): void;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly answers?: readonly WireAnswer[];
  readonly otherwise?: WireAnswer | ((request: WireRequest) => WireAnswer);
}

export async function startWireServer(
  options: WireOptions,
  wire: {
    /** Refuses what the provider would refuse; undefined: it is well. */
    readonly refuse: (request: WireRequest) => WireRefusal | undefined;
    /** The body of a GET; undefined: 404. */
    readonly get: (request: WireRequest) => unknown;
    readonly isAsk: (request: WireRequest) => boolean;
    readonly eventsOf: (answer: WireAnswer, count: number) => readonly unknown[];
    /** Whether each event is named by its type as well. */
    readonly named: boolean;
  },
): Promise<WireServer> {
  const requests: WireRequest[] = [];
  const others: WireRequest[] = [];
  const script = [...(options.answers ?? [])];
  const sockets = new Set<Socket>();

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    const { method = '', url: path = '', headers } = incoming;
    const request: WireRequest = { method, path, headers, body: text === '' ? null : JSON.parse(text) };
    const asks = method === 'POST' && wire.isAsk(request);
    (asks ? requests : others).push(request);
    const refusal = wire.refuse(request);
    if (refusal) return json(response, refusal.status, refusal.body);
    if (!asks) {
      const found = method === 'GET' ? wire.get(request) : undefined;
      return json(response, found === undefined ? 404 : 200, found ?? { error: { message: 'not here' } });
    }
    const { otherwise } = options;
    const next = script.shift() ??
      (typeof otherwise === 'function' ? otherwise(request) : otherwise) ?? { text: 'ok' };
    if (next.status !== undefined && next.status !== 200) {
      return json(response, next.status, next.body ?? {}, next.headers);
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...next.headers });
    for (const event of next.events ?? wire.eventsOf(next, requests.length)) {
      const name = wire.named ? `event: ${(event as { type: string }).type}\r\n` : '';
      response.write(`${name}data: ${JSON.stringify(event)}\r\n\r\n`);
    }
    if (next.cut === true) setTimeout(() => response.destroy(), 20);
    else response.end();
  }

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    others,
    next: (...answers) => void script.push(...answers),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export function pieces(text: string | readonly string[] | undefined): readonly string[] {
  return text === undefined ? [] : typeof text === 'string' ? [text] : text;
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

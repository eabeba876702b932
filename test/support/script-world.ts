/**
 * What stands around scripts of a running program: https and http servers under public names, the DNS that leads there, and
 * scripts that the owner approves and the model runs. The addresses are loopback; one of them counts as public.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createBareTlsServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { AuditList, Script, ScriptGrantView, ScriptTestAnswer } from '../../src/edge/admin/api.ts';
import type { InternetFile } from '../seams/internet.ts';
import { CERTIFICATE, KEY } from '../attacks/egress/certificate.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { startDnsServer, type DnsAnswer } from './dns-server.ts';
import { startProgram, type RunningProgram, type StartOptions } from './running-program.ts';
import { modelCalls, type Heard } from './script-chat.ts';
import { useModel } from './with-fake-model.ts';

/** Counts as public in a world. */
export const PUBLIC = '127.7.7.7';
/** The names of the certificate. */
export const SECURE = 'secure.example.com';
export const OTHER = 'other.example.com';

export interface Arrived {
  readonly host: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Host {
  readonly port: number;
  readonly arrived: Arrived[];
  /** Connections, also those that asked nothing. */
  readonly connections: () => number;
}

export type Answering = (request: Arrived, response: ServerResponse) => void;

export interface World {
  /** What DNS says of a name from now on. Default for every name: PUBLIC. Lists of lists: one answer for each question. */
  readonly names: Map<string, DnsAnswer | ((asked: number) => DnsAnswer)>;
  readonly asked: readonly string[];
  /** `gate`: each connection waits for it before anything is encrypted. */
  https(answer: Answering, gate?: () => Promise<void>): Promise<Host>;
  http(answer: Answering, address?: string, port?: number): Promise<Host>;
  /** A server that speaks bytes over TLS when a request came. */
  bytes(speak: (socket: Socket, head: string) => void): Promise<Host>;
  /** A program in this world, with a model of its own. It ends with the test file. */
  start(options?: StartOptions): Promise<Place>;
}

export interface Place {
  readonly program: RunningProgram;
  readonly model: FakeModel;
  setSecret(name: string, value: string, more?: object): Promise<void>;
  changeSecret(name: string, change: object): Promise<number>;
  /** Stores and approves a script as the owner; the rest of its power stands in `grant`. */
  approve(name: string, source: string, grant?: Partial<ScriptGrantView>): Promise<void>;
  /** What the model hears when it runs it. */
  run(name: string): Promise<Heard>;
  /** Both, under a name of its own: rates and quotas are counted for each name. */
  ran(source: string, grant?: Partial<ScriptGrantView>): Promise<Heard>;
  /** The same as a test by the owner, which goes the same way out; several may be under way. */
  tested(source: string, grant?: Partial<ScriptGrantView>): Promise<Tested>;
  /** Empty: all. */
  audit(event: string): Promise<AuditList['entries']>;
}

export interface Tested {
  readonly result: unknown;
  /** Of the error; null when there was none. */
  readonly code: string | null;
}

const undo: (() => unknown)[] = [];
// Here, and not where a world is opened: a hook that is added while another one runs is never called.
afterAll(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

export async function openWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-world-'));
  // A program that was started as root reads it as another user.
  chmodSync(folder, 0o755);
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const names: World['names'] = new Map();
  const counts = new Map<string, number>();
  const dns = await startDnsServer((name, kind) => {
    const said = names.get(name) ?? [PUBLIC];
    const count = counts.get(`${kind} ${name}`) ?? 0;
    counts.set(`${kind} ${name}`, count + 1);
    const answer = typeof said === 'function' ? said(count) : said;
    if (typeof answer === 'string') return answer;
    const fitting = answer.filter((address) => address.includes(':') === (kind === 'AAAA'));
    return fitting.length === 0 ? 'none' : fitting;
  });
  undo.push(() => dns.close());
  const internet = join(folder, 'internet.json');
  const file: InternetFile = { dns: dns.address, public: [PUBLIC], ca: CERTIFICATE };
  writeFileSync(internet, JSON.stringify(file));

  async function listen(server: Server, arrived: Arrived[], address: string, port = 0): Promise<Host> {
    const sockets = new Set<Socket>();
    let connections = 0;
    server.on('connection', (socket: Socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    });
    undo.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    return { port: (server.address() as AddressInfo).port, arrived, connections: () => connections };
  }

  const handler =
    (arrived: Arrived[], answer: Answering): Parameters<typeof createServer>[1] =>
    (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const host = headers.host ?? '';
        const one: Arrived = { host, method, url, headers, body: Buffer.concat(parts).toString() };
        arrived.push(one);
        answer(one, response);
      });
    };

  return {
    names,
    asked: dns.names,
    https(answer, gate) {
      const arrived: Arrived[] = [];
      const encrypted = createTlsServer({ cert: CERTIFICATE, key: KEY }, handler(arrived, answer) as never);
      if (gate === undefined) return listen(encrypted, arrived, PUBLIC);
      const door = createTcpServer({ pauseOnConnect: true }, (socket) => {
        void gate().then(() => encrypted.emit('connection', socket));
      });
      return listen(door, arrived, PUBLIC);
    },
    http(answer, address = PUBLIC, port = 0) {
      const arrived: Arrived[] = [];
      return listen(createServer(handler(arrived, answer) as never), arrived, address, port);
    },
    bytes(speak) {
      const server = createBareTlsServer({ cert: CERTIFICATE, key: KEY }, (socket) => {
        let head = '';
        socket.on('error', () => socket.destroy());
        socket.on('data', (data: Buffer) => {
          const before = head.includes('\r\n\r\n');
          head += data.toString('latin1');
          if (!before && head.includes('\r\n\r\n')) speak(socket, head);
        });
      });
      return listen(server, [], PUBLIC);
    },
    async start(options = {}) {
      const model = await startFakeModel({ answers: [] });
      undo.push(() => model.close());
      const program = await startProgram({ internet, ...options });
      undo.push(async () => {
        await program.kill();
        program.remove();
      });
      await useModel(program, model);
      return placeOf(program, model);
    },
  };
}

function placeOf(program: RunningProgram, model: FakeModel): Place {
  let count = 0;
  async function ok<T>(...request: Parameters<RunningProgram['api']>): Promise<T> {
    const { status, body } = await program.api<T>(...request);
    if (status > 299) throw new Error(`${request[0]} ${request[1]}: ${status} ${JSON.stringify(body)}`);
    return body;
  }
  const place: Place = {
    program,
    model,
    async setSecret(name, value, more = {}) {
      await ok('POST', '/api/secrets', { name, value, ...more });
    },
    changeSecret: async (name, change) => (await program.api('PUT', `/api/secrets/${name}`, change)).status,
    async approve(name, source, grant) {
      const { hash, revision } = await ok<Script>('POST', '/api/scripts', { name, source });
      await ok('POST', `/api/scripts/${name}/approve`, {
        hash,
        revision,
        ...(grant === undefined ? {} : { grant: { secrets: {}, hosts: [], methods: [], ...grant } }),
      });
    },
    run: (name) => modelCalls(program, model, 'script_run', { name }),
    async ran(source, grant) {
      count += 1;
      const name = `attempt_${count}`;
      await place.approve(name, source, grant);
      return place.run(name);
    },
    async tested(source, grant) {
      count += 1;
      const name = `attempt_${count}`;
      await place.approve(name, source, grant);
      const { hash } = await ok<Script>('GET', `/api/scripts/${name}`);
      const { result, error } = await ok<ScriptTestAnswer>('POST', `/api/scripts/${name}/test`, { hash });
      return { result, code: error?.code ?? null };
    },
    audit: async (event) =>
      (await ok<AuditList>('GET', `/api/audit?limit=500${event === '' ? '' : `&event=${event}`}`)).entries,
  };
  return place;
}

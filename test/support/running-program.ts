/** Starts OpenPact as a process of its own on a temporary workspace, and talks to it as a browser would. */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { WebSocket } from 'ws';
import type { Approval, ApprovalList, ChatServerEvent, Conversation } from '../../src/edge/admin/api.ts';
import { PRODUCT, QUICK_PASSWORDS, SEAMS } from './product.ts';

export const PASSWORD = 'a long enough passphrase for tests';
/** Where Node keeps what it has compiled (scripts/test.ts); what is started has none of the rest of our environment. */
const cache = process.env['NODE_COMPILE_CACHE'];
const COMPILED: Readonly<Record<string, string>> = cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };

export interface StartOptions {
  /** An existing workspace; without it a new one is made, and removed by `remove`. */
  readonly workspace?: string;
  /** Lines of `secure/config.yaml`. */
  readonly config?: string;
  /** Controls to leave out; needs the second composition root. Empty: the product itself. */
  readonly off?: readonly string[];
  /** Another program in the place of the agent. */
  readonly agent?: string;
  /** A file that describes the internet of scripts (test/seams/internet.ts). */
  readonly internet?: string;
  /** In the environment of the process itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Handed over a pipe, as bin/openpact.js does with the whole environment. */
  readonly handedOver?: Readonly<Record<string, string>>;
  /** Default: any free one. */
  readonly port?: number;
  /** Leave the first user to the test. */
  readonly withoutSetup?: boolean;
  /**
   * `full`: login passwords are hashed as the product does, which is slow. Of one workspace all programs do the same.
   * Default: quick, but `full` where the first user is left to the test.
   */
  readonly passwords?: 'full' | 'quick';
}

export interface RunningProgram {
  readonly address: string;
  readonly workspace: string;
  readonly setupCode: string | null;
  readonly pid: number;
  /** The bearer of the first user. */
  readonly token: string;
  readonly log: () => string;
  api<T>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T; headers: Headers }>;
  newConversation(): Promise<string>;
  chat(id: string, after?: number): Promise<Chat>;
  /** Sends a message in a new conversation and waits for `done`. */
  say(text: string): Promise<{ id: string; events: readonly ChatServerEvent[] }>;
  waitForApproval(): Promise<Approval>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  remove(): void;
}

export interface Chat {
  readonly events: ChatServerEvent[];
  send(message: unknown): void;
  /** Resolves with the first event, heard or coming, for which this is true. */
  until(test: (event: ChatServerEvent) => boolean, ms?: number): Promise<ChatServerEvent>;
  close(): void;
  readonly closed: Promise<number>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
});

export async function startProgram(options: StartOptions = {}): Promise<RunningProgram> {
  const workspace = options.workspace ?? mkdtempSync(join(tmpdir(), 'openpact-run-'));
  if (options.config !== undefined) {
    mkdirSync(join(workspace, 'secure'), { recursive: true, mode: 0o700 });
    writeFileSync(join(workspace, 'secure', 'config.yaml'), options.config, { mode: 0o600 });
  }
  const seams =
    (options.off?.length ?? 0) > 0 || options.agent !== undefined || options.internet !== undefined;
  const passwords = options.passwords ?? (options.withoutSetup === true ? 'full' : 'quick');
  const args = [
    ...(passwords === 'quick' ? QUICK_PASSWORDS : []),
    seams ? SEAMS : PRODUCT,
    ...(options.handedOver === undefined ? [] : ['--environment-fd=3']),
    ...(seams ? [`--off=${(options.off ?? []).join(',')}`] : []),
    ...(options.agent === undefined ? [] : [`--agent=${options.agent}`]),
    ...(options.internet === undefined ? [] : [`--internet=${options.internet}`]),
    'start',
    '--json',
    '--port',
    String(options.port ?? 0),
    '--workspace',
    workspace,
  ];
  const child = spawn(process.execPath, args, {
    cwd: workspace,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: workspace, ...COMPILED, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  }) as ChildProcessWithoutNullStreams;
  const handOver = child.stdio[3] as unknown as Writable;
  // A program that was not told to read it closes it unread.
  handOver.on('error', () => handOver.destroy());
  handOver.end(
    JSON.stringify({ environment: { PATH: process.env['PATH'] ?? '', ...options.handedOver }, wiped: true }),
  );
  running.add(child);
  let log = '';
  let out = '';
  const exited = new Promise<number>((resolveExit) =>
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolveExit(code ?? (signal === null ? 1 : 128));
    }),
  );
  const started = new Promise<{ address: string; setup_code: string | null }>((resolveStart, reject) => {
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      for (const line of out.split('\n')) {
        if (!line.startsWith('{"started":true')) continue;
        try {
          resolveStart(JSON.parse(line) as { address: string; setup_code: string | null });
        } catch {
          // The rest of the line is still to come.
        }
      }
    });
    void exited.then((code) =>
      reject(new Error(`OpenPact ended with ${code} instead of starting:\n${out}${log}`)),
    );
  });
  const { address, setup_code } = await started;
  let token = '';

  const api: RunningProgram['api'] = async (method, path, body) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // A test is faster than a person; the limit on logins stays what it is.
    if (response.status === 429 && path !== '/api/auth/login') {
      await new Promise((wait) => setTimeout(wait, 1000 * Number(response.headers.get('retry-after') ?? 1)));
      return api(method, path, body);
    }
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? null : JSON.parse(text)) as never,
    };
  };

  if (options.withoutSetup !== true) {
    if (setup_code === null) {
      const login = await api<{ access_token: string }>('POST', '/api/auth/login', {
        username: 'owner',
        password: PASSWORD,
      });
      token = login.body.access_token;
    } else {
      const made = await api<{ access_token: string }>('POST', '/api/setup', {
        username: 'owner',
        password: PASSWORD,
        confirm_password: PASSWORD,
        setup_code,
      });
      if (made.status !== 200) throw new Error(`the setup was refused: ${JSON.stringify(made.body)}`);
      token = made.body.access_token;
      const profile = await api('POST', '/api/setup/profile', {
        agent_name: 'Pact',
        personality: 'direct',
        user_name: 'Sam',
        timezone: 'UTC',
      });
      if (profile.status !== 200) throw new Error(`the profile was refused: ${JSON.stringify(profile.body)}`);
    }
  }

  const program: RunningProgram = {
    address,
    workspace,
    setupCode: setup_code,
    pid: child.pid ?? 0,
    get token() {
      return token;
    },
    log: () => out + log,
    api,
    async newConversation() {
      const made = await api<Conversation>('POST', '/api/sessions', {});
      if (made.status !== 200)
        throw new Error(`no conversation: ${made.status} ${JSON.stringify(made.body)}`);
      return made.body.id;
    },
    async chat(id, after = 0) {
      const { body } = await api<{ ticket: string }>('POST', '/api/auth/ws-ticket', {});
      return openChat(
        `${address.replace('http', 'ws')}/api/sessions/${id}/chat?ticket=${body.ticket}&after=${after}`,
      );
    },
    async say(text) {
      const id = await program.newConversation();
      const chat = await program.chat(id);
      chat.send({ type: 'message', content: text });
      await chat.until((event) => event.type === 'done', 60_000);
      chat.close();
      return { id, events: chat.events };
    },
    async waitForApproval() {
      for (let i = 0; i < 200; i += 1) {
        const { body } = await api<ApprovalList>('GET', '/api/approvals?status=pending');
        const [first] = body.approvals;
        if (first) return first;
        await new Promise((resolveWait) => setTimeout(resolveWait, 100));
      }
      throw new Error(`no approval came:\n${program.log()}`);
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    remove: () => rmSync(workspace, { recursive: true, force: true }),
  };
  return program;
}

export async function openChat(url: string, headers: Record<string, string> = {}): Promise<Chat> {
  const socket = new WebSocket(url, { headers });
  const events: ChatServerEvent[] = [];
  const listeners = new Set<() => void>();
  const closed = new Promise<number>((resolveClose) => socket.on('close', (code) => resolveClose(code)));
  socket.on('message', (data: Buffer) => {
    events.push(JSON.parse(data.toString()) as ChatServerEvent);
    for (const tell of listeners) tell();
  });
  await new Promise<void>((resolveOpen, reject) => {
    socket.once('open', () => resolveOpen());
    socket.once('error', reject);
  });
  return {
    events,
    closed,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until(test, ms = 40_000) {
      return new Promise((resolveEvent, reject) => {
        const look = (): void => {
          const found = events.find((event) => test(event));
          if (!found) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolveEvent(found);
        };
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(
            new Error(`it did not come within ${ms} ms; heard: ${JSON.stringify(events).slice(0, 4000)}`),
          );
        }, ms);
        listeners.add(look);
        look();
      });
    },
    close: () => socket.close(),
  };
}

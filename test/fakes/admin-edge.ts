/** The admin edge with a real server, real SQLite and real identity; what other zones give it is played in memory. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, type ClientOptions } from 'ws';
import { systemClock, type Clock, type Log } from '../../src/core/index.ts';
import {
  createAdminServer,
  type AdminOptions,
  type AdminServerDeps,
  type PageFiles,
} from '../../src/edge/admin/index.ts';
import type { HealthReport } from '../../src/edge/admin/ports.ts';
import type { ChatServerEvent } from '../../src/edge/admin/api.ts';
import { auditPort } from '../../src/compose/audit-port.ts';
import { createAudit, createChainWatch } from '../../src/guard/audit/index.ts';
import { createIdentity, type IdentityOptions, type Profile } from '../../src/guard/identity/index.ts';
import { createAuditStore, createSettingsStore, openDatabase } from '../../src/host/storage/index.ts';
import { createLoginStore } from '../../src/host/storage/login-store.ts';
import { createUsersStore } from '../../src/host/storage/users-store.ts';
import { fakeConversations, fakeModels, fakeScripts, fakeUsage } from './admin-ports.ts';
import { plainRedactor } from './plain-redactor.ts';

export const PASSWORD = 'violet otter kettle 47';
export const USERNAME = 'admin';
/** Cheap, so that a suite of logins takes no minutes; the real cost has a test of its own. */
const CHEAP = { memory: 1024, passes: 1, parallelism: 1 };

export interface AdminEdgeOptions {
  readonly server?: Partial<AdminOptions>;
  readonly identity?: IdentityOptions;
  readonly pages?: PageFiles;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any;
  /** The value of the refresh cookie that was set, `''` when it was cleared. */
  readonly cookie: string | undefined;
}

export interface Ask {
  readonly body?: unknown;
  readonly raw?: string | Buffer;
  readonly token?: string | undefined;
  readonly cookie?: string | undefined;
  readonly headers?: Record<string, string>;
  /** The client's own address; all of 127.0.0.0/8 is ours. */
  readonly from?: string;
}

export async function startAdminEdge(options: AdminEdgeOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'admin-edge-'));
  const database = openDatabase({ path: join(folder, 'openpact.db') });
  const clock = movableClock();
  const log = recordingLog();
  const audit = createAudit({
    store: createAuditStore(database),
    database,
    clock,
    log: log.log,
    redactor: plainRedactor,
    key: randomBytes(32),
    fresh: true,
  });
  const codes: { written: string | undefined; removed: number } = { written: undefined, removed: 0 };
  const profiles: Profile[] = [];
  const key = randomBytes(32);
  const makeIdentity = () =>
    createIdentity({
      database,
      users: createUsersStore(database),
      logins: createLoginStore(database),
      settings: createSettingsStore(database),
      audit,
      clock,
      log: log.log,
      key,
      codeFile: {
        write: async (code) => void (codes.written = code),
        remove: async () => {
          codes.written = undefined;
          codes.removed += 1;
        },
      },
      profileWriter: { write: async (profile) => void profiles.push(profile) },
      options: { hasher: { cost: CHEAP }, ...options.identity },
    });
  const identity = makeIdentity();
  const conversations = fakeConversations();
  const health: { report: HealthReport } = {
    report: {
      isolation: { level: 2, summary: 'one user, Landlock, seccomp' },
      checks: { database: { status: 'healthy' } },
    },
  };
  const models = fakeModels();
  const vault = { sealed: false, open: new AbortController() };
  const approvals = { approved: [] as unknown[] };
  const deps: AdminServerDeps = {
    identity,
    audit: auditPort({
      audit,
      store: createAuditStore(database),
      watch: createChainWatch({ audit, clock, log: log.log }),
      clock,
      signal: new AbortController().signal,
    }),
    conversations: conversations.port,
    approvals: {
      list: () => ({ approvals: [], pending: 0, waiting: { tools: 0, scripts: 0 }, next: null, last: null }),
      waiting: () => ({ tools: [], scripts: [], waiting: { tools: 0, scripts: 0 }, last_ended: null }),
      batch: async () => ({ results: [] }),
      async approve(id, { digest, password }, actor) {
        await identity.stepUp.requireStepUp({ ...actor, act: 'approval.approve', password });
        approvals.approved.push({ id, digest, by: actor.principal.name });
        return { id } as never;
      },
      deny: (id, reason) => ({ id, reason }) as never,
    },
    tools: { list: () => [] },
    models,
    policy: { get: () => ({}) as never, change: () => ({}) as never },
    capabilities: { get: () => ({}) as never },
    identityFiles: {
      list: () => [],
      read: () => ({}) as never,
      version: () => ({}) as never,
      write: () => ({}) as never,
      restore: () => ({}) as never,
    },
    scripts: fakeScripts,
    usage: fakeUsage,
    secrets: {
      list: () => [],
      get: () => undefined,
      create: () => ({}) as never,
      change: () => ({}) as never,
      remove: () => undefined,
    },
    vault: {
      sealed: () => vault.sealed,
      status: () => ({ sealed: vault.sealed, protection: 'passphrase' }),
      unlock: async () => void (vault.sealed = false),
      lock() {
        vault.sealed = true;
        vault.open.abort();
        vault.open = new AbortController();
      },
      untilLocked: () => vault.open.signal,
    },
    system: {
      status: () => ({ agent_name: 'Pact' }) as never,
      stopAll: () => 3,
      health: () => health.report,
    },
    pages: options.pages ?? new Map(),
    redactor: plainRedactor,
    clock,
    log: log.log,
    options: {
      host: '127.0.0.1',
      port: 0,
      version: '0.1.0',
      rateLimit: { rate: 1000, burst: 1000 },
      ...options.server,
    },
  };
  const server = createAdminServer(deps);
  const { address, port } = await server.listen();

  const ask = (method: string, path: string, how: Ask = {}): Promise<Reply> => send(port, method, path, how);

  /** Makes the account and the profile, and gives a session. */
  async function setUp() {
    const code = await identity.setup.begin();
    const made = await ask('POST', '/api/setup', {
      body: { username: USERNAME, password: PASSWORD, confirm_password: PASSWORD, setup_code: code },
    });
    if (made.status !== 200) throw new Error(`setup: ${made.text}`);
    const token: string = made.json.access_token;
    const profile = await ask('POST', '/api/setup/profile', { token, body: PROFILE });
    if (profile.status !== 200) throw new Error(`profile: ${profile.text}`);
    return { token, cookie: made.cookie ?? '' };
  }

  async function login(how: Ask = {}) {
    const reply = await ask('POST', '/api/auth/login', {
      ...how,
      body: { username: USERNAME, password: PASSWORD },
    });
    if (reply.status !== 200) throw new Error(`login: ${reply.text}`);
    return { token: String(reply.json.access_token), cookie: reply.cookie ?? '' };
  }

  const ticket = async (token: string): Promise<string> =>
    (await ask('POST', '/api/auth/ws-ticket', { token, body: {} })).json.ticket;

  const sockets: WebSocket[] = [];
  function chat(id: string, query: string, options: ClientOptions = {}): Chat {
    const made = openChat(`ws://127.0.0.1:${port}/api/sessions/${id}/chat?${query}`, options);
    sockets.push(made.socket);
    return made;
  }

  return {
    address,
    port,
    server,
    deps,
    identity,
    makeIdentity,
    database,
    audit,
    clock,
    log,
    codes,
    profiles,
    conversations,
    models,
    approvals,
    health,
    vault,
    ask,
    setUp,
    login,
    ticket,
    chat,
    events: (event: string) => audit.list({ event, limit: 1000 }),
    async stop() {
      for (const socket of sockets) socket.terminate();
      await server.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type AdminEdge = Awaited<ReturnType<typeof startAdminEdge>>;

export const PROFILE = {
  agent_name: 'Pact',
  personality: 'calm',
  user_name: 'Ada',
  timezone: 'Europe/Berlin',
} as const;

function send(port: number, method: string, path: string, how: Ask = {}): Promise<Reply> {
  const payload = how.raw ?? (how.body === undefined ? undefined : JSON.stringify(how.body));
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        ...(how.from === undefined ? {} : { localAddress: how.from }),
        headers: {
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
          ...(payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }),
          ...(how.token === undefined ? {} : { authorization: `Bearer ${how.token}` }),
          ...(how.cookie === undefined ? {} : { cookie: `refresh=${how.cookie}` }),
          ...how.headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const type = response.headers['content-type'] ?? '';
          const set = response.headers['set-cookie']?.find((line) => line.startsWith('refresh='));
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: text !== '' && type.startsWith('application/json') ? JSON.parse(text) : undefined,
            cookie: set?.slice('refresh='.length).split(';', 1)[0],
          });
        });
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

export interface Chat {
  readonly socket: WebSocket;
  readonly received: ChatServerEvent[];
  /** The HTTP status of a refused upgrade, or 101. */
  readonly opened: Promise<number>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(message: unknown): void;
  until(test: (events: readonly ChatServerEvent[]) => boolean): Promise<readonly ChatServerEvent[]>;
}

function openChat(url: string, options: ClientOptions): Chat {
  const socket = new WebSocket(url, options);
  const received: ChatServerEvent[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    received.push(JSON.parse(String(data)) as ChatServerEvent);
    for (const look of waiting) look();
  });
  const opened = new Promise<number>((resolve, reject) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
      request.destroy();
    });
    socket.once('error', reject);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  // A test that waits for neither must not fail for the other.
  opened.catch(() => undefined);
  return {
    socket,
    received,
    opened,
    closed,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    until: (test) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!test(received)) return;
          waiting.delete(look);
          resolve(received);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Time goes on by itself, and can be pushed; the wall clock alone can also be set. */
function movableClock(): Clock & { advance(ms: number): void; set(ms: number): void } {
  let offset = 0;
  let wrong = 0;
  return {
    now: () => systemClock.now() + offset + wrong,
    monotonic: () => systemClock.monotonic() + offset,
    advance: (ms) => void (offset += ms),
    set: (ms) => void (wrong += ms),
  };
}

function recordingLog() {
  const lines: { level: string; message: string; facts: unknown }[] = [];
  const write = (level: string) => (message: string, facts?: unknown) =>
    void lines.push({ level, message, facts });
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return { log, lines };
}

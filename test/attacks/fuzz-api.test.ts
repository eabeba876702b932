/** Whatever is sent to any route of the running program: no fault of ours, no secret, and without a session no change. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Approval, Conversation, IdentityFileList } from '../../src/edge/admin/api.ts';
import { securityHeaders } from '../../src/edge/admin/security-headers.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import {
  allRoutes,
  requestsFor,
  send,
  type FuzzReply,
  type FuzzRequest,
  type Known,
} from '../support/fuzz-requests.ts';
import { fuzz, fuzzTime } from '../support/fuzz-values.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';
import { MODEL_KEY, useModel } from '../support/with-fake-model.ts';

const RUNS = 45;
const MOST_OF_AN_ERROR = 8 * 1024;
/** Statuses over 499 that are no fault of ours: another server's, said as such. */
const UPSTREAM = new Map([[502, /^(llm|upstream)_/]]);
const routes = allRoutes();
let model: FakeModel;
let program: RunningProgram;
let approval: Approval;
let token: string;
let port: number;
let logins = 0;
const outcomes = new Map<number, number>();

beforeAll(async () => {
  model = await startFakeModel({
    answers: [{ calls: [{ name: 'workspace_write', arguments: { path: 'notes.md', content: 'x' } }] }],
  });
  program = await startProgram({ config: 'server: {rate_limit: {rate: 10000, burst: 100000}}\n' });
  port = Number(new URL(program.address).port);
  token = program.token;
  await useModel(program, model);
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'go' });
  approval = await program.waitForApproval();
  chat.close();
}, 60_000);
afterAll(async () => {
  await program.kill();
  program.remove();
  await model.close();
});

/** A session that a route has ended is replaced, from an address of its own so that no limit is in the way. */
async function session(): Promise<string> {
  const asked = { method: 'GET', path: '/api/auth/me', body: undefined, headers: {} };
  const me = await send(port, asked, { authorization: `Bearer ${token}` });
  if (me.status === 200) return token;
  const body = JSON.stringify({ username: 'owner', password: PASSWORD });
  logins += 1;
  const reply = await send(
    port,
    { method: 'POST', path: '/api/auth/login', body, headers: { 'content-type': 'application/json' } },
    {},
    `127.0.${1 + (logins >> 7)}.${1 + (logins & 127)}`,
  );
  expect(reply.status, 'the owner logs in, whatever was tried before').toBe(200);
  token = (JSON.parse(reply.text) as { access_token: string }).access_token;
  return token;
}

async function known(): Promise<Known> {
  const headers = { authorization: `Bearer ${await session()}`, 'content-type': 'application/json' };
  const ask = async <T>(method: string, path: string, body?: string): Promise<T> =>
    JSON.parse((await send(port, { method, path, body, headers })).text) as T;
  const conversation = await ask<Conversation>('POST', '/api/sessions', '{}');
  const { files } = await ask<IdentityFileList>('GET', '/api/identity');
  const [policy, budgets] = [
    await ask<{ digest: string }>('GET', '/api/policy'),
    await ask<Record<string, unknown>>('GET', '/api/budgets'),
  ];
  return {
    // Without the providers on the internet: nothing of a test leaves the machine.
    ids: [conversation.id, conversation.id, approval.id, 'openai-compatible', 'ollama', 'demo'],
    hints: {
      provider: ['openai-compatible', 'demo', 'ollama'],
      base_url: [
        model.url,
        'http://127.0.0.1:1/v1',
        'file:///etc/passwd',
        'http://a:b@127.0.0.1/',
        'http://127.0.0.1:99999',
      ],
      path: [
        'MEMORY.md',
        'SOUL.md',
        'memory/2026-01-01.md',
        '../secure/config.yaml',
        '/etc/passwd',
        'memory/\0.md',
      ],
      digest: [
        policy.digest,
        approval.digest,
        ...files.map((file) => (file as { digest?: unknown }).digest ?? null),
      ],
      decisions: [
        [{ id: approval.id, digest: 'x', decision: 'approve' }],
        [
          { id: approval.id, digest: 'x', decision: 'deny', reason: '\u202e' },
          { id: 'scv_1', digest: 'x', decision: 'deny' },
        ],
      ],
      kind: ['all', 'script', 'tool'],
      tool: ['memory_write', 'workspace_write'],
      resource: ['workspace', 'memory'],
      limits: [budgets['limits']],
    },
  };
}

function soundAnswer(request: FuzzRequest, reply: FuzzReply): void {
  const what = `${request.method} ${request.path.slice(0, 200)}`;
  outcomes.set(reply.status, (outcomes.get(reply.status) ?? 0) + 1);
  for (const [name, value] of Object.entries(securityHeaders(false))) {
    expect(reply.headers[name], `${what}: ${name}`).toBe(value);
  }
  expect(reply.headers['cache-control'], what).toBe('no-store');
  expect(reply.headers['x-powered-by'], what).toBeUndefined();
  for (const secret of [MODEL_KEY, masterKey.toString('hex'), masterKey.toString('base64'), 'node_modules']) {
    expect(reply.text.includes(secret), `${what}: shows ${secret}`).toBe(false);
  }
  expect(reply.text, what).not.toMatch(/\bat (?:async )?[\w.<>]+ \(?(?:file:|node:|\/)/);
  if (reply.status < 400) return;
  expect(reply.text.length, `${what}: ${reply.text.slice(0, 300)}`).toBeLessThanOrEqual(MOST_OF_AN_ERROR);
  expect(reply.headers['content-type'], what).toBe('application/json');
  const error = JSON.parse(reply.text) as { error: unknown; message: unknown; fix?: unknown };
  expect(error.error, what).toMatch(/^[a-z][a-z0-9_]{0,63}$/);
  expect(typeof error.message, what).toBe('string');
  expect(String(error.message).length, what).toBeLessThanOrEqual(1000);
  expect(['undefined', 'string'], what).toContain(typeof error.fix);
  const theirs = UPSTREAM.get(reply.status)?.test(String(error.error)) === true;
  expect(reply.status < 500 || theirs, `${what}: ${reply.status} ${reply.text}`).toBe(true);
}

const masterKey = { toString: (encoding: BufferEncoding) => keyBytes().toString(encoding) };
const keyBytes = (): Buffer => readFileSync(join(program.workspace, 'secure', 'data', 'master_key'));

/** Everything that is stored, but the log; and the events of the log by their name. */
function stored(): { readonly digest: string; readonly events: Readonly<Record<string, number>> } {
  const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), {
    readOnly: true,
  });
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all() as {
      name: string;
    }[];
    const hash = createHash('sha256');
    for (const { name } of tables) {
      if (name.startsWith('audit')) continue;
      hash.update(name).update(JSON.stringify(database.prepare(`SELECT * FROM "${name}"`).all()));
    }
    const folder = join(program.workspace, 'ai-data');
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) hash.update(file.name).update(readFileSync(join(file.parentPath, file.name)));
    }
    const rows = database.prepare('SELECT event, count(*) AS n FROM audit GROUP BY event').all() as {
      event: string;
      n: number;
    }[];
    return { digest: hash.digest('hex'), events: Object.fromEntries(rows.map(({ event, n }) => [event, n])) };
  } finally {
    database.close();
  }
}

test('the route table is the one that is served, and there is something in it', () => {
  expect(routes.length).toBeGreaterThan(40);
});

test(
  'without a session no request to any route changes anything, and none meets a fault',
  async () => {
    const have = await known();
    const before = stored();
    const stranger = fc.constantFrom<Record<string, string>>(
      {},
      { authorization: 'Bearer x' },
      { authorization: `Bearer ${token.slice(0, -2)}AA` },
      { authorization: `Bearer eyJhbGciOiJub25lIn0.${token.split('.')[1] ?? ''}.` },
      { authorization: `Basic ${token}` },
      { cookie: `refresh=${token}` },
    );
    for (const row of routes) {
      await fuzz(
        fc.asyncProperty(requestsFor(row, have), stranger, async (request, headers) => {
          const reply = await send(port, request, headers);
          soundAnswer(request, reply);
          if (row.auth === 'access') expect([400, 401, 404, 413, 415]).toContain(reply.status);
        }),
        RUNS,
      );
    }
    const after = stored();
    expect(after.digest, 'the tables and files are what they were').toBe(before.digest);
    const grown = Object.keys(after.events).filter((event) => after.events[event] !== before.events[event]);
    expect(grown.filter((event) => !/^(login\.(failed|limited)|setup\.refused)$/.test(event))).toEqual([]);
  },
  fuzzTime(300_000),
);

test(
  'with a session no request to any route meets a fault, and the program lives',
  async () => {
    for (const row of routes) {
      const have = await known();
      const runs = row.auth === 'access' ? RUNS : 8;
      await fuzz(
        fc.asyncProperty(requestsFor(row, have), async (request) => {
          const mine = row.auth === 'access' ? token : await session();
          soundAnswer(request, await send(port, request, { authorization: `Bearer ${mine}` }));
        }),
        runs,
      );
    }
    const headers = { authorization: `Bearer ${await session()}` };
    const health = await send(port, { method: 'GET', path: '/health', body: undefined, headers });
    expect(health.status).toBe(200);
    expect(program.log()).not.toMatch(/unexpected error|error of its own/);
    // Most was looked at, not turned away for coming too fast.
    const all = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
    expect((outcomes.get(429) ?? 0) / all).toBeLessThan(0.1);
    expect((outcomes.get(200) ?? 0) / all).toBeGreaterThan(0.1);
  },
  fuzzTime(300_000),
);

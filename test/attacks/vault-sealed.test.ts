/** A vault under a passphrase while nobody has typed it: on every route, by guessing, without the rule of the routes. */
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { SecretList } from '../../src/edge/admin/api.ts';
import { allRoutes } from '../support/fuzz-requests.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { approveNow } from '../support/script-chat.ts';
import { asked, askedInTime } from '../support/asked.ts';
import { openAuditWriter } from '../support/audit-writer.ts';
import { lookInto, openpact, PASSPHRASE } from '../support/vault-tools.ts';
import { start } from '../support/with-fake-model.ts';

const VALUE = 'ghp_8fJ2kQxW/5tZp9&LmNv3RsYb7Hd';
const NEXT = 'ghp_Qq7ZnX2v+8LrTk4Wm1Cd0Pj6Sa';
const API_KEY = 'sk-live-Zq8vR2mX7pLw4TnBc91K';
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

/** A request whose body comes in two pieces, the second when `finish` is called. */
function halfSent(program: RunningProgram, method: string, path: string, body: string) {
  const request = httpRequest(`${program.address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${program.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  });
  const answer = new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      let text = '';
      response.on('data', (piece: Buffer) => (text += piece.toString()));
      response.once('end', () => resolve({ status: response.statusCode, text }));
    });
  });
  const begun = new Promise<void>((resolve) => request.write(body.slice(0, 10), () => resolve()));
  return {
    begun,
    finish() {
      request.end(body.slice(10));
      return answer;
    },
  };
}

/** A workspace with a secret, a script that uses it and a provider key, in which nothing runs any more. */
async function filled(): Promise<string> {
  const program = await startProgram({ config: 'server: {rate_limit: {rate: 5000, burst: 50000}}\n' });
  undo.push(() => program.remove());
  expect((await program.api('POST', '/api/secrets', { name: 'TOKEN', value: VALUE })).status).toBe(201);
  await program.api('PUT', '/api/llm/upstreams/openai', { api_key: API_KEY });
  await program.api('POST', '/api/scripts', {
    name: 'uses',
    source:
      '# @secrets: TOKEN\n# @hosts: api.example.com\nresult = "there" if secrets.get("TOKEN") else "not there"\n',
  });
  await approveNow(program, 'uses');
  await program.stop();
  return program.workspace;
}

describe('a sealed vault', () => {
  async function sealed(off: readonly string[] = [], given?: string): Promise<RunningProgram> {
    const workspace = given ?? (await filled());
    expect(openpact(['secrets', 'rekey', '--to', 'passphrase'], workspace, `${PASSPHRASE}\n`).code).toBe(0);
    expect(readFileSync(join(workspace, 'secure/data/master_key'), 'utf8')).toContain('argon2id');
    return start({ workspace, off });
  }

  test('serves nothing but who one is and the way to unlock it, on any route and socket; then everything is there', async () => {
    const program = await sealed();
    const open: string[] = [];
    for (const { method, path } of allRoutes()) {
      if (/logout|auth\/login|^\/api\/session$|sessions$/.test(path) && path.includes('auth')) continue;
      if (path === '/api/session' && method === 'DELETE') continue;
      const body = method === 'GET' ? undefined : {};
      const { status, text } = await askedInTime(program, method, path, body);
      if (status === 503 && text.includes('"error":"vault_sealed"')) continue;
      open.push(`${method} ${path}`);
      expect(text).not.toContain(VALUE);
    }
    expect(open.toSorted()).toEqual([
      'DELETE /api/auth/sessions/:id',
      'GET /api/auth/me',
      'GET /api/session',
      'GET /api/setup/status',
      'GET /api/vault',
      'GET /api/version',
      'GET /health',
      'GET /healthz',
      'GET /ready',
      'GET /readyz',
      'POST /api/auth/password',
      'POST /api/vault/unlock',
    ]);
    const ready = await program.api<object>('GET', '/ready');
    expect([ready.status, ready.body]).toEqual([
      503,
      expect.objectContaining({ ready: false, sealed: true }),
    ]);
    const socket = new WebSocket(`${program.address.replace('http', 'ws')}/api/sessions/x/chat?ticket=x`);
    expect(
      await new Promise((answer) => socket.on('unexpected-response', (_, got) => answer(got.statusCode))),
    ).toBe(503);

    // Guessing ends after ten; the operator at the command line is not shut out by it.
    const unlock = (passphrase: string) => asked(program, 'POST', '/api/vault/unlock', { passphrase });
    const guesses = [];
    for (let at = 0; at < 12; at += 1) guesses.push((await unlock(`a guess ${at}`)).status);
    expect(guesses).toEqual([...Array<number>(10).fill(403), 429, 429]);
    expect((await unlock(PASSPHRASE)).status).toBe(429);
    expect(openpact(['vault', 'unlock'], program.workspace, 'wrong, wrong, wrong\n').code).toBe(1);
    expect(openpact(['vault', 'unlock'], program.workspace, `${PASSPHRASE}\n`).code).toBe(0);
    // The commands stopped this process; what was closed meanwhile is noticed now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    // An open vault looks at no passphrase.
    expect((await program.api('POST', '/api/vault/unlock', { passphrase: 'any at all' })).status).toBe(200);
    const { secrets } = (await program.api<SecretList>('GET', '/api/secrets')).body;
    expect(secrets.map(({ name }) => name)).toEqual(['TOKEN']);
    const { events } = await program.say(`Is ${VALUE} good?`);
    expect(JSON.stringify(events)).toContain('[REDACTED:TOKEN]');
    await program.stop();
    const { value, providerKey, audit } = lookInto(program.workspace);
    expect([value('TOKEN'), providerKey]).toEqual([VALUE, API_KEY]);
    expect(audit).toMatchObject({ ok: true, signed: true });
  }, 180_000);

  test('one that is locked again ends what runs, serves as little as before, and takes no word from an open chat', async () => {
    const program = await sealed();
    expect((await program.api('POST', '/api/vault/unlock', { passphrase: PASSPHRASE })).status).toBe(200);
    const id = await program.newConversation();
    const chat = await program.chat(id);
    const source = 'def main():\n    for i in range(20):\n        time.sleep(1)\n    return "slept"\n';
    const { hash } = (await program.api<{ hash: string }>('POST', '/api/scripts', { name: 'job', source }))
      .body;
    await program.api('POST', '/api/scripts/job/approve', { hash });
    const run = program.api<{ error: { code: string } }>('POST', '/api/scripts/job/test', { hash });
    while ((await program.api<{ runs: unknown[] }>('GET', '/api/scripts/job/runs')).body.runs.length === 0);
    const slow = halfSent(program, 'POST', '/api/scripts', JSON.stringify({ name: 'late', source }));
    await slow.begun;
    const runs = [{}, {}, {}, { http: {} }].map((how) =>
      program.api<object>('POST', '/api/scripts/job/test', { hash, ...how }),
    );
    const locked = await program.api('POST', '/api/vault/lock', {});
    expect(locked.body).toEqual({ sealed: true, protection: 'passphrase' });
    const at = performance.now();
    expect((await run).body.error).toMatchObject({ code: 'killed' });
    // Those that were asked for at the same moment, too, and one with canned answers.
    for (const one of runs) expect((await one).body).not.toMatchObject({ success: true });
    expect(performance.now() - at).toBeLessThan(5_000);
    expect(await slow.finish()).toMatchObject({ status: 503, text: expect.stringContaining('vault_sealed') });
    chat.send({ type: 'message', content: 'Are you there?' });
    await chat.closed;
    expect(chat.events.some(({ type }) => type === 'user' || type === 'started')).toBe(false);
    expect((await asked(program, 'GET', '/api/secrets', undefined)).status).toBe(503);
    expect((await program.api('GET', '/ready')).status).toBe(503);
    expect((await program.api('POST', '/api/vault/unlock', { passphrase: PASSPHRASE })).status).toBe(200);
    expect((await program.api<SecretList>('GET', '/api/secrets')).body.secrets).toHaveLength(1);
    expect((await program.api('GET', '/api/scripts/late')).status).toBe(404);
    await program.stop();
    expect(lookInto(program.workspace).audit).toMatchObject({ ok: true, signed: true });
  }, 120_000);

  test('one that is locked ends a test call to a provider and an export under way; neither goes on after the unlock', async () => {
    const workspace = await filled();
    const writer = openAuditWriter(workspace);
    // More than the connection holds while nobody reads.
    writer.append(300, (index) => ({
      event: 'test.filled',
      principal: { kind: 'system' },
      origin: 'system',
      target: String(index),
      outcome: 'ok',
      details: { text: 'x'.repeat(100_000) },
    }));
    writer.close();
    const program = await sealed([], workspace);
    const unlock = () => program.api('POST', '/api/vault/unlock', { passphrase: PASSPHRASE });
    expect((await unlock()).status).toBe(200);
    const called = Promise.withResolvers<IncomingMessage>();
    const provider = createServer((request) => called.resolve(request));
    undo.push(() => {
      provider.closeAllConnections();
      provider.close();
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    const base_url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    await program.api('PUT', '/api/llm/upstreams/openai-compatible', { base_url });
    const call = program.api('POST', '/api/llm/upstreams/openai-compatible/test', { model: 'any' });
    const ended = new Promise((resolve) => void called.promise.then((one) => one.once('close', resolve)));
    await called.promise;
    const file = await new Promise<IncomingMessage>((resolve, reject) => {
      const url = `${program.address}/api/audit/export?format=jsonl`;
      const headers = { authorization: `Bearer ${program.token}` };
      httpRequest(url, { headers, agent: false }, resolve).once('error', reject).end();
    });
    file.on('error', () => undefined);
    const broken = new Promise((resolve) => file.socket.once('close', resolve));
    const at = performance.now();
    expect((await program.api('POST', '/api/vault/lock', {})).status).toBe(200);
    expect((await unlock()).status).toBe(200);
    expect((await call).body).toMatchObject({
      ok: false,
      message: expect.stringContaining('vault was locked'),
    });
    await ended;
    let bytes = 0;
    file.on('data', (piece: Buffer) => (bytes += piece.length));
    await broken;
    // By themselves the call would go on for a minute, and the file to its end.
    expect(performance.now() - at).toBeLessThan(30_000);
    expect([file.complete, bytes < 25_000_000]).toEqual([false, true]);
    await program.stop();
    expect(lookInto(program.workspace).audit).toMatchObject({ ok: true, signed: true });
  }, 240_000);

  test('does not tell how close a guess was, nor whether it is the length or the text', async () => {
    const program = await sealed();
    const times = { short: [] as number[], close: [] as number[] };
    for (let at = 0; at < 3; at += 1) {
      for (const [kind, passphrase] of [
        ['short', 'x'],
        ['close', `${PASSPHRASE.slice(0, -1)}8`],
      ] as const) {
        const began = performance.now();
        const { status } = await program.api('POST', '/api/vault/unlock', { passphrase });
        times[kind].push(performance.now() - began);
        expect(status).toBe(403);
      }
    }
    const [short, close] = [Math.min(...times.short), Math.min(...times.close)];
    expect(Math.max(short, close) / Math.min(short, close)).toBeLessThan(2);
  }, 90_000);

  test('an entry that was changed while it was sealed is found when it is opened', async () => {
    const workspace = await filled();
    openpact(['secrets', 'rekey', '--to', 'passphrase'], workspace, `${PASSPHRASE}\n`);
    const program = await startProgram({ workspace });
    await program.stop();
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(workspace, 'secure/data/openpact.db'));
    database.exec("UPDATE audit SET target = 'another' WHERE seq = (SELECT max(seq) - 1 FROM audit)");
    database.close();
    expect(lookInto(workspace).audit).toMatchObject({ ok: false });
  }, 120_000);

  test('with the rule of the routes left out too nothing is served, stored or used: there is no key in the process', async () => {
    const program = await sealed(['sealed-rule']);
    for (const { method, path } of allRoutes()) {
      if (method !== 'GET') continue;
      const { text } = await askedInTime(program, method, path, undefined);
      for (const value of [VALUE, API_KEY]) expect(text, path).not.toContain(value);
    }
    for (const [method, path, body] of [
      ['POST', '/api/secrets', { name: 'ANOTHER', value: NEXT }],
      ['PUT', '/api/secrets/TOKEN', { value: NEXT }],
      ['PUT', '/api/llm/upstreams/openai', { api_key: NEXT }],
    ] as const) {
      const { status, body: answer } = await program.api<{ error: string }>(method, path, body);
      expect([path, status, answer.error]).toEqual([path, 503, 'vault_sealed']);
    }
    const { hash } = (await program.api<{ hash: string }>('GET', '/api/scripts/uses')).body;
    const run = await program.api<object>('POST', '/api/scripts/uses/test', { hash });
    expect(run.body).not.toMatchObject({ result: 'there' });
    await program.stop();
    const database = ['openpact.db', 'openpact.db-wal'].map((name) => {
      try {
        return readFileSync(join(program.workspace, 'secure/data', name), 'latin1');
      } catch {
        return '';
      }
    });
    for (const value of [VALUE, NEXT, API_KEY])
      expect(database.some((text) => text.includes(value))).toBe(false);
    const whole = lookInto(program.workspace);
    expect([whole.value('TOKEN'), whole.value('ANOTHER'), whole.providerKey]).toEqual([
      VALUE,
      undefined,
      API_KEY,
    ]);
    expect(whole.audit).toMatchObject({ ok: true, signed: true });
  }, 120_000);
});

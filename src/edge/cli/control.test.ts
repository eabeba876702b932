import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError, silentLog, type Log } from '../../core/index.ts';
import { connectControl } from './control-client.ts';
import { createControlServer, type ControlServer } from './control-server.ts';
import type { ControlHandlers } from './ports.ts';

let folder: string;
const servers: ControlServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-control-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function handlers(changes: Partial<ControlHandlers> = {}): ControlHandlers {
  return {
    version: async () => ({ version: '1', pid: 1 }),
    configShow: async () => ({ settings: [] }),
    auditVerify: async () => ({ ok: true, rows: 0, head: '', signed: true }),
    auditList: async () => ({ entries: [] }),
    vaultStatus: async () => ({ sealed: false, protection: 'key_file' }),
    vaultUnlock: async () => ({ sealed: false }),
    vaultLock: async () => ({ sealed: true }),
    resetPassword: async () => ({ username: 'u', ended_logins: 0 }),
    ...changes,
  };
}

async function serve(changes: Partial<ControlHandlers> = {}, log: Log = silentLog, at = folder) {
  const server = createControlServer({ folder: at, handlers: handlers(changes), log });
  await server.listen();
  servers.push(server);
  return server;
}

/** Speaks raw; resolves to the answer, or to nothing where the server hangs up. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(join(folder, 'control.sock'), () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

function token(): string {
  return readFileSync(join(folder, 'control.token'), 'utf8');
}

function request(changes: object): string {
  return `${JSON.stringify({ token: token(), operation: 'version', args: {}, ...changes })}\n`;
}

test('the socket and the token are for the owner alone, and both go when the server closes', async () => {
  const server = await serve();
  for (const name of ['control.sock', 'control.token']) {
    expect((statSync(join(folder, name)).mode & 0o777).toString(8)).toBe('600');
  }
  await server.close();
  expect(existsSync(join(folder, 'control.sock'))).toBe(false);
  expect(existsSync(join(folder, 'control.token'))).toBe(false);
  expect(await connectControl(folder)).toBeUndefined();
});

test('who has not read the token is refused, whatever is asked', async () => {
  let asked = 0;
  await serve({ version: async () => ({ version: '1', pid: (asked += 1) }) });
  for (const wrong of ['', 'x', `${token()}x`]) {
    expect(JSON.parse(await raw(request({ token: wrong })))).toMatchObject({
      ok: false,
      error: { code: 'forbidden' },
    });
  }
  expect(asked).toBe(0);
  expect(JSON.parse(await raw(request({})))).toEqual({ ok: true, result: { version: '1', pid: 1 } });
});

test('what is no request is refused, and the next one is answered', async () => {
  await serve();
  const bad = [
    'no json\n',
    'null\n',
    request({ operation: 'constructor' }),
    request({ operation: 'auditList', args: { limit: 0 } }),
    request({ args: { more: 1 } }),
    request({ extra: true }),
    `${'x'.repeat(70_000)}\n`,
    'x'.repeat(200_000),
  ];
  for (const text of bad) {
    expect(JSON.parse(await raw(text))).toMatchObject({ ok: false, error: { code: 'bad_request' } });
  }
  expect(await (await connectControl(folder))?.version()).toEqual({ version: '1', pid: 1 });
});

test('a request in pieces is understood', async () => {
  await serve();
  const socket = createConnection(join(folder, 'control.sock'));
  const text = request({});
  socket.write(text.slice(0, 10));
  await new Promise((resolve) => setTimeout(resolve, 30));
  socket.write(text.slice(10));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(JSON.parse(String(chunk))).toMatchObject({ ok: true });
  socket.destroy();
});

test('a refusal comes back as the same AppError, an error of our own as a reference to the log', async () => {
  const logged: unknown[] = [];
  await serve(
    {
      auditVerify() {
        throw new AppError({
          family: 'limit',
          code: 'slow',
          message: 'Too often.',
          fix: 'Wait.',
          details: { a: 1 },
        });
      },
      configShow: () => Promise.reject(new TypeError('a secret detail')),
    },
    { ...silentLog, error: (_message, facts) => logged.push(facts) },
  );
  const client = await connectControl(folder);
  await expect(client?.auditVerify()).rejects.toMatchObject({
    name: 'AppError',
    family: 'limit',
    code: 'slow',
    fix: 'Wait.',
    details: { a: 1 },
  });
  const problem = (await client?.configShow().catch((error: unknown) => error)) as AppError;
  expect(problem.code).toBe('internal');
  expect(problem.message).not.toContain('secret');
  expect(problem.message).toContain((logged[0] as { reference: string }).reference);
});

test('a path that is too long for a socket works all the same', async () => {
  const deep = join(folder, ...Array.from({ length: 8 }, () => 'a-folder-with-a-long-name'));
  expect(deep.length).toBeGreaterThan(107);
  mkdirSync(deep, { recursive: true });
  const server = await serve({}, silentLog, deep);
  expect(existsSync(join(deep, 'control.sock'))).toBe(true);
  expect((statSync(join(deep, 'control.sock')).mode & 0o777).toString(8)).toBe('600');
  expect(await (await connectControl(deep))?.version()).toEqual({ version: '1', pid: 1 });
  await server.close();
  expect(existsSync(join(deep, 'control.sock'))).toBe(false);
});

test('a socket that a killed instance left behind is no running instance, and is replaced', async () => {
  const program = `
    import { createServer } from 'node:net';
    createServer().listen(process.argv[1], () => console.log('listening'));
  `;
  const left = spawn(process.execPath, ['--input-type=module', '-e', program, join(folder, 'control.sock')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(left.stdout, 'data');
  left.kill('SIGKILL');
  await once(left, 'exit');
  writeFileSync(join(folder, 'control.token'), 'old', { mode: 0o600 });
  expect(existsSync(join(folder, 'control.sock'))).toBe(true);
  expect(await connectControl(folder)).toBeUndefined();
  await serve();
  expect(await (await connectControl(folder))?.version()).toEqual({ version: '1', pid: 1 });
});

test('a second server does not take the socket of one that answers', async () => {
  await serve();
  const second = createControlServer({ folder, handlers: handlers(), log: silentLog });
  await expect(second.listen()).rejects.toMatchObject({ code: 'already_running' });
  await second.close();
  expect(await (await connectControl(folder))?.version()).toEqual({ version: '1', pid: 1 });
});

test('closing cuts a request that is still open', async () => {
  let asked = () => {};
  const waiting = new Promise<void>((resolve) => (asked = resolve));
  const server = await serve({
    auditVerify() {
      asked();
      return new Promise(() => undefined);
    },
  });
  const client = await connectControl(folder);
  const answer = client?.auditVerify().catch((error: unknown) => error);
  await waiting;
  await server.close();
  expect(await answer).toMatchObject({ code: 'instance_silent' });
});

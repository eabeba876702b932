/** The sample for nginx, in front of the running program: as in container/nginx.conf, but for ports, paths and names. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';

const NAME = 'pact.example.org';
const CONTAINER = resolve(import.meta.dirname, '..', '..', 'container');
const lacking = ['nginx', 'openssl'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (lacking.length > 0)
  console.warn(`The sample for nginx is not tested here: not installed: ${lacking.join(', ')}.`);

describe.skipIf(lacking.length > 0)('behind nginx', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-nginx-'));
  let program: RunningProgram;
  let nginx: ChildProcess;
  let port = 0;

  beforeAll(async () => {
    port = await freePort();
    program = await startProgram({
      config: `admin: {allowed_origins: ['https://${NAME}:${port}'], trusted_proxies: ['127.0.0.1']}\n`,
    });
    const certificate = [
      '-keyout',
      'privkey.pem',
      '-out',
      'fullchain.pem',
      '-subj',
      `/CN=${NAME}`,
      '-days',
      '2',
    ];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...certificate], {
      cwd: folder,
      stdio: 'ignore',
    });
    nginx = startNginx(folder, port, new URL(program.address).port);
    for (let tries = 0; (await ask('GET', '/').catch(() => undefined)) === undefined; tries += 1) {
      if (tries > 100)
        throw new Error(`nginx did not start: ${readFileSync(join(folder, 'error.log'), 'utf8')}`);
      await new Promise((wait) => setTimeout(wait, 50));
    }
  }, 60_000);

  afterAll(async () => {
    nginx.kill('SIGTERM');
    await new Promise((done) => nginx.once('exit', done));
    await program.stop();
    program.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Reply {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly text: string;
  }

  function ask(
    method: string,
    path: string,
    how: { body?: unknown; from?: string; headers?: Record<string, string> } = {},
  ): Promise<Reply> {
    return new Promise((done, reject) => {
      const headers = {
        host: `${NAME}:${port}`,
        ...(how.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...how.headers,
      };
      const options = { host: '127.0.0.1', port, method, path, headers, rejectUnauthorized: false };
      const outgoing = request(
        { ...options, ...(how.from === undefined ? {} : { localAddress: how.from }) },
        (answer) => {
          let text = '';
          answer.on('data', (part: Buffer) => (text += part.toString()));
          answer.on('end', () => done({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(how.body === undefined ? undefined : JSON.stringify(how.body));
    });
  }

  const login = (
    password: string,
    how: { from?: string; headers?: Record<string, string> } = {},
  ): Promise<Reply> => ask('POST', '/api/auth/login', { ...how, body: { username: 'owner', password } });

  test('a person logs in, over TLS, and gets a cookie that only TLS carries', async () => {
    const reply = await login(PASSWORD);
    expect(reply.status).toBe(200);
    expect(String(reply.headers['set-cookie'])).toMatch(/Secure/);
    expect(reply.headers['strict-transport-security']).toBeDefined();
  });

  test('a chat goes through it', async () => {
    const id = await program.newConversation();
    const { body } = await program.api<{ ticket: string }>('POST', '/api/auth/ws-ticket', {});
    const socket = new WebSocket(`wss://127.0.0.1:${port}/api/sessions/${id}/chat?ticket=${body.ticket}`, {
      rejectUnauthorized: false,
      headers: { host: `${NAME}:${port}`, origin: `https://${NAME}:${port}` },
    });
    const first = await new Promise<string>((done, reject) => {
      socket.once('message', (data: Buffer) => done(data.toString()));
      socket.once('error', reject);
    });
    expect(JSON.parse(first)).toMatchObject({ type: 'connected' });
    socket.close();
  });

  test('the log has the address of the client, not what it claims and not the proxy', async () => {
    await login('wrong password, from afar', {
      from: '127.0.0.7',
      headers: { 'x-forwarded-for': '8.8.8.8' },
    });
    const { body } = await program.api('GET', '/api/audit?limit=50');
    expect(JSON.stringify(body)).toContain('127.0.0.7');
    expect(JSON.stringify(body)).not.toContain('8.8.8.8');
  });

  test('addresses that are not on the list are refused', async () => {
    expect((await ask('GET', '/', { from: '127.0.0.66' })).status).toBe(403);
  });

  test('health and metrics are not shown', async () => {
    for (const path of ['/health', '/healthz', '/ready', '/readyz', '/metrics']) {
      expect([path, (await ask('GET', path)).status]).toEqual([path, 404]);
    }
  });

  test('a flood is stopped by the proxy', async () => {
    const replies = await Promise.all(Array.from({ length: 120 }, () => ask('GET', '/favicon.svg')));
    expect(
      replies.filter((reply) => reply.status === 429 && /nginx/.test(reply.text)).length,
    ).toBeGreaterThan(0);
    const logins = await Promise.all(Array.from({ length: 12 }, () => login('wrong', { from: '127.0.0.8' })));
    expect(logins.filter((reply) => reply.status === 429 && /nginx/.test(reply.text)).length).toBeGreaterThan(
      0,
    );
  });
});

/** The sample with the ports, paths and addresses of this test. */
function startNginx(folder: string, port: number, upstream: string): ChildProcess {
  const proxy = readFileSync(join(CONTAINER, 'nginx-proxy.conf'), 'utf8').replaceAll(
    '127.0.0.1:8888',
    `127.0.0.1:${upstream}`,
  );
  // The port stands in the Host here, which it doesn't on 443.
  writeFileSync(join(folder, 'openpact_proxy.conf'), proxy.replace('Host $host;', 'Host $http_host;'));
  const site = readFileSync(join(CONTAINER, 'nginx.conf'), 'utf8')
    .replaceAll('/etc/nginx/openpact_proxy.conf', join(folder, 'openpact_proxy.conf'))
    .replaceAll('/etc/ssl/openpact/', `${folder}/`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('allow 127.0.0.1;', 'deny 127.0.0.66;\n    allow 127.0.0.0/8;');
  mkdirSync(join(folder, 'tmp'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/tmp/${name};`)
    .join('\n');
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${user}daemon off;\npid ${folder}/nginx.pid;\nerror_log ${folder}/error.log;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${site}\n}\n`,
  );
  return spawn('nginx', ['-c', file, '-e', join(folder, 'error.log')], { stdio: 'ignore' });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

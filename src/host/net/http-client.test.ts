import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpRequest } from './index.ts';

const open: (Server | TcpServer)[] = [];
const client = createHttpClient();

afterEach(async () => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function get(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return {
    url,
    reach: 'own',
    method: 'GET',
    timeouts: { connectMs: 2_000, headersMs: 5_000, idleMs: 5_000, totalMs: 10_000 },
    maxBytes: 1_000_000,
    redirects: 'refuse',
    ...more,
  };
}

const SHORT = { connectMs: 2_000, headersMs: 5_000, idleMs: 5_000, totalMs: 10_000 };

async function textOf(request: HttpRequest): Promise<string> {
  const answer = await client.send(request);
  const parts: Uint8Array[] = [];
  for await (const part of answer.body) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

describe('the HTTP client', () => {
  it('sends method, headers and body and gives status, headers and bytes', async () => {
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        response.writeHead(201, { 'x-seen': String(request.headers['x-mine']), 'set-cookie': 'a=b' });
        response.end(`${request.method} ${body}`);
      });
    });
    const answer = await client.send(
      get(`${url}/p`, { method: 'POST', headers: { 'x-mine': '1' }, body: 'héllo' }),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers['x-seen']).toBe('1');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    const parts: Uint8Array[] = [];
    for await (const part of answer.body) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe('POST héllo');
  });

  it('keeps connections for requests that follow each other', async () => {
    const ports = new Set<number>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort ?? 0);
      response.end('ok');
    });
    for (let i = 0; i < 10; i += 1) await textOf(get(url));
    // The library may open a second one while the first is being handed back.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it('refuses addresses that are not http or https or that hold a user name', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://x/', 'nonsense', 'http://a:b@127.0.0.1/', 'data:,x']) {
      expect(await failureOf(client.send(get(url)))).toBe('bad_url');
    }
  });

  it('reaches this machine only for what the owner configured, by address and by name', async () => {
    const url = await serve((_, response) => response.end('inner'));
    expect(await textOf(get(url))).toBe('inner');
    expect(await failureOf(client.send(get(url, { reach: 'public' })))).toBe('address_refused');
    const { port } = new URL(url);
    for (const answer of [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::ffff:127.0.0.1']]) {
      const named = createHttpClient({ resolve: async () => answer });
      const request = get(`http://a.example.com:${port}/`, { reach: 'public' });
      expect(await failureOf(named.send(request))).toBe('address_refused');
      await named.close();
    }
    const own = createHttpClient({ resolve: async () => ['127.0.0.1'] });
    const answer = await own.send(get(`http://model.lan:${port}/`));
    expect(answer.status).toBe(200);
    answer.close();
    await own.close();
  });

  it('does not serve a request for public addresses over a kept connection to an inner one', async () => {
    let connections = 0;
    const url = await serve((_, response) => response.end('inner'));
    open.at(-1)?.on('connection', () => (connections += 1));
    expect(await textOf(get(url))).toBe('inner');
    expect(await failureOf(client.send(get(url, { reach: 'public' })))).toBe('address_refused');
    expect(connections).toBe(1);
  });

  it('never reaches what clouds tell their machines, not even for the owner', async () => {
    for (const address of [
      '169.254.169.254',
      'fd00:ec2::254',
      '100.100.100.200',
      '168.63.129.16',
      '0.0.0.0',
    ]) {
      const named = createHttpClient({ resolve: async () => [address] });
      expect(await failureOf(named.send(get('http://model.lan/')))).toBe('address_refused');
      await named.close();
    }
  });

  it('refuses header values that would start another header', async () => {
    const bad = [{ 'x-a': 'b\r\nx-c: d' }, { 'x-a\n': 'b' }, { 'x-a': 'ü' }];
    for (const headers of bad) {
      expect(await failureOf(client.send(get('http://127.0.0.1:1/', { headers })))).toBe('bad_header');
    }
  });

  it('says connect_failed when nobody listens', async () => {
    const url = await serve(() => undefined);
    const server = open.pop();
    await new Promise((resolve) => server?.close(resolve));
    expect(await failureOf(client.send(get(url)))).toBe('connect_failed');
  });

  it('says tls_failed when the other side speaks no TLS', async () => {
    const url = await serve((_, response) => response.end('plain'));
    expect(await failureOf(client.send(get(url.replace('http:', 'https:'))))).toBe('tls_failed');
  });

  it('says timeout_connect when the handshake never ends', async () => {
    const server = createTcpServer(() => undefined);
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sockets: { destroy(): void }[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const timeouts = { ...SHORT, connectMs: 100 };
    expect(await failureOf(client.send(get(`https://127.0.0.1:${port}/`, { timeouts })))).toBe(
      'timeout_connect',
    );
    for (const socket of sockets) socket.destroy();
  });

  it('says timeout_headers when no answer starts', async () => {
    const url = await serve(() => undefined);
    expect(await failureOf(client.send(get(url, { timeouts: { ...SHORT, headersMs: 100 } })))).toBe(
      'timeout_headers',
    );
  });

  it('says timeout_idle when the answer falls silent, also for a body of known length', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('begin');
    });
    expect(await failureOf(textOf(get(url, { timeouts: { ...SHORT, idleMs: 100 } })))).toBe('timeout_idle');
  });

  it('says timeout_total for an answer that drips for ever', async () => {
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(timer));
    });
    expect(await failureOf(textOf(get(url, { timeouts: { ...SHORT, totalMs: 200 } })))).toBe('timeout_total');
  });

  it('ends at the total limit although nobody reads the body', async () => {
    let closed = false;
    const url = await serve((_, response) => {
      response.write('x');
      response.on('close', () => (closed = true));
    });
    await client.send(get(url, { timeouts: { ...SHORT, totalMs: 1_000 } }));
    await expect.poll(() => closed, { timeout: 20_000 }).toBe(true);
  });

  it('stops at the byte cap, declared or not', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/declared') response.writeHead(200, { 'content-length': '5000' });
      for (let i = 0; i < 50; i += 1) response.write('x'.repeat(100));
      response.end();
    });
    expect(await failureOf(client.send(get(`${url}/declared`, { maxBytes: 1_000 })))).toBe('too_large');
    expect(await failureOf(textOf(get(`${url}/chunked`, { maxBytes: 1_000 })))).toBe('too_large');
    expect(await textOf(get(`${url}/chunked`, { maxBytes: 5_000 }))).toHaveLength(5_000);
  });

  it('asks for no compression and refuses a compressed answer', async () => {
    let asked: unknown;
    const url = await serve((request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('bomb');
    });
    expect(await failureOf(client.send(get(url)))).toBe('encoded');
    expect(asked).toBe('identity');
  });

  it('does not follow redirects', async () => {
    let followed = false;
    const url = await serve((request, response) => {
      if (request.url === '/b') followed = true;
      response.writeHead(307, { location: '/b' });
      response.end();
    });
    expect(await failureOf(client.send(get(`${url}/a`)))).toBe('redirected');
    expect(followed).toBe(false);
  });

  it('says cut when the connection breaks, before and after the headers', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/early') {
        request.socket.destroy();
        return;
      }
      response.write('some', () => request.socket.destroy());
    });
    expect(await failureOf(textOf(get(`${url}/early`)))).toBe('cut');
    expect(await failureOf(textOf(get(`${url}/late`)))).toBe('cut');
  });

  it('ends at once when the caller aborts, and closes the connection', async () => {
    let closed = 0;
    const url = await serve((request, response) => {
      response.on('close', () => (closed += 1));
      if (request.url === '/body') response.write('x');
    });
    const before = new AbortController();
    const headers = failureOf(client.send(get(`${url}/headers`, { signal: before.signal })));
    const during = new AbortController();
    const body = failureOf(textOf(get(`${url}/body`, { signal: during.signal })));
    setTimeout(() => {
      before.abort();
      during.abort();
    }, 50);
    expect(await headers).toBe('aborted');
    expect(await body).toBe('aborted');
    await expect.poll(() => closed).toBe(2);
    expect(await failureOf(client.send(get(url, { signal: AbortSignal.abort() })))).toBe('aborted');
  });

  it('closes the connection when the reader leaves early', async () => {
    let closed = false;
    const url = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => {
        clearInterval(timer);
        closed = true;
      });
    });
    const answer = await client.send(get(url));
    for await (const _ of answer.body) break;
    await expect.poll(() => closed).toBe(true);
  });

  it('ignores proxies of the environment', async () => {
    const url = await serve((_, response) => response.end('direct'));
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = 'http://127.0.0.1:9';
    try {
      const fresh = createHttpClient();
      const answer = await fresh.send(get(url));
      expect(answer.status).toBe(200);
      answer.close();
      await fresh.close();
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['http_proxy'];
    }
  });
});

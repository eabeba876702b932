import type { Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createScriptSend } from '../../../src/host/net/egress/index.ts';
import { codeOf, get, rig, serve, serveRaw, textOf, type Served } from './egress-rig.ts';

const url = ({ port }: Served, path = '/'): string => `http://a.example.com:${port}${path}`;
const HEAD = 'HTTP/1.1 200 OK\r\n';

/** Sends again and again until the other side has gone. */
function flood(socket: Socket, text: string, everyMs = 0): void {
  const more = (): void => {
    if (socket.destroyed) return;
    socket.write(text, () => (everyMs === 0 ? setImmediate(more) : setTimeout(more, everyMs)));
  };
  more();
}

async function rawCode(
  speak: (socket: Socket) => void,
  more: Parameters<typeof get>[1] = {},
): Promise<unknown> {
  const served = await serveRaw(speak);
  const code = await codeOf(
    textOf(rig({}, { limits: { headersMs: 1_000, idleMs: 1_000 } }), get(url(served), more)),
  );
  // Whatever happened, the connection is gone.
  await expect.poll(served.open).toBe(0);
  return code;
}

describe('an answer that is too much', () => {
  it('is cut at the cap, declared or not', async () => {
    expect(await rawCode((socket) => socket.write(`${HEAD}content-length: 99999999\r\n\r\n`))).toBe(
      'too_large',
    );
    expect(
      await rawCode((socket) => flood(socket.write(`${HEAD}\r\n`) ? socket : socket, 'x'.repeat(10_000))),
    ).toBe('too_large');
    expect(
      await rawCode((socket) => {
        socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
        flood(socket, `2710\r\n${'x'.repeat(10_000)}\r\n`);
      }),
    ).toBe('too_large');
  });

  it('with headers without end, before, in and behind the body', async () => {
    expect(
      await rawCode((socket) => {
        socket.write(HEAD);
        flood(socket, `x-${'a'.repeat(100)}: ${'b'.repeat(1_000)}\r\n`);
      }),
    ).toBe('headers_too_large');
    expect(
      await rawCode((socket) => flood(socket.write(`${HEAD}x: `) ? socket : socket, 'b'.repeat(1_000))),
    ).toBe('headers_too_large');
    // Hints before the answer: each is small, and they never end.
    expect(
      await rawCode((socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 5)),
    ).toBe('timeout_headers');
    const trailers = await rawCode((socket) => {
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`);
      flood(socket, `x-a: ${'b'.repeat(1_000)}\r\n`);
    });
    expect(['headers_too_large', 'timeout_idle']).toContain(trailers);
  });

  it('that drips is ended by the total time, that falls silent by the silence', async () => {
    const started = performance.now();
    expect(
      await rawCode(
        (socket) => {
          socket.write(`${HEAD}\r\n`);
          flood(socket, 'x', 20);
        },
        { timeoutMs: 500 },
      ),
    ).toBe('timeout_total');
    expect(await rawCode((socket) => socket.write(`${HEAD}content-length: 10\r\n\r\nx`))).toBe(
      'timeout_idle',
    );
    expect(await rawCode(() => undefined)).toBe('timeout_headers');
    expect(await rawCode((socket) => flood(socket, 'H', 50))).toBe('bad_response');
    expect(
      await rawCode((socket) => {
        socket.write(HEAD);
        flood(socket, 'x', 20);
      }),
    ).toBe('timeout_headers');
    // Chunk extensions that never end are no body.
    expect(
      await rawCode((socket) => {
        socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n1;`);
        flood(socket, 'a=b;', 20);
      }),
    ).toMatch(/^(?:timeout_idle|bad_response)$/);
    expect(performance.now() - started).toBeLessThan(8_000);
  });
});

describe('a compressed answer', () => {
  const packers = {
    gzip: gzipSync,
    'x-gzip': gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    zstd: zstdCompressSync,
  };

  it('is undone, and its headers speak of what is given', async () => {
    for (const [coding, pack] of Object.entries({ ...packers, Deflate: deflateRawSync })) {
      const served = await serve((request, response) => {
        response.setHeader('x-asked', String(request.headers['accept-encoding']));
        response.setHeader('content-encoding', coding);
        response.end(pack('héllo '.repeat(1_000)));
      });
      const one = rig();
      expect(await textOf(one, get(url(served)))).toBe('héllo '.repeat(1_000));
      const answer = await one.guard.send(get(url(served)));
      expect(answer.headers.map(([name]) => name)).not.toContain('content-encoding');
      expect(answer.headers.map(([name]) => name)).not.toContain('content-length');
      expect(answer.headers).toContainEqual(['x-asked', 'identity']);
      answer.close();
    }
  });

  it('that is a bomb is stopped at the cap or by its ratio', async () => {
    const zeros = Buffer.alloc(64 * 1024 * 1024);
    for (const [coding, pack] of Object.entries(packers)) {
      const bomb = pack(zeros);
      const served = await serve((_, response) => {
        response.setHeader('content-encoding', coding);
        response.end(bomb);
      });
      let given = 0;
      const count = async (maxBytes: number): Promise<void> => {
        const answer = await rig().guard.send(get(url(served), { maxBytes }));
        for await (const part of answer.body) given += part.byteLength;
      };
      expect(await codeOf(count(1_000_000))).toBe('too_large');
      expect(given).toBeLessThanOrEqual(1_000_000);
      given = 0;
      expect(await codeOf(count(1_000_000_000))).toBe('too_large');
      expect(given).toBeLessThan(zeros.length);
      await expect.poll(served.open).toBe(0);
    }
  });

  it('that is cut, broken, packed twice or unknown is refused', async () => {
    const packed = gzipSync('hello '.repeat(10_000));
    const cases: [string, Uint8Array][] = [
      ['gzip', packed.subarray(0, 40)],
      ['gzip', Buffer.from('no gzip at all')],
      ['br', Buffer.from('no brotli at all')],
      ['zstd', Buffer.from('no zstd at all')],
      ['gzip, gzip', gzipSync(packed)],
      ['gzip, br', packed],
      ['compress', packed],
      ['nonsense', packed],
    ];
    for (const [coding, bytes] of cases) {
      const served = await serve((_, response) => {
        response.setHeader('content-encoding', coding);
        response.end(bytes);
      });
      expect(await codeOf(textOf(rig(), get(url(served))))).toBe('bad_encoding');
      await expect.poll(served.open).toBe(0);
    }
  });

  it('that is empty is empty', async () => {
    const served = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end();
    });
    expect(await textOf(rig(), get(url(served)))).toBe('');
    expect(await textOf(rig(), get(url(served), { method: 'HEAD' }))).toBe('');
  });

  it('that breaks off says so, not that it can not be unpacked', async () => {
    const packed = gzipSync(Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 251)));
    expect(
      await rawCode((socket) => {
        socket.write(`${HEAD}content-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`);
        socket.write(packed.subarray(0, packed.length / 2), () => setTimeout(() => socket.destroy(), 50));
      }),
    ).toBe('cut');
  });
});

describe('an answer that is not HTTP', () => {
  it.each([
    ['HTTP/0.9', 'hello'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    [
      'an unasked upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    ],
    ['a zero byte in a header', `${HEAD}x-a: a\0b\r\ncontent-length: 0\r\n\r\n`],
    ['a bare carriage return in a header', `${HEAD}x-a: a\rx-b: c\r\ncontent-length: 0\r\n\r\n`],
    ['a space before the colon', `${HEAD}x-a : b\r\ncontent-length: 0\r\n\r\n`],
    ['two lengths', `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
    ['a length and chunks', `${HEAD}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a length that is none', `${HEAD}content-length: -1\r\n\r\n`],
    ['a length with a sign', `${HEAD}content-length: +1\r\n\r\na`],
    ['a chunk that has no length', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n`],
    ['a chunk of more than there is', `${HEAD}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nab\r\n`],
    ['a status that is none', 'HTTP/1.1 abc OK\r\n\r\n'],
  ])('is refused: %s', async (_, bytes) => {
    expect(await rawCode((socket) => socket.end(bytes))).toBe('bad_response');
  });

  it('is cut when it ends before its length, and what comes behind its length belongs to nobody', async () => {
    expect(await rawCode((socket) => socket.end(`${HEAD}content-length: 10\r\n\r\nabc`))).toBe('cut');
    expect(await rawCode((socket) => socket.end())).toBe('cut');
    const served = await serveRaw((socket) =>
      socket.end(`${HEAD}content-length: 3\r\n\r\nabc${HEAD}content-length: 6\r\n\r\nsecond`),
    );
    const one = rig();
    expect([await textOf(one, get(url(served))), await textOf(one, get(url(served)))]).toEqual([
      'abc',
      'abc',
    ]);
    expect(served.connections()).toBe(2);
  });
});

describe('a request', () => {
  it('gets no header that frames or routes it, none twice, and no second line', async () => {
    const served = await serve((_, response) => response.end('ok'));
    const bad: [string, string][][] = [
      [['Host', 'inner']],
      [['content-length', '0']],
      [['Transfer-Encoding', 'chunked']],
      [['connection', 'keep-alive']],
      [['upgrade', 'h2c']],
      [['te', 'trailers']],
      [['trailer', 'x']],
      [['expect', '100-continue']],
      [['proxy-authorization', 'x']],
      [['x-a', 'b\r\nx-c: d']],
      [['x-a', 'b\n']],
      [['x-a', 'b\0']],
      [['x-a', 'ü']],
      [['x a', 'b']],
      [['x-a:', 'b']],
      [['', 'b']],
      [
        ['x-a', 'b'],
        ['X-A', 'c'],
      ],
    ];
    for (const headers of bad) {
      expect(await codeOf(rig().guard.send(get(url(served), { headers })))).toBe('header_refused');
    }
    expect(await codeOf(rig().guard.send(get(url(served), { headers: [['x', 'y'.repeat(200_000)]] })))).toBe(
      'request_too_large',
    );
    expect(
      await codeOf(rig().guard.send(get(url(served), { method: 'POST', body: 'y'.repeat(5_000_000) }))),
    ).toBe('request_too_large');
    expect(served.connections()).toBe(0);
  });

  it('that is stopped closes its connection at once, whatever it waits for', async () => {
    const served = await serve((request, response) => {
      if (request.url === '/body') response.write('x');
    });
    for (const path of ['/headers', '/body']) {
      const stop = new AbortController();
      const waiting = codeOf(textOf(rig(), get(url(served, path), { signal: stop.signal })));
      await expect.poll(served.open).toBe(1);
      stop.abort();
      expect(await waiting).toBe('aborted');
      await expect.poll(served.open).toBe(0);
    }
    expect(await codeOf(rig().guard.send(get(url(served), { signal: AbortSignal.abort() })))).toBe('aborted');
  });

  it('has a connection of its own, which ends with its answer, read or not', async () => {
    const asked: unknown[] = [];
    const served = await serve((request, response) => {
      asked.push(request.headers.connection);
      response.write('x');
      if (request.url === '/whole') response.end();
    });
    const one = rig();
    expect(await textOf(one, get(url(served, '/whole')))).toBe('x');
    await expect.poll(served.open).toBe(0);
    const unread = await one.guard.send(get(url(served)));
    expect(served.open()).toBe(1);
    unread.close();
    await expect.poll(served.open).toBe(0);
    // Forgotten: the total time ends it.
    await one.guard.send(get(url(served), { timeoutMs: 200 }));
    await expect.poll(served.open).toBe(0);
    expect(asked).toEqual(['close', 'close', 'close']);
    expect(served.connections()).toBe(3);
  });

  it('is counted for each script and host: five at once, then one each 200 ms', async () => {
    const served = await serve((_, response) => response.end('ok'));
    let now = 0;
    const one = rig({}, { requestsPerSecond: 5, clock: { now: () => 0, monotonic: () => now } });
    const send = (script: string, host = 'a.example.com'): Promise<unknown> =>
      codeOf(textOf(one, get(`http://${host}:${served.port}/`, { script })));
    for (let i = 0; i < 5; i += 1) expect(await send('weather')).toBe('no failure');
    expect(await send('weather')).toBe('rate_limited');
    expect(await send('weather', 'A.EXAMPLE.COM')).toBe('rate_limited');
    expect(await send('weather', 'b.example.com')).toBe('no failure');
    expect(await send('jokes')).toBe('no failure');
    now += 200;
    expect(await send('weather')).toBe('no failure');
    expect(await send('weather')).toBe('rate_limited');
    expect(one.refusals.map(({ code }) => code)).toEqual(['rate_limited', 'rate_limited', 'rate_limited']);
  });

  it('fails with fixed words that hold neither its URL nor its headers', async () => {
    const served = await serveRaw((socket) => socket.end('nonsense'));
    const secret = 'hunter2-very-secret';
    const request = get(url(served, `/${secret}`), { headers: [['authorization', secret]] });
    const failures = [
      (): Promise<unknown> => rig().guard.send(request),
      (): Promise<unknown> => rig().guard.send({ ...request, url: `http://a.example.com:99999/${secret}` }),
      (): Promise<unknown> => rig().guard.send({ ...request, headers: [['x', `${secret}\n`]] }),
      (): Promise<unknown> => rig({ 'a.example.com': [[]] }).guard.send(request),
      (): Promise<unknown> =>
        rig({}, { resolve: () => Promise.reject(new Error(secret)) }).guard.send(request),
    ];
    for (const failing of failures) {
      const error: unknown = await failing().catch((caught: unknown) => caught);
      expect(error).toHaveProperty('code');
      expect(
        JSON.stringify([error, String(error), (error as Error).stack, (error as Error).cause ?? null]),
      ).not.toContain(secret);
    }
    const send = createScriptSend(rig().guard, 'weather');
    expect(await send({ ...request, body: undefined })).toEqual({ failed: 'bad_response' });
  });

  it('comes back to the broker as a whole, or as one of its words', async () => {
    const served = await serve((request, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end(request.method);
    });
    const send = createScriptSend(rig().guard, 'weather');
    const request = { url: url(served), headers: [], body: undefined, timeoutMs: 5_000, maxBytes: 100 };
    const answer = await send({ ...request, method: 'PATCH' });
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('PATCH') });
    expect('headers' in answer && answer.headers.filter(([name]) => name === 'set-cookie')).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
    expect(await send({ ...request, method: 'CONNECT' })).toEqual({ failed: 'bad_response' });
    // A script does not learn which names of the inner network there are.
    expect(await send({ ...request, method: 'GET', url: 'http://nas.lan/' })).toEqual({
      failed: 'address_refused',
    });
    expect(await send({ ...request, method: 'GET', url: 'http://10.0.0.1/' })).toEqual({
      failed: 'address_refused',
    });
  });

  it('with its status when it is too long, whether it said so before or not', async () => {
    for (const length of ['content-length: 99999999', 'transfer-encoding: chunked']) {
      const served = await serveRaw((socket) => {
        socket.write(`HTTP/1.1 418 Teapot\r\n${length}\r\n\r\n`);
        flood(socket, `2710\r\n${'x'.repeat(10_000)}\r\n`);
      });
      const send = createScriptSend(rig().guard, 'weather');
      const request = { url: url(served), headers: [], body: undefined, timeoutMs: 5_000, maxBytes: 50_000 };
      expect(await send({ ...request, method: 'GET' })).toEqual({ failed: 'too_large', status: 418 });
      await expect.poll(served.open).toBe(0);
    }
  });

  it('without the body of a redirect, which nobody gets and no limit of a run would count', async () => {
    const served = await serveRaw((socket) => {
      socket.write('HTTP/1.1 302 Found\r\nlocation: /next\r\ntransfer-encoding: chunked\r\n\r\n');
      flood(socket, `2710\r\n${'x'.repeat(10_000)}\r\n`);
    });
    const send = createScriptSend(rig().guard, 'weather');
    const request = { url: url(served), headers: [], body: undefined, timeoutMs: 5_000, maxBytes: 1_000_000 };
    const answer = await send({ ...request, method: 'GET' });
    expect(answer).toMatchObject({ status: 302, body: new Uint8Array() });
    await expect.poll(served.open).toBe(0);
  });
});

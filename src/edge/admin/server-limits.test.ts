import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import { createAdminServer } from './server.ts';

let edge: AdminEdge;

beforeAll(async () => {
  edge = await startAdminEdge();
  await edge.setUp();
});
afterAll(() => edge.stop());

describe('health', () => {
  test('/healthz is plain OK, /health has checks, version and isolation, /ready says that it is ready', async () => {
    const healthz = await edge.ask('GET', '/healthz');
    expect([healthz.text, healthz.headers['content-type']]).toEqual(['OK\n', 'text/plain; charset=utf-8']);
    const health = await edge.ask('GET', '/health');
    expect(health.json).toMatchObject({
      status: 'healthy',
      version: '0.1.0',
      isolation: { level: 2 },
      checks: { database: { status: 'healthy' } },
    });
    expect(health.json.uptime).toMatch(/^(\d+h)?(\d+m)?\d+s$/);
    const ready = await edge.ask('GET', '/ready');
    expect(ready.json).toEqual({
      ready: true,
      sealed: false,
      setup_required: false,
      checks: { database: true },
    });
  });

  test('an unhealthy check makes /health and /ready 503, a degraded one does not', async () => {
    const { report } = edge.health;
    edge.health.report = { ...report, checks: { engine: { status: 'degraded', message: 'restarting' } } };
    const degraded = await edge.ask('GET', '/health');
    expect([degraded.status, degraded.json.status]).toEqual([200, 'degraded']);
    edge.health.report = { ...report, checks: { database: { status: 'unhealthy' } } };
    expect((await edge.ask('GET', '/health')).status).toBe(503);
    expect((await edge.ask('GET', '/ready')).status).toBe(503);
    edge.health.report = report;
  });
});

describe('limits of the server', () => {
  test('too many requests from one client are 429 with Retry-After, another client is served', async () => {
    const small = await startAdminEdge({ server: { rateLimit: { rate: 1, burst: 5 } } });
    try {
      const replies = [];
      for (let i = 0; i < 7; i += 1) replies.push(await small.ask('GET', '/api/version'));
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
      const last = replies.at(-1);
      expect(last?.json.error).toBe('rate_limited');
      expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
      expect(last?.headers['x-ratelimit-remaining']).toBe('0');
      expect((await small.ask('GET', '/api/version', { from: '127.0.0.9' })).status).toBe(200);
      expect((await small.ask('GET', '/healthz')).status).toBe(200);
    } finally {
      await small.stop();
    }
  });

  test('the health paths are limited too, widely, and apart from the API', async () => {
    const small = await startAdminEdge({ server: { rateLimit: { rate: 1, burst: 5 } } });
    try {
      const statuses = [];
      for (let i = 0; i < 400; i += 1) {
        const path = ['/health', '/healthz', '/ready'][i % 3] ?? '';
        statuses.push((await small.ask('GET', path)).status);
      }
      expect(statuses.slice(0, 200)).not.toContain(429);
      expect(statuses).toContain(429);
      expect((await small.ask('GET', '/healthz', { from: '127.0.0.9' })).status).toBe(200);
      expect((await small.ask('GET', '/api/version')).status).toBe(200);
    } finally {
      await small.stop();
    }
  });

  test('one address can not hold all connections', async () => {
    const small = await startAdminEdge({ server: { limits: { connectionsPerAddress: 3 } } });
    const sockets = Array.from({ length: 3 }, () => connect(small.port, '127.0.0.1'));
    try {
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      await expect(small.ask('GET', '/healthz')).rejects.toThrow(/hang up|reset/i);
      expect((await small.ask('GET', '/healthz', { from: '127.0.0.9' })).status).toBe(200);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await small.ask('GET', '/healthz')).status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
      await small.stop();
    }
  });

  test('a taken port is a configuration error that says what to do', async () => {
    const options = { ...edge.deps.options, port: edge.port };
    const server = createAdminServer({ ...edge.deps, options });
    await expect(server.listen()).rejects.toMatchObject({ family: 'config', code: 'port_in_use' });
  });

  test('closing does not wait for a client that keeps its connection', async () => {
    const own = await startAdminEdge({ server: { limits: { closeMs: 100 } } });
    const socket = connect(own.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('POST /api/setup HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    socket.on('error', () => undefined);
    await own.stop();
    await gone;
  });
});

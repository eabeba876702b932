import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';
import { createHealthServer, type HealthServer } from './health-server.ts';

let edge: AdminEdge | undefined;
let health: HealthServer | undefined;
afterEach(async () => {
  await health?.close();
  await edge?.stop();
});

async function start(port = 0): Promise<number> {
  edge = await startAdminEdge();
  health = createHealthServer({ ...edge.deps, version: '1.2.3', address: { host: '127.0.0.1', port } });
  return (await health.listen()).port;
}

function ask(port: number, path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, method }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => (text += part.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

test('the health port tells of health before anybody has an account', async () => {
  const port = await start();
  expect(await ask(port, '/healthz')).toEqual({ status: 200, text: 'OK\n' });
  const full = await ask(port, '/health');
  expect(JSON.parse(full.text)).toMatchObject({ version: '1.2.3', status: expect.any(String) });
  for (const path of ['/ready', '/readyz']) {
    expect(JSON.parse((await ask(port, path)).text)).toMatchObject({ setup_required: true });
  }
});

test('the health port has no page, no API and no other method', async () => {
  const port = await start();
  for (const path of ['/', '/api/session', '/api/setup', '/api/auth/login', '/setup', '/index.html']) {
    for (const method of ['GET', 'POST'])
      expect([path, (await ask(port, path, method)).status]).toEqual([path, 404]);
  }
  expect((await ask(port, '/health', 'DELETE')).status).toBe(404);
});

test('a health port that is taken is an error that says what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  await expect(start(port)).rejects.toMatchObject({ family: 'config', code: 'port_in_use' });
  await new Promise((resolve) => taken.close(resolve));
});

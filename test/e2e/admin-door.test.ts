/** The door of the page as it is configured: who may knock, and what signs a token (requirements §8.1). */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startProgram, type StartOptions } from '../support/running-program.ts';
import { start } from '../support/with-fake-model.ts';

function statusOf(address: string, from: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${address}/healthz`, { localAddress: from, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('admin.allowed_ips holds for every path, and a forwarding header counts from a trusted proxy alone (A-16)', async () => {
  const program = await start({
    config: 'admin:\n  allowed_ips: ["127.0.0.1", "192.0.2.0/24"]\n  trusted_proxies: ["127.0.0.5"]\n',
  });
  const { address } = program;
  expect(await statusOf(address, '127.0.0.1')).toBe(200);
  expect(await statusOf(address, '127.0.0.2')).toBe(403);
  // A stranger who says that they are somebody else, and the client of a proxy who does.
  expect(await statusOf(address, '127.0.0.2', { 'x-forwarded-for': '127.0.0.1' })).toBe(403);
  expect(await statusOf(address, '127.0.0.5', { 'x-forwarded-for': '127.0.0.1, 203.0.113.9' })).toBe(403);
  expect(await statusOf(address, '127.0.0.5', { 'x-forwarded-for': '203.0.113.9, 192.0.2.7' })).toBe(200);
  expect(await statusOf(address, '127.0.0.5')).toBe(403);
}, 60_000);

test('an ADMIN_JWT_SECRET of fewer than 32 bytes, and a list of addresses that holds none, stop the start (A-10, A-16)', async () => {
  const refused = async (options: StartOptions, why: RegExp): Promise<void> => {
    const workspace = mkdtempSync(join(tmpdir(), 'openpact-door-'));
    try {
      await expect(startProgram({ ...options, workspace, withoutSetup: true })).rejects.toThrow(why);
    } finally {
      rmSync(workspace, { recursive: true, force: true });
    }
  };
  await refused({ env: { ADMIN_JWT_SECRET: 'x'.repeat(31) } }, /ADMIN_JWT_SECRET.*32/);
  await refused({ config: 'admin:\n  allowed_ips: ["10.0.0"]\n' }, /admin\.allowed_ips/);
  const program = await start({ env: { ADMIN_JWT_SECRET: 'q'.repeat(32) } });
  expect((await program.api('GET', '/api/auth/me')).status).toBe(200);
}, 60_000);

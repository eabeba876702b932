import { afterEach, expect, test } from 'vitest';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

const NAME = 'pact.example.org';
const PROXY = '127.0.0.9';
let edge: AdminEdge | undefined;
afterEach(() => edge?.stop());

async function status(headers: Record<string, string>, from?: string): Promise<[number, string]> {
  const reply = await edge!.ask('GET', '/api/version', { headers, ...(from === undefined ? {} : { from }) });
  return [reply.status, reply.json.error ?? ''];
}

const restricted = {
  insecureHttp: 'behind-proxy-or-localhost',
  publicOrigins: [`https://${NAME}`],
  trustedProxies: [PROXY],
} as const;

test('over plain HTTP only names of this machine are served', async () => {
  edge = await startAdminEdge({ server: restricted });
  for (const host of [`127.0.0.1:${edge.port}`, `localhost:${edge.port}`, '[::1]']) {
    expect([host, await status({ host })]).toEqual([host, [200, '']]);
  }
  expect(await status({ host: NAME })).toEqual([403, 'https_required']);
});

test('a bare address of the machine is refused as well, when every address is listened to', async () => {
  edge = await startAdminEdge({ server: { ...restricted, host: '0.0.0.0' } });
  expect(await status({ host: '192.168.7.7:8888' })).toEqual([403, 'https_required']);
});

test('a trusted proxy may bring what came over TLS, and nothing else', async () => {
  edge = await startAdminEdge({ server: restricted });
  const host = NAME;
  expect(await status({ host, 'x-forwarded-proto': 'https', 'x-forwarded-for': '9.9.9.9' }, PROXY)).toEqual([
    200,
    '',
  ]);
  expect(await status({ host, 'x-forwarded-proto': 'http' }, PROXY)).toEqual([403, 'https_required']);
  // Anybody can write the header; it counts from the proxy only.
  expect(await status({ host, 'x-forwarded-proto': 'https' })).toEqual([403, 'https_required']);
});

test('with the rule off a name that is ours is served over plain HTTP', async () => {
  edge = await startAdminEdge({ server: { ...restricted, insecureHttp: 'allowed' } });
  expect(await status({ host: NAME })).toEqual([200, '']);
});

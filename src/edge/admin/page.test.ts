import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { request } from 'node:http';
import { startAdminEdge, type AdminEdge } from '../../../test/fakes/admin-edge.ts';

const bytes = (text: string) => ({ body: new TextEncoder().encode(text) });
const SCRIPT = `console.log(1);${'/* filler */'.repeat(500)}`;

describe('the page', () => {
  let edge: AdminEdge;
  beforeAll(async () => {
    edge = await startAdminEdge({
      pages: new Map([
        ['index.html', bytes('<!doctype html><title>page</title>')],
        ['assets/app-1f2e.js', bytes(SCRIPT)],
        ['favicon.svg', bytes('<svg/>')],
      ]),
    });
  });
  afterAll(() => edge.stop());
  const html = { accept: 'text/html,application/xhtml+xml' };

  test('answers its own paths with index.html, before the setup too', async () => {
    for (const path of ['/', '/setup', '/login', '/chat/ses_1', '/index.html', '/?x=1']) {
      const reply = await edge.ask('GET', path, { headers: html });
      expect([path, reply.status]).toEqual([path, 200]);
      expect(reply.text).toContain('<title>page</title>');
      expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(reply.headers['cache-control']).toBe('no-cache');
    }
  });

  test('serves what is in the build, assets for good', async () => {
    const asset = await edge.ask('GET', '/assets/app-1f2e.js');
    expect(asset.text).toBe(SCRIPT);
    expect(asset.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect((await edge.ask('GET', '/favicon.svg')).headers['content-type']).toBe('image/svg+xml');
    const etag = asset.headers.etag ?? '';
    const again = await edge.ask('GET', '/assets/app-1f2e.js', { headers: { 'if-none-match': etag } });
    expect([again.status, again.text]).toEqual([304, '']);
    const head = await edge.ask('HEAD', '/assets/app-1f2e.js');
    expect([head.status, head.text]).toEqual([200, '']);
  });

  test('packs where the client takes it', async () => {
    const packed = await new Promise<Buffer>((resolve, reject) => {
      request(
        {
          port: edge.port,
          host: '127.0.0.1',
          path: '/assets/app-1f2e.js',
          headers: { 'accept-encoding': 'br, gzip' },
        },
        (response) => {
          expect(response.headers['content-encoding']).toBe('gzip');
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(Buffer.concat(chunks)));
        },
      )
        .on('error', reject)
        .end();
    });
    expect(gunzipSync(packed).toString()).toBe(SCRIPT);
    const refused = await edge.ask('GET', '/assets/app-1f2e.js', {
      headers: { 'accept-encoding': 'gzip;q=0' },
    });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  test('has nothing else: no missing file, no disk, no other method', async () => {
    for (const path of [
      '/assets/missing.js',
      '/missing.png',
      '/.env',
      '/package.json',
      '/assets/..%2f..%2fpackage.json',
      '/assets/../../package.json',
      '/etc/passwd.txt',
    ]) {
      const reply = await edge.ask('GET', path, { headers: html });
      expect([path, reply.status, reply.json.error]).toEqual([path, 404, 'not_found']);
    }
    expect((await edge.ask('GET', '/chat', { headers: { accept: 'application/json' } })).status).toBe(404);
    const post = await edge.ask('POST', '/chat', { body: {} });
    expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});

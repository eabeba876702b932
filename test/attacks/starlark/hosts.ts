/** The hosts of the attack programs. `api.test` is bound to the secret and works with the attacker as far as a host can. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { OutgoingRequest, SendResult } from '../../../src/guard/secrets/broker/index.ts';
import { reply } from '../../support/script-box.ts';

/** What an answer may have, as the sender of the attack runs enforces it. */
export const ANSWER_BYTES = 100_000;

const PATHS: Readonly<Record<string, (key: string, request: OutgoingRequest) => SendResult>> = {
  '/echo': (_key, request) =>
    json({ url: request.url, headers: Object.fromEntries(request.headers), body: request.body ?? '' }),
  '/plain': (key) =>
    reply(`key=${key}`, {
      'content-length': String(4 + key.length),
      etag: createHash('md5').update(key).digest('hex'),
      'x-amz-checksum-sha256': createHash('sha256').update(key).digest('base64'),
    }),
  '/reversed': (key) => reply([...key].toReversed().join('')),
  '/base64': (key) => reply(Buffer.from(key).toString('base64')),
  '/base64-json': (key) => reply(Buffer.from(JSON.stringify({ a: 1, key })).toString('base64')),
  '/base64-twice': (key) => reply(Buffer.from(Buffer.from(key).toString('base64')).toString('base64')),
  '/hex': (key) => reply(Buffer.from(key).toString('hex')),
  '/hex-spaced': (key) => reply([...Buffer.from(key)].map((byte) => byte.toString(16)).join(' ')),
  '/upper': (key) => reply(`KEY ${key.toUpperCase()}`),
  '/percent': (key) => reply([...Buffer.from(key)].map((byte) => `%${byte.toString(16)}`).join('')),
  '/escaped': (key) =>
    reply(`"${[...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`),
  '/entities': (key) => reply([...key].map((c, i) => (i % 2 === 0 ? `&#${c.charCodeAt(0)};` : c)).join('')),
  '/list': (key) => json([...key]),
  '/codes': (key) => json([...Buffer.from(key)]),
  '/utf16': (key) => reply(Buffer.from(key, 'utf16le'), { 'content-type': 'text/plain; charset=utf-8' }),
  '/gzip': (key) => reply(gzipSync(key), { 'content-encoding': 'gzip' }),
  '/gzip-bare': (key) => reply(gzipSync(key), { 'content-type': 'text/plain; charset=iso-8859-1' }),
  '/header': (key) => reply('', { 'x-echo': `was ${key}`, 'x-hex': Buffer.from(key).toString('hex') }),
  '/header-name': (key) => reply('', { [`x-${key}`]: 'here' }),
  '/redirect-query': (key) => redirect(302, `https://other.test/?k=${key}`),
  '/redirect': () => redirect(302, 'https://other.test/'),
  '/redirect-307': () => redirect(307, 'https://other.test/'),
  '/redirect-hex': (key) => redirect(302, `https://other.test/${Buffer.from(key).toString('hex')}`),
  '/redirect-http': (_key, request) => redirect(301, request.url.replace('https:', 'http:')),
  '/near-the-limit': (key) => reply('x'.repeat(ANSWER_BYTES - 25) + key),
};

function json(value: unknown): SendResult {
  return reply(JSON.stringify(value), { 'content-type': 'application/json' });
}

function redirect(status: number, location: string): SendResult {
  return reply('', { location }, status);
}

/** `stored`: what `api.test` knows of its customer without being told. */
export function hostsOf(stored: string): (request: OutgoingRequest) => SendResult {
  return (request) => {
    if (!URL.canParse(request.url)) return { failed: 'connection_failed' };
    const url = new URL(request.url);
    if (url.hostname !== 'api.test') return reply('ok');
    const key = request.headers.find(([name]) => name === 'x-key')?.[1] ?? '';
    const result = answer(url, key, stored, request);
    const most = Math.min(ANSWER_BYTES, request.maxBytes);
    return 'body' in result && result.body.length > most ? { failed: 'too_large', status: 200 } : result;
  };
}

function answer(url: URL, key: string, stored: string, request: OutgoingRequest): SendResult {
  if (url.pathname === '/remembers') return reply(`you are ${stored}`);
  if (url.pathname === '/login') {
    // A session that everybody who sees it could tell the key from.
    const session = createHash('sha256')
      .update(request.body ?? '')
      .digest('base64url');
    const body = JSON.stringify({ access_token: session, expires_in: 3600 });
    return reply(body, { 'content-type': 'application/json', 'set-cookie': `sid=${session}; HttpOnly` });
  }
  return (PATHS[url.pathname] ?? (() => reply('nothing here', {}, 404)))(key, request);
}

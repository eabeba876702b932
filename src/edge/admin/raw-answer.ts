import { STATUS_CODES } from 'node:http';
import type { ErrorAnswer } from './error-answer.ts';
import { securityHeaders } from './security-headers.ts';

/** An answer as bytes, for where there is no response object: refused upgrades and requests that can't be parsed. */
export function rawAnswer(answer: ErrorAnswer, https: boolean): string {
  const body = JSON.stringify(answer.body);
  const headers = {
    ...securityHeaders(https),
    ...answer.headers,
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}

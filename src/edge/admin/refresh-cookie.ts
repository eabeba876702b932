import type { Client } from './client.ts';

const NAME = 'refresh';
const PATH = '/api/session';

/** A-08, S-68: Secure whenever the request came over HTTPS, directly or through a trusted proxy. */
export function setRefreshCookie(
  token: string,
  expiresAt: number,
  now: number,
  client: Client,
): Record<string, string> {
  const seconds = Math.max(0, Math.floor((expiresAt - now) / 1000));
  return { 'set-cookie': cookie(token, seconds, client) };
}

export function clearRefreshCookie(client: Client): Record<string, string> {
  return { 'set-cookie': cookie('', 0, client) };
}

function cookie(value: string, maxAge: number, client: Client): string {
  const secure = client.https ? '; Secure' : '';
  return `${NAME}=${value}; Path=${PATH}; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** The refresh token of a Cookie header; undefined when there is none, or more than one, or it has no such form. */
export function readRefreshCookie(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
}

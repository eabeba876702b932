// Guarantees: a request is answered only under a name that is ours, so that a page of somebody else's name that points to
// this machine (DNS rebinding) gets nothing; a browser on another site can neither call the API nor open a WebSocket (S-42).
// Does not: authenticate. Clients that are no browsers send what they like here, and need a token all the same.
// An attacker may control: the page from which a browser sends, not the Origin and Sec-Fetch-Site that it sends.
import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { AppError } from '../../core/index.ts';
import type { Client } from './client.ts';

export interface OriginRule {
  /** Errors: `host_not_allowed` (forbidden). */
  requireHost(request: IncomingMessage): void;
  /** Plain HTTP is for this machine alone. Errors: `https_required` (forbidden). */
  requireSafeTransport(request: IncomingMessage, client: Client): void;
  /** Errors: `cross_origin` (forbidden). */
  requireSameOrigin(request: IncomingMessage, client: Client): void;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const WILDCARD = new Set(['0.0.0.0', '::', '[::]', '']);

export function createOriginRule(bind: string, publicOrigins: readonly string[]): OriginRule {
  const origins = new Set<string>();
  const names = new Set(LOOPBACK);
  for (const text of publicOrigins) {
    const origin = parseOrigin(text);
    if (!origin) {
      throw new AppError({
        family: 'config',
        code: 'config_invalid',
        message: `"${text}" is no origin.`,
        fix: 'Write scheme, name and port only, such as https://pact.example.org.',
      });
    }
    origins.add(origin.origin);
    names.add(origin.hostname);
  }
  const anyAddress = WILDCARD.has(bind);
  if (!anyAddress) names.add(bind.includes(':') && !bind.startsWith('[') ? `[${bind}]` : bind.toLowerCase());

  const named = (hostname: string): boolean =>
    names.has(hostname) ||
    // A bare address can't be rebound: there is no name to point elsewhere. Which ones are ours isn't known here.
    (anyAddress && ipaddr.isValid(hostname.replace(/^\[(.*)\]$/, '$1')));

  return {
    requireHost(request) {
      const host = singleHost(request);
      const hostname = host === undefined ? undefined : parseOrigin(`http://${host}`)?.hostname;
      if (hostname !== undefined && named(hostname)) return;
      throw new AppError({
        family: 'forbidden',
        code: 'host_not_allowed',
        message: 'OpenPact does not answer under this host name.',
        fix: 'Open it under the address that it printed, or add the origin to admin.allowed_origins.',
      });
    },
    requireSafeTransport(request, client) {
      const host = singleHost(request);
      const hostname = host === undefined ? undefined : parseOrigin(`http://${host}`)?.hostname;
      if (client.https || (hostname !== undefined && LOOPBACK.has(hostname))) return;
      throw new AppError({
        family: 'forbidden',
        code: 'https_required',
        message:
          'OpenPact does not answer here over plain HTTP: password and tokens could be read on the way.',
        fix: 'Open it through a proxy with TLS whose address is in admin.trusted_proxies, or under localhost on its own machine (an SSH tunnel will do). admin.insecure_http: allowed switches this rule off.',
      });
    },
    requireSameOrigin(request, client) {
      const origin = request.headers.origin;
      if (origin !== undefined) {
        if (origins.has(origin) || sameHost(origin, singleHost(request), client)) return;
        throw crossOrigin();
      }
      const site = request.headers['sec-fetch-site'];
      if (site !== undefined && site !== 'same-origin' && site !== 'none') throw crossOrigin();
    },
  };
}

function sameHost(text: string, host: string | undefined, client: Client): boolean {
  const origin = parseOrigin(text);
  if (!origin || host === undefined) return false;
  // We may be behind a TLS proxy that we weren't told of: a page had over HTTPS is never worse than one over HTTP.
  if (client.https && origin.protocol !== 'https:') return false;
  return parseOrigin(`${origin.protocol}//${host}`)?.host === origin.host;
}

/** Undefined when there is none or more than one: which of them counts would be a guess. */
function singleHost(request: IncomingMessage): string | undefined {
  const hosts = request.rawHeaders.filter((_, index) => {
    return index % 2 === 1 && request.rawHeaders[index - 1]?.toLowerCase() === 'host';
  });
  return hosts.length === 1 ? hosts[0] : undefined;
}

function parseOrigin(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain =
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  return plain ? url : undefined;
}

function crossOrigin(): AppError {
  return new AppError({
    family: 'forbidden',
    code: 'cross_origin',
    message: 'This request comes from a page of another site.',
    fix: 'Use the page that OpenPact serves. Behind a proxy, add its origin to admin.allowed_origins.',
  });
}

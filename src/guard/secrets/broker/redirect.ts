// Guarantees: the next hop is a request of its own that is judged like the first; on the way to another origin it loses
// what belongs to the first one. A body that was not meant for a second reading is not sent again.
// Does not: judge.
// An attacker may control: the answer, its Location too.
import { referencesOf, type WireRope } from '../../../sandbox/wire/index.ts';
import type { JudgedRequest, Request } from './judge.ts';

export const MOST_REDIRECTS = 10;
const OWN = /^(?:authorization|cookie|www-authenticate|x-api-key|x-auth-.*)$/;
const ABOUT_BODY = /^content-/;

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The next request, or undefined when the Location leads nowhere that can be judged. */
export function nextHop(request: JudgedRequest, status: number, location: WireRope): Request | undefined {
  const url = resolveLocation(request.plan.origin, request, location);
  if (url === undefined) return undefined;
  const [start] = url;
  const same = typeof start === 'string' && startsWithOrigin(start, request.plan.origin);
  // RFC 9110, 15.4: 303 is read with GET, and so are 301 and 302 after POST by custom.
  const toGet = status === 303 || (status !== 307 && status !== 308 && request.method === 'POST');
  const method = toGet ? 'GET' : request.method;
  const headers = request.headers.filter(
    ([name]) => (same || !OWN.test(name)) && (!toGet || !ABOUT_BODY.test(name)),
  );
  return { method, url, headers, body: toGet ? [] : request.body };
}

function startsWithOrigin(url: string, origin: string): boolean {
  return url.startsWith(origin) && /^(?:[/?#]|$)/.test(url.slice(origin.length));
}

function resolveLocation(origin: string, request: JudgedRequest, location: WireRope): WireRope | undefined {
  const [first, ...more] = location;
  if (typeof first !== 'string') return undefined;
  if (more.length === 0 && referencesOf(location).size === 0) {
    const base = publicBase(origin, request.plan.rest);
    if (!URL.canParse(first, base)) return undefined;
    const url = new URL(first, base);
    return [url.href];
  }
  // With a reference in it: an absolute address, or a path of this origin.
  if (/^https?:\/\//.test(first)) return location;
  if (/^\/(?![/\\])/.test(first)) return [origin + first, ...more];
  return undefined;
}

/** The address so far, up to the first reference: what a relative Location starts from. */
function publicBase(origin: string, rest: WireRope): string {
  const [path] = rest;
  if (typeof path !== 'string') return origin;
  return `${origin}${path.startsWith('/') ? path : ''}`;
}

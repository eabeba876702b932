// Guarantees: each hop of a chain of redirects is a request of its own, which the guard judges, resolves and counts like the
// first; what belongs to the first origin (keys, cookies, the body's description) does not go to another one; https never
// leads to http; the chain ends.
// Does not: judge.
// An attacker may control: every Location.
import { EgressError, type EgressCode } from './codes.ts';
import type { EgressAnswer, EgressRequest } from './egress-guard.ts';
import type { Headers } from './request-rules.ts';

const MOST_REDIRECTS = 5;
const REDIRECT: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What may travel to another origin; everything else may hold a key under a name that nobody knows. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'accept-language', 'user-agent']);

export interface FollowedAnswer extends EgressAnswer {
  /** Of the last hop. */
  readonly url: string;
}

/**
 * `refused` hears of redirects that are not followed, with the URL that they came from; of all else `send` tells.
 * Rejects with EgressError.
 */
export async function follow(
  first: EgressRequest,
  send: (request: EgressRequest) => Promise<EgressAnswer>,
  refused: (code: EgressCode, url: string) => void,
): Promise<FollowedAnswer> {
  const end = performance.now() + first.timeoutMs;
  const seen = new Set<string>();
  let request = first;
  for (let hop = 0; ; hop += 1) {
    const answer = await send({ ...request, timeoutMs: Math.max(1, end - performance.now()) });
    const location = answer.headers.find(([name]) => name === 'location')?.[1];
    if (!REDIRECT.has(answer.status) || location === undefined) return { ...answer, url: request.url };
    answer.close();
    seen.add(keyOf(request));
    const next = hop >= MOST_REDIRECTS ? 'redirect_limit' : nextRequest(request, answer.status, location);
    const code = typeof next === 'string' ? next : seen.has(keyOf(next)) ? 'redirect_loop' : undefined;
    if (code !== undefined || typeof next === 'string') {
      refused(code ?? 'redirect_invalid', request.url);
      throw new EgressError(code ?? 'redirect_invalid');
    }
    request = next;
  }
}

function keyOf({ method, url }: EgressRequest): string {
  return `${method} ${URL.canParse(url) ? new URL(url).href : url}`;
}

function nextRequest(request: EgressRequest, status: number, location: string): EgressRequest | EgressCode {
  const from = new URL(request.url);
  const url = resolved(from, location);
  if (url === undefined) return 'redirect_invalid';
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (from.protocol === 'https:' && parsed?.protocol === 'http:') return 'redirect_not_encrypted';
  const same = parsed?.origin === from.origin;
  // RFC 9110, 15.4: 303 is read with GET, and so are 301 and 302 after POST by custom.
  const toGet =
    (status === 303 && request.method !== 'HEAD') ||
    ((status === 301 || status === 302) && request.method === 'POST');
  // A body was meant for its own origin.
  if (!same && !toGet && request.body !== undefined) return 'redirect_invalid';
  return {
    ...request,
    url: withoutHash(url),
    method: toGet ? 'GET' : request.method,
    headers: keptHeaders(request.headers, { same, toGet }),
    body: toGet ? undefined : request.body,
  };
}

/** What is absolute is handed on as it is: the parser would mend what the guard refuses. */
function resolved(from: URL, location: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location;
  if (location.startsWith('//')) return from.protocol + location;
  if (location.includes('\\') || /[\p{Cc}\p{Cf}\p{Z}]/u.test(location)) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from).href : undefined;
}

function keptHeaders(headers: Headers, { same, toGet }: { same: boolean; toGet: boolean }): Headers {
  return headers.filter(([given]) => {
    const name = given.toLowerCase();
    return (same || HARMLESS.has(name)) && !(toGet && name.startsWith('content-'));
  });
}

function withoutHash(url: string): string {
  const at = url.indexOf('#');
  return at < 0 ? url : url.slice(0, at);
}

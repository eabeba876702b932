// Guarantees: where a request goes is read from public text only (or is the public origin of a webhook secret), before
// any value is known; every reference in a URL has one place: a path, or the value of a named query parameter.
// Does not: decide whether that is allowed.
// An attacker may control: the rope.
import { percentEncode, referencesOf, type WireNode, type WireRope } from '../../../sandbox/wire/index.ts';

export interface UrlPlan {
  readonly scheme: 'http:' | 'https:';
  /** `https://host[:port]` as URL.origin has it. */
  readonly origin: string;
  /** A webhook secret that is the URL's beginning. */
  readonly base: string | undefined;
  /** Behind the origin, or behind the webhook: begins with `/` or is empty without a base. Text is encoded. */
  readonly rest: WireRope;
  /** Each reference with its place. */
  readonly places: readonly UrlPlace[];
}

export interface UrlPlace {
  readonly id: string;
  readonly place: 'path' | `query:${string}`;
}

export type UrlRefusal = 'url_invalid' | 'scheme_refused' | 'secret_place';

const START = /^https:\/\/([a-z0-9.-]+(?::\d{1,5})?)(?=[/?]|$)/;
/** What stays as it is; everything else is percent-encoded, so that the text is its own normal form. */
const PLAIN = /^[A-Za-z0-9\-._~!$&()*+,;=:@/?%]*$/;
const DOT_SEGMENT = /(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\?]|$)/i;

/** Control characters, white space at the ends: parsers drop them without a word. */
const STRANGE = /[\u0000-\u001f\u007f]|^\s|\s$/; // eslint-disable-line no-control-regex

/** `originOfWebhook` gives the public origin of a secret of class `url`, undefined for all others. */
export function planUrl(
  rope: WireRope,
  originOfWebhook: (id: string) => string | undefined,
): UrlPlan | UrlRefusal {
  const [first, ...more] = rope;
  if (first === undefined) return 'url_invalid';
  if (typeof first !== 'string') {
    const origin = first[0] === 'ref' ? originOfWebhook(first[1]) : undefined;
    if (origin === undefined || first[0] !== 'ref') return 'secret_place';
    const [next] = more;
    if (next !== undefined && (typeof next !== 'string' || !/^[/?&]/.test(next))) return 'secret_place';
    return withRest({ scheme: 'https:', origin, base: first[1] }, more);
  }
  if (STRANGE.test(first)) return 'url_invalid';
  if (more.length === 0) return publicUrl(first);
  const start = START.exec(first);
  if (start === null) return /^http:\/\//i.test(first) ? 'scheme_refused' : 'url_invalid';
  // Without a path or query the host would go on in the secret.
  if (start[0].length === first.length) return 'secret_place';
  if (!URL.canParse(start[0])) return 'url_invalid';
  const url = new URL(start[0]);
  // 127.1, 0x7f.0.0.1 and the like are other spellings of an address.
  if (url.hostname !== start[1]?.replace(/:\d+$/, '')) return 'url_invalid';
  return withRest({ scheme: 'https:', origin: url.origin, base: undefined }, [
    first.slice(start[0].length),
    ...more,
  ]);
}

function publicUrl(text: string): UrlPlan | UrlRefusal {
  if (!/^https?:\/\/[^/?#\\@]+(?:[/?#]|$)/i.test(text) || !URL.canParse(text)) return 'url_invalid';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hostname === '') return 'url_invalid';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'url_invalid';
  return {
    scheme: url.protocol,
    origin: url.origin,
    base: undefined,
    rest: [`${url.pathname}${url.search}`],
    places: [],
  };
}

function withRest(start: Omit<UrlPlan, 'rest' | 'places'>, nodes: readonly WireNode[]): UrlPlan | UrlRefusal {
  const rest: WireNode[] = [];
  const places: UrlPlace[] = [];
  /** Public text since the query began; undefined in the path. */
  let query: string | undefined;
  let path = '';
  for (const [index, node] of nodes.entries()) {
    if (typeof node !== 'string') {
      const name = query === undefined ? undefined : parameterAt(query);
      if (query !== undefined && name === undefined) return 'secret_place';
      const place = name === undefined ? 'path' : (`query:${name}` as const);
      for (const id of referencesOf([node])) places.push({ id, place });
      if (query === undefined) path += 'x';
      else query += 'x';
      rest.push(node);
      continue;
    }
    if (STRANGE.test(`|${node}|`)) return 'url_invalid';
    const hash = node.indexOf('#');
    const text = hash < 0 ? node : node.slice(0, hash);
    const mark = query === undefined ? text.indexOf('?') : -1;
    // A webhook's own address may have a query already; `&` goes on with it.
    if (start.base !== undefined && index === 0 && text.startsWith('&')) query = text;
    else if (mark >= 0) {
      path += text.slice(0, mark);
      query = text.slice(mark);
    } else if (query === undefined) path += text;
    else query += text;
    rest.push(encodeText(text));
    if (hash < 0) continue;
    // What follows a # is not sent at all.
    if (nodes.slice(index + 1).some((later) => typeof later !== 'string')) return 'secret_place';
    break;
  }
  if (DOT_SEGMENT.test(path)) return 'url_invalid';
  const [head] = rest;
  const rooted = start.base === undefined && !(typeof head === 'string' && head.startsWith('/'));
  return { ...start, rest: rooted ? ['/', ...rest] : rest, places };
}

/** The parameter whose value goes on at the end of this query (with its `?`); undefined where a name would. */
function parameterAt(query: string): string | undefined {
  const pair = query.slice(Math.max(query.lastIndexOf('&'), 0) + 1);
  const equals = pair.indexOf('=');
  return equals < 0 ? undefined : pair.slice(0, equals);
}

function encodeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replaceAll(/[^A-Za-z0-9\-._~!$&()*+,;=:@/?%]+/gu, percentEncode);
}

// Guarantees: a URL that passes has one reading. What stands between `//` and the path is, letter for letter, the host and
// port that are connected to; there is no user name, no number that some read as an address, no letter that some turn into
// another one, no character that parsers drop.
// Does not: resolve; judge addresses.
// An attacker may control: the text.
import { isIPv4 } from 'node:net';
import type { EgressCode } from './codes.ts';

export interface Target {
  readonly url: URL;
  /** In lower case, of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The host is an address. */
  readonly literal: boolean;
}

/** Characters of a URL; above what the broker lets through by nominal sizes, so that no secret's length decides here. */
const MAX_URL = 128 * 1024;
/** What parsers drop, turn round or take for a slash. Letters behind the host are encoded; in the host they are refused. */
const STRANGE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Z}\\]/u;
const SCHEME = /^https?:\/\/(?![/?#]|$)/i;
const ASCII = /^[\x21-\x7e]+$/;
const NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+$/;
/** Names of the own network and machine: RFC 6761, 6762 with its appendix G, 7686, 8375, and .internal of ICANN. */
const LOCAL_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa|arpa|onion)$/;

/** Ports of the Fetch standard (2.9, "bad ports"): services that would take a request for commands of their own. */
const BAD_PORTS: ReadonlySet<number> = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

/** `isOwn`: whether the owner configured exactly this host and port; such a one may have a local name and any port. */
export function readTarget(
  text: string,
  isOwn: (host: string, port: number) => boolean = () => false,
): Target | EgressCode {
  if (text.length > MAX_URL || STRANGE.test(text)) return 'url_invalid';
  if (!SCHEME.test(text))
    return /^[a-z][a-z0-9+.-]*:/i.test(text) && !/^https?:/i.test(text) ? 'url_scheme' : 'url_invalid';
  const rest = text.slice(text.indexOf('//') + 2);
  const authority = rest.slice(0, /[/?#]|$/.exec(rest)?.index ?? rest.length);
  if (authority.includes('@')) return 'url_user';
  // Before letters are made small: that turns the sign for kelvin into a k.
  if (!ASCII.test(authority)) return 'url_host';
  const parts = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d+))?$/i.exec(authority);
  if (parts === null) return 'url_host';
  const [, written = '', digits] = parts;
  if (!URL.canParse(text)) return digits === undefined || Number(digits) < 65_536 ? 'url_host' : 'url_port';
  const url = new URL(text);
  const host = written.toLowerCase().replace(/^\[|\]$/g, '');
  const parsedHost = url.hostname.replace(/^\[|\]$/g, '');
  const literal = isIPv4(parsedHost) || parsedHost.includes(':');
  // Of IPv6 another spelling is no trick: the parser takes hexadecimal groups and one dotted quad, and nothing else.
  if (host !== parsedHost && !parsedHost.includes(':')) return 'url_host';
  const port = digits === undefined ? (url.protocol === 'https:' ? 443 : 80) : Number(digits);
  // 080 and 8080 are two ports to some.
  if (digits !== undefined && String(port) !== digits) return 'url_port';
  if (port === 0) return 'url_port';
  const own = isOwn(parsedHost, port);
  if (!own && BAD_PORTS.has(port)) return 'url_port';
  if (!literal && !own) {
    if (!host.includes('.') || LOCAL_NAME.test(host)) return 'host_local';
    if (!NAME.test(host)) return 'url_host';
  }
  return { url, host: parsedHost, port, literal };
}

// Guarantees: what is sent is one request: no header that frames, routes or upgrades, none twice, no character that would
// begin another one, and not more than the caps.
// Does not: know what a header means to the host.
// An attacker may control: names, values and the body.
import type { EgressCode } from './codes.ts';

export type Headers = readonly (readonly [name: string, value: string])[];

/** RFC 9110, 5.1 and 5.5. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;
/** These are the connection's, and the client sets them. */
const OURS =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|http2-settings|proxy-.*)$/;

// The caps lie above what the broker lets through by nominal sizes: the length of a secret must never decide here.
const MAX_HEADERS = 100;
const MAX_HEADER_BYTES = 128 * 1024;
/** Requirements 7.8 allow 1 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Names in lower case, with `accept-encoding: identity` unless another one was asked for. */
export function checkHeaders(headers: Headers): Headers | EgressCode {
  const checked: (readonly [string, string])[] = [];
  const names = new Set<string>();
  let bytes = 0;
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (!NAME.test(name) || !VALUE.test(value) || OURS.test(name) || names.has(name)) return 'header_refused';
    names.add(name);
    bytes += name.length + value.length;
    checked.push([name, value]);
  }
  if (checked.length > MAX_HEADERS || bytes > MAX_HEADER_BYTES) return 'request_too_large';
  return names.has('accept-encoding') ? checked : [...checked, ['accept-encoding', 'identity']];
}

export function checkBody(body: string | Uint8Array | undefined): EgressCode | undefined {
  if (body === undefined) return undefined;
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  return bytes > MAX_BODY_BYTES ? 'request_too_large' : undefined;
}

/** Every way in which the broker says no: one code each, and words for the author made of public things only. */
import type { Refusal } from '../../../sandbox/wire/index.ts';
import type { SendFailure } from './ports.ts';

const MESSAGES = {
  url_invalid:
    'the URL is none that can be sent (want http:// or https://, a host, no user, no control characters)',
  scheme_refused: 'a secret is sent over https only',
  host_not_granted: 'the script may not speak to this host',
  method_not_granted: 'the script may not use this method',
  secret_not_granted: 'the script may not use this secret, or it no longer exists',
  secret_not_bound: 'this secret may not be sent to this host',
  secret_place: 'this secret may not stand in this place of a request',
  secret_inert: 'this text came encoded in an answer; it can be shown, but not sent',
  header_refused: 'this header can not be set by a script, or is set twice',
  request_too_large: 'the request holds more than can be sent',
  request_limit: 'the script sends too many requests',
  traffic_limit: 'the answers to the script are too large in all',
  response_too_large: 'the answer is too large',
  request_not_sent: 'the request could not be made with what it holds',
  redirect_refused: 'the answer leads to a place that this request may not go to',
  redirect_limit: 'too many redirects',
  address_refused: 'the address of this host may not be reached',
  dns_failed: 'the host has no address',
  connection_failed: 'no connection to the host, or it broke',
  tls_failed: 'no safe connection to the host (TLS)',
  http_timeout: 'the host did not answer in time',
  bad_response: 'the answer of the host can not be read',
  rate_limited: 'too many requests to this host in a second',
  secret_leak:
    'an answer held a secret that its request did not carry; the run was stopped and the owner is told',
  protocol_violation: 'the run was stopped',
  stopped: 'the run was stopped',
} as const;

export type RefusalCode = keyof typeof MESSAGES;

export const REFUSAL_CODES = Object.keys(MESSAGES) as readonly RefusalCode[];

/** `about` is a name or host from public text. */
export function refusal(code: RefusalCode, about?: string): Refusal & { readonly code: RefusalCode } {
  const text = MESSAGES[code];
  return { code, message: about === undefined ? text : `${text}: ${about}` };
}

export const SEND_FAILURES: Readonly<Record<SendFailure, RefusalCode>> = {
  address_refused: 'address_refused',
  dns_failed: 'dns_failed',
  connection_failed: 'connection_failed',
  tls_failed: 'tls_failed',
  timeout: 'http_timeout',
  too_large: 'response_too_large',
  bad_response: 'bad_response',
  rate_limited: 'rate_limited',
  outdated: 'request_not_sent',
};

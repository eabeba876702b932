/** Every way in which a request does not come about or breaks off: one fixed code, one fixed text. No URL, no header, no host
 * and no text of a library is in them. */
import { AppError } from '../../../core/index.ts';

const MESSAGES = {
  url_invalid: 'The address is no URL that can be sent.',
  url_scheme: 'The address begins with neither http:// nor https://.',
  url_user: 'The address holds a user name or a password.',
  url_host: 'The host in the address has an odd spelling.',
  url_port: 'The port in the address can not be used.',
  host_local: 'The host is a name of this machine or its own network.',
  header_refused:
    'A request header can not be set, is set twice or holds a character that is not allowed there.',
  request_too_large: 'The request is larger than allowed.',
  rate_limited: 'Too many requests to this host in a second.',
  dns_failed: 'The host has no address.',
  dns_timeout: 'The address of the host was not found in time.',
  address_refused: 'An address of the host may not be reached.',
  connect_failed: 'The host could not be reached.',
  timeout_connect: 'The host did not accept a connection in time.',
  tls_failed: "The host's certificate or encryption could not be verified.",
  timeout_headers: 'The host did not start to answer in time.',
  timeout_idle: 'The host fell silent in the middle of its answer.',
  timeout_total: 'The answer took longer than allowed.',
  headers_too_large: 'The headers of the answer are larger than allowed.',
  bad_response: 'The answer is not valid HTTP.',
  bad_encoding: 'The answer is compressed in a way that can not be undone.',
  too_large: 'The answer is larger than allowed.',
  cut: 'The connection broke before the answer was complete.',
  outdated: 'What the request holds was changed before it was sent.',
  aborted: 'The request was stopped.',
  redirect_limit: 'The host redirects too many times.',
  redirect_loop: 'The host redirects in a circle.',
  redirect_invalid: 'The host redirects to nowhere.',
  redirect_not_encrypted: 'The host redirects from https to http.',
} as const;

export type EgressCode = keyof typeof MESSAGES;

/** Family `upstream`; without a cause, so that nothing of a library's text travels on. */
export class EgressError extends AppError {
  declare readonly code: EgressCode;

  constructor(code: EgressCode) {
    super({ family: 'upstream', code, message: MESSAGES[code] });
  }
}

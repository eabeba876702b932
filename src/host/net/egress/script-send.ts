/**
 * The guard in the shape that the broker of scripts asks for: one hop, the whole body, failures as few fixed words. The body
 * of a redirect is not read: nobody gets it, so it would be traffic that no limit of a run counts.
 */
import { EgressError, type EgressCode } from './codes.ts';
import type { EgressGuard, EgressMethod } from './egress-guard.ts';
import type { Headers } from './request-rules.ts';

export interface ScriptRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly current?: (() => boolean) | undefined;
}

export type ScriptSendFailure =
  | 'address_refused'
  | 'dns_failed'
  | 'connection_failed'
  | 'tls_failed'
  | 'timeout'
  | 'too_large'
  | 'bad_response'
  | 'rate_limited'
  | 'outdated';

export type ScriptSendResult =
  | { readonly status: number; readonly headers: Headers; readonly body: Uint8Array }
  | { readonly failed: ScriptSendFailure; readonly status?: number | undefined };

/** What a script learns. It must not tell which inner names and addresses there are: all of these are one word. */
const FAILURES: Readonly<Record<EgressCode, ScriptSendFailure>> = {
  url_invalid: 'address_refused',
  url_scheme: 'address_refused',
  url_user: 'address_refused',
  url_host: 'address_refused',
  url_port: 'address_refused',
  host_local: 'address_refused',
  address_refused: 'address_refused',
  header_refused: 'bad_response',
  request_too_large: 'too_large',
  rate_limited: 'rate_limited',
  dns_failed: 'dns_failed',
  dns_timeout: 'dns_failed',
  connect_failed: 'connection_failed',
  timeout_connect: 'timeout',
  tls_failed: 'tls_failed',
  timeout_headers: 'timeout',
  timeout_idle: 'timeout',
  timeout_total: 'timeout',
  headers_too_large: 'bad_response',
  bad_response: 'bad_response',
  bad_encoding: 'bad_response',
  too_large: 'too_large',
  cut: 'connection_failed',
  outdated: 'outdated',
  aborted: 'connection_failed',
  redirect_limit: 'bad_response',
  redirect_loop: 'bad_response',
  redirect_invalid: 'bad_response',
  redirect_not_encrypted: 'bad_response',
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** `signal` ends the run's requests: their connections are closed at once. */
export function createScriptSend(
  guard: EgressGuard,
  script: string,
  signal?: AbortSignal,
): (request: ScriptRequest) => Promise<ScriptSendResult> {
  return async ({ method, url, headers, body, timeoutMs, maxBytes, current }) => {
    if (!isMethod(method)) return { failed: 'bad_response' };
    let status: number | undefined;
    try {
      const request = { method, url, headers, body, timeoutMs, maxBytes, current };
      const answer = await guard.send({ ...request, script, signal });
      status = answer.status;
      if (REDIRECTS.has(status) && answer.headers.some(([name]) => name === 'location')) {
        answer.close();
        return { status, headers: answer.headers, body: new Uint8Array() };
      }
      const parts: Uint8Array[] = [];
      for await (const part of answer.body) parts.push(part);
      return { status: answer.status, headers: answer.headers, body: Buffer.concat(parts) };
    } catch (error) {
      if (error instanceof EgressError) return { failed: FAILURES[error.code], status };
      throw error;
    }
  };
}

function isMethod(method: string): method is EgressMethod {
  return METHODS.has(method);
}

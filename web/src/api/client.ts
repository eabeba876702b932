import { accessToken, forget, refreshSession, Unreachable } from './session.ts';
import type { ApiError } from './types.ts';

/** A refusal by the server, or no answer (`status` 0, code `unreachable`). */
export class CallError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string | undefined;
  readonly reference: string | undefined;
  /** The mistakes of a text that is no program. */
  readonly problems: ApiError['problems'];
  /** Seconds to wait before the next try makes sense. */
  readonly retryAfter: number | undefined;

  constructor(status: number, body: ApiError, retryAfter?: number) {
    super(body.message);
    this.name = 'CallError';
    this.status = status;
    this.code = body.error;
    this.fix = body.fix;
    this.reference = body.reference;
    this.problems = body.problems;
    this.retryAfter = retryAfter;
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface CallOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** No bearer, and a 401 is an answer, not a reason to renew the login: for setup and login. */
  readonly open?: boolean;
  /** A 401 with a code other than `unauthorized` is about the body (a wrong password), not about the login. */
  readonly bodyHasPassword?: boolean;
}

/** Calls the admin API. On 401 the login is renewed once (parallel calls wait for the same renewal) and the call repeated. */
export async function call<Answer>(method: Method, path: string, options: CallOptions = {}): Promise<Answer> {
  const first = await send(method, path, options);
  if (first.status !== 401 || options.open) return read<Answer>(first);
  if (options.bodyHasPassword) {
    const problem = await problemOf(first.clone());
    if (problem.code !== 'unauthorized') throw problem;
  }
  let renewed: boolean;
  try {
    renewed = await refreshSession();
  } catch (error) {
    if (error instanceof Unreachable) throw unreachable();
    throw error;
  }
  if (!renewed) return read<Answer>(first);
  const second = await send(method, path, options);
  if (second.status === 401 && !options.bodyHasPassword) forget(false);
  return read<Answer>(second);
}

/** A file that the server makes, for the person to keep. The bearer goes in a header, never into an address. */
export async function download(path: string, name: string): Promise<void> {
  const ask = () => send('GET', path, {});
  let response = await ask();
  if (response.status === 401 && (await refreshSession())) response = await ask();
  if (!response.ok) throw await problemOf(response);
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function send(method: Method, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const token = accessToken();
  if (token && !options.open) headers['authorization'] = `Bearer ${token}`;
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
}

async function read<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) {
    const problem = await problemOf(response);
    // It was started again: nothing of this page works before somebody unlocks it.
    if (problem.code === 'vault_sealed' && location.pathname !== '/unlock') {
      location.assign(`/unlock?redirect=${encodeURIComponent(location.pathname + location.search)}`);
    }
    throw problem;
  }
  if (response.status === 204) return undefined as Answer;
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

async function problemOf(response: Response): Promise<CallError> {
  const header = Number(response.headers.get('retry-after'));
  let body: Partial<ApiError> | null;
  try {
    body = (await response.json()) as Partial<ApiError>;
  } catch {
    body = null;
  }
  const wait = body?.retry_after_s ?? (Number.isFinite(header) && header > 0 ? header : undefined);
  return new CallError(
    response.status,
    {
      error: body?.error ?? 'unknown',
      message: body?.message ?? `The server answered with status ${response.status} and no explanation.`,
      ...(body?.fix === undefined ? {} : { fix: body.fix }),
      ...(body?.reference === undefined ? {} : { reference: body.reference }),
      ...(body?.problems === undefined ? {} : { problems: body.problems }),
    },
    wait,
  );
}

function unreachable(): CallError {
  return new CallError(0, {
    error: 'unreachable',
    message: 'OpenPact does not answer.',
    fix: 'Check that it is running and that this device can reach it.',
  });
}

/** What happened and what to do, of anything thrown. */
export function explain(error: unknown): { readonly message: string; readonly fix: string | undefined } {
  if (error instanceof CallError) {
    const named = !error.reference || (error.fix?.includes(error.reference) ?? false);
    const reference = named ? '' : ` Reference: ${error.reference}.`;
    return { message: `${error.message}${reference}`, fix: error.fix };
  }
  if (error instanceof Unreachable) {
    return { message: error.message, fix: 'Check that it is running and that this device can reach it.' };
  }
  return {
    message: 'The page made a mistake. Reload it; if it happens again, please report it.',
    fix: undefined,
  };
}

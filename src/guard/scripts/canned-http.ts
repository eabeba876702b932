// Guarantees: nothing is sent; what the table does not hold is a connection that failed. The table is matched on the
// request as people see it, with markers for secrets, so that a look-up tells nothing about a value.
// Does not: hide a secret that the author puts into an answer (`{{NAME}}`): that is for the broker to find.
// An attacker may control: the requests; the author of the test writes the table.
import { isJsonObject, type AppError } from '../../core/index.ts';
import type { OutgoingRequest, SendNow, SendResult } from '../secrets/broker/index.ts';

interface CannedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface CannedOptions {
  /** What `{{NAME}}` stands for: made-up values, or those of the author. */
  readonly secrets: ReadonlyMap<string, string>;
  /** The error for a table that can't be used; `what` is a clause, such as `it is no object`. */
  readonly refuse: (what: string) => AppError;
}

/**
 * `{"GET https://host/path?query": {"status": 200, "headers": {}, "body": "..."}}`. A list of answers is given in order,
 * each once. A body is text, or any other JSON, which is sent as its text. `{{NAME}}` in a body or a header is the value
 * of that secret.
 */
export function readCannedHttp(data: unknown, { secrets, refuse }: CannedOptions): SendNow {
  if (!isJsonObject(data)) throw refuse('it is no object of "METHOD URL": answer');
  const table = new Map<string, { readonly answers: readonly CannedAnswer[]; next: number; once: boolean }>();
  for (const [key, value] of Object.entries(data)) {
    const listed = Array.isArray(value);
    const answers = (listed ? (value as unknown[]) : [value]).map((answer) =>
      readAnswer(key, answer, refuse),
    );
    table.set(canonicalKey(key, refuse), { answers, next: 0, once: listed });
  }
  const filled = (text: string): string =>
    text.replaceAll(/\{\{([A-Z][A-Z0-9_]{0,63})\}\}/g, (whole, name: string) => secrets.get(name) ?? whole);

  return (request: OutgoingRequest): SendResult => {
    const entry = table.get(canonicalKey(`${request.shown.method} ${request.shown.url}`, refuse));
    const answer = entry?.answers[entry.next];
    if (entry === undefined || answer === undefined) return { failed: 'connection_failed' };
    if (entry.once) entry.next += 1;
    const body = new TextEncoder().encode(filled(answer.body));
    if (body.length > request.maxBytes) return { failed: 'too_large', status: answer.status };
    return {
      status: answer.status,
      headers: answer.headers.map(([name, value]) => [name, filled(value)] as const),
      body,
    };
  };
}

function readAnswer(key: string, data: unknown, refuse: CannedOptions['refuse']): CannedAnswer {
  const about = `the answer to "${short(key)}"`;
  if (!isJsonObject(data)) throw refuse(`${about} is no object`);
  const { status = 200, headers = {}, body = '', ...rest } = data;
  const [stray] = Object.keys(rest);
  if (stray !== undefined) throw refuse(`"${short(stray)}" in ${about} is not known`);
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599)
    throw refuse(`the status of ${about} is no HTTP status`);
  if (!isJsonObject(headers)) throw refuse(`the headers of ${about} are no object`);
  const list = Object.entries(headers).map(([name, value]) => {
    if (typeof value !== 'string') throw refuse(`the header "${short(name)}" of ${about} is no text`);
    return [name, value] as const;
  });
  return { status, headers: list, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

/** Spellings of a URL that mean the same request: host in any case, the usual port, no path, characters not encoded. */
function canonicalKey(key: string, refuse: CannedOptions['refuse']): string {
  const parts = /^\s*([A-Za-z]+)\s+(\S.*?)\s*$/.exec(key);
  if (parts === null) throw refuse(`"${short(key)}" is not "METHOD URL"`);
  const [, method = '', url = ''] = parts;
  return `${method.toUpperCase()} ${canonicalUrl(url)}`;
}

function canonicalUrl(url: string): string {
  const [whole = '', scheme = '', host = ''] = /^(https?):\/\/([^/?#[]+)/i.exec(url) ?? [];
  const bare = host.toLowerCase().replace(scheme.toLowerCase() === 'https' ? /:443$/ : /:80$/, '');
  const start = whole === '' ? '' : `${scheme.toLowerCase()}://${bare}`;
  const rest = url.slice(whole.length).replace(/#.*$/, '');
  const rooted = whole !== '' && !rest.startsWith('/') ? `/${rest}` : rest;
  return (
    start +
    rooted
      .replaceAll(/[^!-~]+/gu, (text) => encodeURIComponent(text.toWellFormed()))
      .replaceAll(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase())
  );
}

function short(text: string): string {
  return text.slice(0, 200);
}

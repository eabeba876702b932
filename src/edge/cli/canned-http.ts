// Guarantees: nothing is sent; what the table does not hold is a connection that failed. The table is matched on the
// request as people see it, with markers for secrets, so that a look-up tells nothing about a value.
// Does not: hide a secret that the author puts into an answer (`{{NAME}}`): that is for the broker to find.
// An attacker may control: the requests.
import { AppError, isJsonObject } from '../../core/index.ts';
import type { OutgoingRequest, SendNow, SendResult } from '../../guard/secrets/broker/index.ts';

interface CannedAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/**
 * `{"GET https://host/path?query": {"status": 200, "headers": {}, "body": "..."}}`. A list of answers is given in order,
 * each once. `{{NAME}}` in a body or a header is the value of that secret. Errors: input `http_file_invalid`.
 */
export function createCannedHttp(data: unknown, secrets: ReadonlyMap<string, string>): SendNow {
  if (!isJsonObject(data)) throw invalid('it is no object of "METHOD URL": answer');
  const table = new Map<string, { readonly answers: readonly CannedAnswer[]; next: number; once: boolean }>();
  for (const [key, value] of Object.entries(data)) {
    const listed = Array.isArray(value);
    const answers = (listed ? (value as unknown[]) : [value]).map((answer) => readAnswer(key, answer));
    table.set(canonicalKey(key), { answers, next: 0, once: listed });
  }
  const filled = (text: string): string =>
    text.replaceAll(/\{\{([A-Z][A-Z0-9_]{0,63})\}\}/g, (whole, name: string) => secrets.get(name) ?? whole);

  return (request: OutgoingRequest): SendResult => {
    const entry = table.get(canonicalKey(`${request.shown.method} ${request.shown.url}`));
    const answer = entry?.answers[entry.next];
    if (entry === undefined || answer === undefined) return { failed: 'connection_failed' };
    if (entry.once) entry.next += 1;
    const body = new TextEncoder().encode(filled(answer.body));
    if (body.length > request.maxBytes) return { failed: 'too_large' };
    return {
      status: answer.status,
      headers: answer.headers.map(([name, value]) => [name, filled(value)] as const),
      body,
    };
  };
}

function readAnswer(key: string, data: unknown): CannedAnswer {
  if (!isJsonObject(data)) throw invalid(`the answer to "${short(key)}" is no object`);
  const { status = 200, headers = {}, body = '' } = data;
  const unknown = Object.keys(data).find((name) => !['status', 'headers', 'body'].includes(name));
  if (unknown !== undefined)
    throw invalid(`"${short(unknown)}" in the answer to "${short(key)}" is not known`);
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599)
    throw invalid(`the status of the answer to "${short(key)}" is no HTTP status`);
  if (typeof body !== 'string') throw invalid(`the body of the answer to "${short(key)}" is no text`);
  if (!isJsonObject(headers)) throw invalid(`the headers of the answer to "${short(key)}" are no object`);
  const list = Object.entries(headers).map(([name, value]) => {
    if (typeof value !== 'string') throw invalid(`the header "${short(name)}" is no text`);
    return [name, value] as const;
  });
  return { status, headers: list, body };
}

/** Spellings of a URL that mean the same request: host in any case, the usual port, no path, characters not encoded. */
function canonicalKey(key: string): string {
  const parts = /^\s*([A-Za-z]+)\s+(\S.*?)\s*$/.exec(key);
  if (parts === null) throw invalid(`"${short(key)}" is not "METHOD URL"`);
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

function invalid(what: string): AppError {
  return new AppError({
    family: 'input',
    code: 'http_file_invalid',
    message: `The file with HTTP answers can't be used: ${what}.`,
    fix: 'It looks like {"GET https://host/path?query": {"status": 200, "headers": {}, "body": "text"}}.',
  });
}

/** Requests for fuzzing the API: made from the route table itself, so that a new route is tried without being named here. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import * as fc from 'fast-check';
import type { AnyRoute } from '../../src/edge/admin/route.ts';
import { routeTable, type RouteDeps } from '../../src/edge/admin/routes/index.ts';
import { brokenText, hostileValue, spoiled, validFor, type Hints } from './fuzz-values.ts';

/** Every row of the one table. Nothing behind it is there: only method, path and schemas are read. */
export function allRoutes(): readonly AnyRoute[] {
  const nothing: unknown = new Proxy(() => nothing, { get: () => nothing });
  return routeTable(nothing as RouteDeps);
}

export interface FuzzRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string | Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FuzzReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const types = fc.oneof(
  { weight: 8, arbitrary: fc.constant<string | undefined>('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      undefined,
      '',
      'text/plain',
      'application/json; charset=latin1',
      'application/json, text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
    ),
  },
);
const more = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Record<string, string>>({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Record<string, string>>(
      { 'transfer-encoding': 'chunked' },
      { 'content-encoding': 'gzip' },
      { 'x-http-method-override': 'DELETE' },
      { 'x-forwarded-for': '__proto__', 'x-forwarded-proto': 'https' },
      { cookie: `refresh=${'x'.repeat(4000)}; refresh=; __proto__=1` },
      { 'accept-encoding': '*;q=0', accept: '\u00ff' },
      { 'if-none-match': '"'.repeat(1000) },
      { range: 'bytes=0-0,-1' },
    ),
  },
);
const segment = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    '.',
    '..',
    '%2e%2e',
    '%2e%2e%2fsecure',
    '%00',
    '%ff',
    '%',
    '%u0000',
    '%C0%AF',
    'a'.repeat(64),
    'a'.repeat(65),
    'a'.repeat(8000),
    '-',
    "'--",
    '*',
    ':id',
  ),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 30 })
    .map((text) => encodeURIComponent(text.toWellFormed())),
);

export interface Known {
  /** Identifiers that exist, for parts of paths. */
  readonly ids: readonly string[];
  readonly hints: Hints;
}

/** Requests for one row: what it takes, and what it was not made for. */
export function requestsFor(row: AnyRoute, known: Known): fc.Arbitrary<FuzzRequest> {
  const takes = row.method === 'POST' || row.method === 'PUT';
  const good = row.body ? validFor(row.body, 'input', known.hints) : fc.constant({});
  const body: fc.Arbitrary<string | Buffer | undefined> = takes
    ? fc.oneof(
        { weight: 4, arbitrary: good.map((value) => JSON.stringify(value)) },
        { weight: 4, arbitrary: spoiled(good).map((value) => JSON.stringify(value)) },
        { weight: 1, arbitrary: hostileValue.map((value) => JSON.stringify(value)) },
        { weight: 2, arbitrary: brokenText(good) },
        { weight: 1, arbitrary: fc.constant(undefined) },
      )
    : fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant('{}') });
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known.ids) },
    { weight: 2, arbitrary: segment },
  );
  const parts = row.path.split('/').map((part) => (part.startsWith(':') ? id : fc.constant(part)));
  return fc
    .record({ parts: fc.tuple(...parts), query: queryFor(row, known), body, type: types, extra: more })
    .map(({ parts: made, query, body: bytes, type, extra }) => ({
      method: row.method,
      path: `${made.join('/')}${query}`,
      body: bytes,
      headers: {
        ...(bytes === undefined || type === undefined ? {} : { 'content-type': type }),
        ...(bytes === undefined || 'transfer-encoding' in extra
          ? {}
          : { 'content-length': String(Buffer.byteLength(bytes)) }),
        // Without a body nothing would end a chunked one.
        ...(bytes === undefined && 'transfer-encoding' in extra ? {} : extra),
      },
    }));
}

function queryFor(row: AnyRoute, { hints }: Known): fc.Arbitrary<string> {
  const good = row.query ? validFor(row.query, 'output', hints) : fc.constant({});
  const encoded = (value: unknown): string => {
    const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [['v', value]];
    const text = fields
      .map(([name, inner]) => {
        const plain = typeof inner === 'string' ? inner : (JSON.stringify(inner) ?? '');
        return `${encodeURIComponent(String(name).toWellFormed())}=${encodeURIComponent(plain.toWellFormed())}`;
      })
      .join('&');
    // Longer than the headers may be is another refusal, with a test of its own.
    return text === '' ? '' : `?${text.slice(0, 12_000)}`;
  };
  return fc.oneof(
    { weight: 5, arbitrary: good.map(encoded) },
    { weight: 3, arbitrary: spoiled(good).map(encoded) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '?',
        '?%',
        '?a=%ff%fe',
        '?__proto__=1',
        '?limit=1&limit=2',
        '?limit=1e3&after=0x10',
        '?constructor[prototype]=1',
        '?=&&==',
        '?access_token=x',
      ),
    },
  );
}

export function send(
  port: number,
  request: FuzzRequest,
  more: Readonly<Record<string, string>> = {},
  from = '127.0.0.1',
): Promise<FuzzReply> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const outgoing = httpRequest(
      {
        host: '127.0.0.1',
        port,
        localAddress: from,
        method: request.method,
        path: request.path,
        agent: false,
        headers: { ...request.headers, ...more },
      },
      (response) => {
        answered = true;
        const chunks: Buffer[] = [];
        const done = (): void =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', done);
        response.on('error', reject);
      },
    );
    // A body that is refused half-way is not read on: what was answered counts.
    outgoing.on('error', (error) => {
      if (!answered) reject(error);
    });
    outgoing.end(request.body);
  });
}

import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createScriptBroker } from './create-broker.ts';
import { parseGrant } from './grant.ts';
import type { BrokerNotice, OutgoingRequest, RequestRecord, SendResult } from './ports.ts';
import { fixedSecrets } from './script-secrets.ts';

const VALUES = {
  TOKEN: 'tk_8f2k39xQ7aLmP0zR',
  OTHER: 'ot_Zz91mQpL5vBn3XcY',
  TEXT: 'zwölf Bäume_7kQ2xW9!',
  HOOK: 'https://hooks.test/services/T0/B0/q8Wz3nYx5LmK2vRp',
  PIN: 'hunter2',
  FAIR: 'wk-0123456789abcdef',
  SPECIAL: 'a/b?c&d=e#f%2z"Q9x\\y',
} as const;

const GRANT = {
  secrets: {
    TOKEN: ['api.test'],
    OTHER: ['other.test'],
    TEXT: ['api.test'],
    HOOK: ['hooks.test'],
    PIN: ['weak.test'],
    FAIR: ['fair.test'],
    SPECIAL: ['api.test'],
    MISSING: ['api.test'],
  },
  hosts: ['public.test', 'api.test:8080'],
  methods: ['GET', 'POST', 'PUT'],
};

type Node = string | readonly unknown[];

interface Ask {
  readonly method?: string;
  readonly url: readonly Node[];
  readonly headers?: readonly (readonly [string, readonly Node[]])[];
  readonly body?: readonly Node[];
}

/** What the broker said; a test looks at the member that it expects. */
interface Said {
  readonly found: boolean;
  readonly names: readonly string[];
  readonly refused: { readonly code: string; readonly message: string };
  readonly response: {
    readonly status: number;
    readonly headers: readonly unknown[];
    readonly body: readonly (string | readonly [string, string])[];
  };
}

function reply(body: string | Uint8Array, headers: Record<string, string> = {}, status = 200): SendResult {
  return {
    status,
    headers: Object.entries(headers),
    body: typeof body === 'string' ? Buffer.from(body) : body,
  };
}

function open(
  answer: (request: OutgoingRequest) => SendResult = () => reply('ok'),
  grant: unknown = GRANT,
  values: Record<string, string> = VALUES,
  limits = {},
) {
  const notices: BrokerNotice[] = [];
  const records: RequestRecord[] = [];
  const sent: OutgoingRequest[] = [];
  const broker = createScriptBroker({
    grant: parseGrant(grant),
    secrets: fixedSecrets(new Map(Object.entries(values))),
    watcher: { notice: (notice) => notices.push(notice), request: (record) => records.push(record) },
    remainingMs: () => 12_000,
    limits,
  });
  const raw = (line: string): Said =>
    JSON.parse(
      broker.handleNow(line, (request) => {
        sent.push(request);
        return answer(request);
      }),
    ) as Said;
  const ask = ({ method = 'GET', url, headers = [], body = [] }: Ask): Said =>
    raw(JSON.stringify({ op: 'http', method, url, headers, body }));
  return { ask, raw, notices, records, sent, broker };
}

const T = ['ref', 'TOKEN'] as const;
const API = 'https://api.test/';

describe('where a secret may go', () => {
  test.each<[string, Ask, string]>([
    ['a host that the grant does not name', { url: ['https://evil.test/'] }, 'host_not_granted'],
    ['another port', { url: ['https://api.test:8443/'] }, 'host_not_granted'],
    [
      'a granted host that this secret is not bound to',
      { url: ['https://public.test/?k=', T] },
      'secret_not_bound',
    ],
    ['a host that another secret is bound to', { url: ['https://other.test/?k=', T] }, 'secret_not_bound'],
    ['inside a hash as well', { url: ['https://public.test/?k=', ['sha256', [T]]] }, 'secret_not_bound'],
    [
      'as the key of a signature',
      { url: ['https://public.test/?k=', ['hmac', [T], ['m']]] },
      'secret_not_bound',
    ],
    [
      'one of two secrets unbound',
      { url: [API, T], body: [['ref', 'OTHER']], method: 'POST' },
      'secret_not_bound',
    ],
    ['the bound host on another port', { url: ['https://api.test:8080/?k=', T] }, 'secret_not_bound'],
    [
      'plain http, in a header',
      { url: ['http://api.test:8080/'], headers: [['X-Key', [T]]] },
      'scheme_refused',
    ],
    ['plain http', { url: ['http://api.test/?k=', T] }, 'scheme_refused'],
    ['a host that goes on in a secret', { url: ['https://api.test', T] }, 'secret_place'],
    ['a port that is a secret', { url: ['https://api.test:', T, '/'] }, 'url_invalid'],
    ['a secret as the scheme', { url: [T, '://api.test/'] }, 'secret_place'],
    ['a user name', { url: ['https://', T, '@api.test/'] }, 'url_invalid'],
    ['a public user name before a secret', { url: ['https://me@api.test/?k=', T] }, 'url_invalid'],
    ['a public user name', { url: ['https://me:pw@public.test/'] }, 'url_invalid'],
    ['a backslash for a slash', { url: ['https://api.test\\@evil.test/?k=', T] }, 'url_invalid'],
    ['upper case in the host before a secret', { url: ['https://API.test/?k=', T] }, 'url_invalid'],
    ['a number for a host', { url: ['https://0x7f.1/?k=', T] }, 'url_invalid'],
    ['a line end in a URL', { url: ['https://api.test/\n?k=', T] }, 'url_invalid'],
    ['a fragment', { url: [`${API}#`, T] }, 'secret_place'],
    ['the name of a query parameter', { url: [`${API}?`, T, '=1'] }, 'secret_place'],
    ['a query without a name', { url: [`${API}?a=1&`, T] }, 'secret_place'],
    ['dots that lead elsewhere', { url: [`${API}a/../b/`, T] }, 'url_invalid'],
    ['written dots that lead elsewhere', { url: [`${API}a/%2e%2E/`, T] }, 'url_invalid'],
    ['another scheme', { url: ['file:///etc/passwd'] }, 'url_invalid'],
    ['no URL', { url: [] }, 'url_invalid'],
    ['a method that is not granted', { url: [API], method: 'DELETE' }, 'method_not_granted'],
    ['a secret that is not granted', { url: [`${API}?k=`, ['ref', 'NOT_MINE']] }, 'secret_not_granted'],
    [
      'a granted secret that does not exist',
      { url: [`${API}?k=`, ['ref', 'MISSING']] },
      'secret_not_granted',
    ],
    ['a reference of no answer', { url: [`${API}?k=`, ['ref', 'TOKEN@7']] }, 'secret_not_granted'],
    [
      'a header value with text beyond ASCII',
      { url: [API], headers: [['x', [['ref', 'TEXT']]]] },
      'secret_place',
    ],
    ['the same in JSON', { url: [API], headers: [['x', [['json', [['ref', 'TEXT']]]]]] }, 'secret_place'],
    [
      'a webhook in a body',
      { url: ['https://hooks.test/'], body: [['ref', 'HOOK']], method: 'POST' },
      'secret_place',
    ],
    [
      'a webhook hashed into a query',
      { url: ['https://hooks.test/?k=', ['sha256', [['ref', 'HOOK']]]] },
      'secret_place',
    ],
    ['a host behind a webhook', { url: [['ref', 'HOOK'], '.evil.test/'] }, 'secret_place'],
    ['a function of a webhook as a URL', { url: [['b64', [['ref', 'HOOK']]]] }, 'secret_place'],
    ...[
      'Host',
      'content-length',
      'Transfer-Encoding',
      'Connection',
      'Upgrade',
      'TE',
      'Trailer',
      'Proxy-Authorization',
    ].map((name): [string, Ask, string] => [
      `the header ${name}`,
      { url: [API], headers: [[name, ['x']]] },
      'header_refused',
    ]),
    [
      'a header twice',
      {
        url: [API],
        headers: [
          ['A', ['1']],
          ['a', ['2']],
        ],
      },
      'header_refused',
    ],
    ['a line end in a header', { url: [API], headers: [['A', ['1\r\nB: 2']]] }, 'header_refused'],
    ['a space in a header name', { url: [API], headers: [['A B', ['1']]] }, 'header_refused'],
  ])('is refused: %s', (_what, request, code) => {
    const { ask, sent, records, notices } = open();
    expect(ask(request).refused.code).toBe(code);
    expect(sent).toEqual([]);
    expect(records.map(({ refused }) => refused)).toEqual([code]);
    expect(notices).toMatchObject([{ event: 'request_refused', code }]);
    const shown = JSON.stringify([records, notices]);
    for (const value of Object.values(VALUES)) expect(shown).not.toContain(value);
  });

  test('a query, a path segment, a header and a body are filled in', () => {
    const { ask, sent } = open();
    ask({
      method: 'POST',
      url: [`${API}v1/`, T, '?q=New York&key=', ['ref', 'SPECIAL']],
      headers: [
        ['Authorization', ['Bearer ', T]],
        ['X-Basic', [['b64', ['user:', T]]]],
      ],
      body: ['{"text":', ['json', ['é', ['ref', 'TEXT']]], '}'],
    });
    expect(sent).toMatchObject([
      {
        method: 'POST',
        url: `https://api.test/v1/${VALUES.TOKEN}?q=New%20York&key=a%2Fb%3Fc%26d%3De%23f%252z%22Q9x%5Cy`,
        body: `{"text":"é${VALUES.TEXT}"}`,
        timeoutMs: 12_000,
      },
    ]);
    const headers = Object.fromEntries(sent[0]?.headers ?? []);
    expect(headers).toEqual({
      'user-agent': 'OpenPact-Starlark/1.0',
      accept: '*/*',
      'accept-encoding': 'identity',
      authorization: `Bearer ${VALUES.TOKEN}`,
      'x-basic': Buffer.from(`user:${VALUES.TOKEN}`).toString('base64'),
    });
  });

  test('what people see of a request has markers', () => {
    const { ask, records } = open();
    ask({ url: [`${API}?key=`, T, '&n=1'], headers: [['Authorization', ['Bearer ', T]]] });
    expect(records).toEqual([
      {
        method: 'GET',
        url: 'https://api.test/?key=[REDACTED:TOKEN]&n=1',
        headers: { authorization: 'Bearer [REDACTED:TOKEN]' },
        body: '',
      },
    ]);
  });

  test('url.encode is not encoded twice, everything else in a URL once', () => {
    const { ask, sent } = open();
    ask({ url: [`${API}?a=`, ['url', [['ref', 'SPECIAL']]], '&b=', ['b64', [['ref', 'SPECIAL']]]] });
    const url = new URL(sent[0]?.url ?? '');
    expect(url.searchParams.get('a')).toBe(VALUES.SPECIAL);
    expect(url.searchParams.get('b')).toBe(Buffer.from(VALUES.SPECIAL).toString('base64'));
  });

  test('a webhook is the beginning of a URL and goes to its own host', () => {
    const { ask, sent, records } = open();
    ask({ method: 'POST', url: [['ref', 'HOOK'], '?wait=true'], body: ['{}'] });
    expect(sent[0]?.url).toBe(`${VALUES.HOOK}?wait=true`);
    expect(records[0]?.url).toBe('[REDACTED:HOOK]?wait=true');
  });

  test('a webhook whose origin is not in the grant goes nowhere', () => {
    const { ask, sent } = open(undefined, { ...GRANT, secrets: { HOOK: ['api.test'] } });
    expect(ask({ url: [['ref', 'HOOK']] }).refused.code).toBe('host_not_granted');
    expect(sent).toEqual([]);
  });

  test.each<[string, Ask, boolean]>([
    ['its header', { url: [API], headers: [['Authorization', [T]]] }, true],
    ['its query parameter', { url: [`${API}?key=`, T] }, true],
    ['another header', { url: [API], headers: [['X-Other', [T]]] }, false],
    ['another query parameter', { url: [`${API}?name=`, T] }, false],
    ['a parameter that only ends like it', { url: [`${API}?a=1?key=`, T] }, false],
    ['the path', { url: [API, T] }, false],
    ['the body', { url: [API], method: 'POST', body: [T] }, false],
    ['the body, hashed', { url: [API], method: 'POST', body: [['sha256', [T]]] }, false],
  ])('a grant with places: %s', (_what, request, allowed) => {
    const secrets = { TOKEN: { origins: ['https://api.test'], in: ['header:authorization', 'query:key'] } };
    const { ask, sent } = open(undefined, { ...GRANT, secrets });
    expect(ask(request).refused?.code).toBe(allowed ? undefined : 'secret_place');
    expect(sent).toHaveLength(allowed ? 1 : 0);
  });

  test('a value that would lead elsewhere in a path is not sent, with words that do not tell why', () => {
    const { ask, sent } = open(undefined, GRANT, { ...VALUES, TOKEN: '..' });
    expect(ask({ url: [`${API}a/`, T, '/b'] }).refused).toEqual({
      code: 'request_not_sent',
      message: 'the request could not be made with what it holds: api.test',
    });
    expect(sent).toEqual([]);
  });

  test('names are told, undeclared secrets are None and noted', () => {
    const { raw, notices } = open();
    expect(raw('{"op":"get","name":"TOKEN"}')).toEqual({ found: true });
    expect(raw('{"op":"get","name":"MISSING"}')).toEqual({ found: false });
    expect(raw('{"op":"has","name":"NOT_MINE"}')).toEqual({ found: false });
    expect(raw('{"op":"get","name":"rm -rf"}')).toEqual({ found: false });
    expect(raw('{"op":"list"}').names).toEqual(Object.keys(GRANT.secrets).toSorted());
    expect(notices).toEqual([
      { event: 'secret_read', name: 'TOKEN' },
      { event: 'secret_undeclared', name: 'NOT_MINE' },
      { event: 'secret_undeclared', name: '(no valid name)' },
    ]);
  });

  test('noise of a script does not keep the use of a secret out of the log', () => {
    const { raw, ask, notices } = open();
    for (let index = 0; index < 300; index += 1) raw(`{"op":"get","name":"NOISE_${index}"}`);
    expect(notices).toHaveLength(201);
    expect(notices.at(-1)).toEqual({ event: 'notices_cut' });
    raw('{"op":"get","name":"TOKEN"}');
    ask({ url: ['https://api.test/?k=', ['ref', 'TOKEN']] });
    expect(notices.slice(201)).toEqual([
      { event: 'secret_read', name: 'TOKEN' },
      { event: 'secret_sent', name: 'TOKEN', host: 'api.test' },
    ]);
  });

  test('blank secrets are missing', () => {
    const { raw } = open(undefined, GRANT, { TOKEN: '  \n' });
    expect(raw('{"op":"get","name":"TOKEN"}')).toEqual({ found: false });
  });
});

describe('redirects', () => {
  const to =
    (location: string, status = 302) =>
    (request: OutgoingRequest): SendResult =>
      request.url.startsWith(API) && !request.url.includes('/end')
        ? reply('', { Location: location }, status)
        : reply('end');

  test('on the same host everything is kept', () => {
    const { ask, sent } = open(to('/end'));
    ask({ url: [API], headers: [['Authorization', [T]]] });
    expect(sent.map(({ url }) => url)).toEqual([API, 'https://api.test/end']);
    expect(Object.fromEntries(sent[1]?.headers ?? []).authorization).toBe(VALUES.TOKEN);
  });

  test('on the way to another host the authorization is left behind', () => {
    const { ask, sent } = open(to('https://public.test/file'));
    expect(ask({ url: [API], headers: [['Authorization', [T]]] }).response.status).toBe(200);
    expect(JSON.stringify(sent[1])).not.toContain(VALUES.TOKEN);
  });

  test.each<[string, string, number, Ask]>([
    [
      'another header would carry a secret along',
      'https://public.test/',
      302,
      { url: [API], headers: [['X-Key', [T]]] },
    ],
    ['a body would', 'https://public.test/', 307, { url: [API], method: 'POST', body: [T] }],
    [
      'the Location would, echoing it',
      `https://public.test/?k=${VALUES.TOKEN}`,
      302,
      { url: [`${API}?k=`, T] },
    ],
    [
      'the Location would, in another form',
      `https://public.test/${Buffer.from(VALUES.TOKEN).toString('hex')}`,
      302,
      { url: [`${API}?k=`, T] },
    ],
    ['the host is not granted', 'https://evil.test/', 302, { url: [API] }],
    ['the address is inside', 'http://127.0.0.1/', 302, { url: [API] }],
    ['it leads to plain http', 'http://public.test/', 302, { url: [`${API}?k=`, T] }],
    ['it leads to another scheme', 'ftp://public.test/', 302, { url: [API] }],
    ['it leads to no URL', 'https://', 302, { url: [API] }],
  ])('is refused when %s', (_what, location, status, request) => {
    const { ask, sent } = open(to(location, status));
    expect(ask(request).refused.code).toBe('redirect_refused');
    expect(sent).toHaveLength(1);
  });

  test('a Location that echoes the secret on its own host is followed with the secret', () => {
    const { ask, sent, records } = open(to(`/end?k=${VALUES.TOKEN}`));
    ask({ url: [`${API}?k=`, T] });
    expect(sent[1]?.url).toBe(`https://api.test/end?k=${VALUES.TOKEN}`);
    expect(records[1]?.url).toBe('https://api.test/end?k=[REDACTED:TOKEN]');
  });

  test.each([
    [303, 'GET', undefined],
    [302, 'GET', undefined],
    [301, 'GET', undefined],
    [307, 'POST', 'text'],
    [308, 'POST', 'text'],
  ])('after %i a POST goes on as %s', (status, method, body) => {
    const { ask, sent } = open(to('/end', status));
    ask({ url: [API], method: 'POST', body: ['text'], headers: [['Content-Type', ['text/plain']]] });
    expect(sent[1]).toMatchObject({ method });
    expect(sent[1]?.body).toBe(body);
  });

  test('they end after ten', () => {
    const { ask, sent } = open(() => reply('', { location: '/again' }, 302));
    expect(ask({ url: [API] }).refused.code).toBe('redirect_limit');
    expect(sent).toHaveLength(11);
  });
});

describe('answers', () => {
  const ask = (body: string | Uint8Array, headers: Record<string, string> = {}) => {
    const box = open(() => reply(body, headers));
    return { ...box, answer: box.ask({ url: [`${API}?k=`, T] }) };
  };

  test('the bare value becomes the reference', () => {
    expect(ask(`a ${VALUES.TOKEN} b`).answer.response.body).toEqual(['a ', ['ref', 'TOKEN'], ' b']);
  });

  const value = VALUES.TOKEN;
  const bytes = Buffer.from(value);
  test.each<[string, string]>([
    ['base64', bytes.toString('base64')],
    ['base64 without padding', bytes.toString('base64url')],
    ['base64 twice', Buffer.from(bytes.toString('base64')).toString('base64')],
    ['hex', bytes.toString('hex')],
    ['upper hex', bytes.toString('hex').toUpperCase()],
    ['hex with colons', bytes.toString('hex').replaceAll(/..(?!$)/g, '$&:')],
    ['bytes', [...bytes].join(', ')],
    ['percent', [...bytes].map((byte) => `%${byte.toString(16)}`).join('')],
    ['JSON escapes', [...value].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')],
    [
      'every second character escaped',
      [...value].map((c, i) => (i % 2 ? c : `%${c.charCodeAt(0).toString(16)}`)).join(''),
    ],
    ['entities', [...value].map((c) => `&#${c.charCodeAt(0)};`).join('')],
    ['reversed', [...value].toReversed().join('')],
    ['upper case', value.toUpperCase()],
    ['mixed case', [...value].map((c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join('')],
    ['one character a word', [...value].join(' ')],
    ['UTF-16', bytes.toString('latin1').split('').join('\u0000')],
  ])('in another form it is inert: %s', (_form, text) => {
    const { answer, ask: again } = { ...ask(`<${text}>`), ask: undefined };
    expect(again).toBeUndefined();
    expect(answer.response.body[1]).toEqual(['ref', 'TOKEN@1']);
    expect(JSON.stringify(answer)).not.toContain(text.slice(2, -2));
  });

  test('an inert text can not be sent, not even back', () => {
    const { answer, ask: send } = (() => {
      const box = open(() => reply(bytes.toString('hex')));
      return { answer: box.ask({ url: [`${API}?k=`, T] }), ask: box.ask };
    })();
    expect(answer.response.body).toEqual([['ref', 'TOKEN@1']]);
    expect(send({ url: [`${API}?k=`, ['ref', 'TOKEN@1']] }).refused.code).toBe('secret_inert');
  });

  test.each<[string, Uint8Array, Record<string, string>]>([
    ['gzip', gzipSync(`a ${value}`), { 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(`a ${value}`), { 'Content-Encoding': 'deflate' }],
    ['gzip twice', gzipSync(gzipSync(`a ${value}`)), { 'content-encoding': 'gzip, gzip' }],
    [
      'UTF-16 with its name',
      Buffer.from(`\ufeffa ${value}`, 'utf16le'),
      { 'content-type': 'text/plain; charset=utf-16le' },
    ],
  ])('it is looked for behind %s', (_what, body, headers) => {
    const { answer } = ask(body, headers);
    expect(answer.response.body.at(-1)?.[0]).toBe('ref');
    expect(JSON.stringify(answer)).not.toContain(value);
  });

  test.each<[string, Uint8Array, Record<string, string>]>([
    ['compressed without saying so', gzipSync(`a ${value}`), {}],
    [
      'in a character set that hides it',
      Buffer.from(value),
      { 'content-type': 'text/plain; charset=utf-16le' },
    ],
  ])('a body that is %s is inert as a whole', (_what, body, headers) => {
    expect(ask(body, headers).answer.response.body).toEqual([['ref', 'TOKEN@1']]);
  });

  test('a compression bomb is refused', () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
    expect(ask(bomb, { 'content-encoding': 'gzip' }).answer.refused.code).toBe('response_too_large');
    expect(ask('no gzip', { 'content-encoding': 'gzip' }).answer.refused.code).toBe('bad_response');
    expect(ask('?', { 'content-encoding': 'secret' }).answer.refused.code).toBe('bad_response');
  });

  test('headers are searched too, their names as well', () => {
    const { answer } = ask('', {
      'X-Echo': `was ${value}`,
      [`x-${value.toLowerCase()}`]: '1',
      'X-Hex': bytes.toString('hex'),
    });
    expect(answer.response.headers).toEqual([
      ['x-echo', ['was ', ['ref', 'TOKEN']]],
      ['x-hex', [['ref', 'TOKEN@1']]],
    ]);
  });

  test('sizes and digests are left out once a secret was sent, and only then', () => {
    const headers = { 'content-length': '9', etag: '"a"', 'content-md5': 'x', digest: 'x', 'x-kept': '1' };
    expect(ask('', headers).answer.response.headers).toEqual([['x-kept', ['1']]]);
    const { ask: plain } = open(() => reply('', headers));
    expect(plain({ url: ['https://public.test/'] }).response.headers).toHaveLength(5);
  });

  test('what was sent as a function of a secret is inert when it comes back', () => {
    const { ask: send } = open((request) => reply(Object.fromEntries(request.headers)['x-sig'] ?? ''));
    const answer = send({ url: [API], headers: [['X-Sig', [['hmac', [T], ['message']]]]] });
    expect(answer.response.body).toEqual([['ref', 'TOKEN@1']]);
  });

  test('a secret that the request did not carry stops the run and the owner is told', () => {
    const { ask: send, notices, broker } = open(() => reply(`you are ${value}`));
    expect(send({ url: ['https://public.test/'] }).refused.code).toBe('secret_leak');
    expect(notices).toContainEqual({ event: 'secret_leak', name: 'TOKEN', host: 'public.test' });
    expect(broker.stopped).toBe('secret_leak');
    expect(send({ url: [API] }).refused.code).toBe('stopped');
  });

  test('a weak secret hides the answers of its host, so that nobody can guess with them', () => {
    const { ask: send, notices } = open(() => reply('was it hunter2?', { 'x-a': 'hunter2' }));
    const answer = send({ url: ['https://weak.test/?k=', ['ref', 'PIN']] });
    expect(answer.response).toEqual({ status: 200, headers: [], body: [['ref', 'PIN@1']] });
    expect(send({ url: ['https://weak.test/'] }).response.body).toEqual([['ref', 'PIN@1']]);
    expect(notices).toContainEqual({ event: 'answer_hidden', name: 'PIN', host: 'weak.test' });
  });

  test('unless the grant shows them', () => {
    const secrets = { PIN: { origins: ['https://weak.test'], answers: 'shown' } };
    const { ask: send } = open(() => reply('it is hunter2'), { ...GRANT, secrets });
    expect(send({ url: ['https://weak.test/?k=', ['ref', 'PIN']] }).response.body).toEqual([
      'it is ',
      ['ref', 'PIN'],
    ]);
  });

  test('a weak secret does not travel in a Location', () => {
    const { ask: send, sent, records } = open(() => reply('', { location: '/x?k=hunter2' }, 302));
    expect(send({ url: ['https://weak.test/?k=', ['ref', 'PIN']] }).refused.code).toBe('redirect_refused');
    expect(sent).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });

  test('a fair secret is looked for on its own host only', () => {
    const { ask: send } = open(() => reply(VALUES.FAIR));
    expect(send({ url: ['https://fair.test/?k=', ['ref', 'FAIR']] }).response.body).toEqual([
      ['ref', 'FAIR'],
    ]);
    expect(send({ url: ['https://public.test/'] }).response.body).toEqual([VALUES.FAIR]);
  });

  test('fresh credentials become references bound to their host', () => {
    const fresh = 'fr_5nQ8wYz2XkLm7RtV';
    const body = `{"access_token":"${fresh}","n":1,"again":"x ${fresh}","Api-Key":{"id":"q1"},"token_count":5}`;
    const { ask: send, sent } = open(() =>
      reply(body, { 'Set-Cookie': `sid=${fresh}; Path=/`, 'X-Auth-Token': 'abc' }),
    );
    const answer = send({ url: [API] });
    const id = answer.response.body[1]?.[1] ?? '';
    expect(answer.response.body).toEqual([
      '{"access_token":"',
      ['ref', id],
      '","n":1,"again":"x ',
      ['ref', id],
      '","Api-Key":{"id":"q1"},"token_count":5}',
    ]);
    expect(JSON.stringify(answer)).not.toContain(fresh);
    expect(JSON.stringify(answer.response.headers)).not.toContain('abc');
    send({ url: [`${API}?t=`, ['ref', id]] });
    expect(sent[1]?.url).toBe(`${API}?t=${fresh}`);
    expect(send({ url: ['https://public.test/?t=', ['ref', id]] }).refused.code).toBe('secret_not_bound');
  });

  test('a grant can name more fields', () => {
    const { ask: send } = open(() => reply('{"pin":"1234","pins":"x"}'), {
      ...GRANT,
      hidden_fields: ['pin'],
    });
    expect(send({ url: [API] }).response.body).toEqual(['{"pin":"', ['ref', 'PIN@1'], '","pins":"x"}']);
  });

  test('a field that holds more than a secret is inert', () => {
    const { answer } = ask(`{"token":"Bearer ${value}"}`);
    expect(answer.response.body).toEqual(['{"token":"', ['ref', 'TOKEN@1'], '"}']);
  });

  test('whether an answer is too large does not depend on a secret in it', () => {
    const near = (token: string, pad: number): string => {
      const box = open(
        () => reply('x'.repeat(pad) + token),
        GRANT,
        { ...VALUES, TOKEN: token },
        { responseBytes: 10_000 },
      );
      return JSON.stringify(box.ask({ url: [`${API}?k=`, T] }).refused?.code ?? 'fine');
    };
    for (const pad of [5_000, 5_904, 5_905, 9_950, 9_980])
      expect(near(value, pad)).toBe(near(`${value}_and_20_more_of_them`, pad));
    expect(near(value, 5_904)).toBe('"fine"');
    expect(near(value, 5_905)).toBe('"response_too_large"');
  });
});

describe('limits of a run', () => {
  test('requests', () => {
    const { ask } = open(undefined, GRANT, VALUES, { requests: 2 });
    expect([1, 2, 3].map(() => ask({ url: [API] }).refused?.code)).toEqual([
      undefined,
      undefined,
      'request_limit',
    ]);
  });

  test('bytes of all answers', () => {
    const { ask } = open(() => reply('x'.repeat(600)), GRANT, VALUES, { totalBytes: 1_000 });
    expect([1, 2, 3].map(() => ask({ url: [API] }).refused?.code)).toEqual([
      undefined,
      'response_too_large',
      'traffic_limit',
    ]);
  });

  test('functions of secrets', () => {
    const { ask } = open();
    const many = (from: number): Node[] =>
      Array.from({ length: 150 }, (_, i) => ['sha256', [T, String(from + i)]]);
    expect(ask({ url: [API], method: 'POST', body: many(0) }).refused).toBeUndefined();
    expect(ask({ url: [API], method: 'POST', body: many(0) }).refused).toBeUndefined();
    expect(ask({ url: [API], method: 'POST', body: many(150) }).refused.code).toBe('request_too_large');
  });

  test.each([
    ['address_refused', 'address_refused'],
    ['timeout', 'http_timeout'],
    ['too_large', 'response_too_large'],
    ['tls_failed', 'tls_failed'],
  ] as const)('a sender that says %s gives %s and no more', (failed, code) => {
    const { ask } = open(() => ({ failed }));
    expect(ask({ url: [`${API}?k=`, T] }).refused.code).toBe(code);
  });
});

describe('asked as the worker asks', () => {
  const deps = (notices: BrokerNotice[], remainingMs = () => 9_000) => ({
    grant: parseGrant(GRANT),
    secrets: fixedSecrets(new Map(Object.entries(VALUES))),
    watcher: { notice: (notice: BrokerNotice) => void notices.push(notice) },
    remainingMs,
  });
  const line = JSON.stringify({ op: 'http', method: 'GET', url: [`${API}?k=`, T], headers: [], body: [] });

  test('it waits for the sender', async () => {
    const broker = createScriptBroker(deps([]));
    const answer = await broker.handle(line, async (request) => {
      await Promise.resolve();
      return reply(request.url);
    });
    expect(JSON.parse(answer)).toMatchObject({ response: { body: [`${API}?k=`, ['ref', 'TOKEN']] } });
  });

  test('one line at a time', async () => {
    const broker = createScriptBroker(deps([]));
    const first = broker.handle(line, () => Promise.resolve(reply('ok')));
    await expect(broker.handle(line, () => Promise.resolve(reply('ok')))).rejects.toThrow(
      'while it was answering',
    );
    expect(await first).toContain('response');
  });

  test('a sender that throws is a fault that says nothing of the request', async () => {
    const notices: BrokerNotice[] = [];
    const broker = createScriptBroker(deps(notices));
    const answer = await broker.handle(line, (request) =>
      Promise.reject(new Error(`no route to ${request.url}`)),
    );
    expect(JSON.parse(answer)).toMatchObject({ refused: { code: 'connection_failed' } });
    expect(answer + JSON.stringify(notices)).not.toContain(VALUES.TOKEN);
    expect(notices).toContainEqual({ event: 'send_fault', host: 'api.test' });
  });

  test('a run without time sends nothing more', async () => {
    const broker = createScriptBroker(deps([], () => 0));
    const answer = await broker.handle(line, () => Promise.reject(new Error('not reached')));
    expect(JSON.parse(answer)).toMatchObject({ refused: { code: 'http_timeout' } });
  });

  test('a notice that can not be written stops the request before it is sent', async () => {
    const sent: OutgoingRequest[] = [];
    const broker = createScriptBroker({
      ...deps([]),
      watcher: {
        notice: () => {
          throw new Error('the disk is full');
        },
      },
    });
    await expect(
      broker.handle(line, (request) => {
        sent.push(request);
        return Promise.resolve(reply('ok'));
      }),
    ).rejects.toThrow('the disk is full');
    expect(sent).toEqual([]);
  });
});

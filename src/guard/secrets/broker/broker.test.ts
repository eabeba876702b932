import { describe, expect, test } from 'vitest';
import type { OutgoingRequest, SendResult } from './ports.ts';
import { API, GRANT, open, reply, T, VALUES, type Ask } from './broker.test-support.ts';

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

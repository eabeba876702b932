import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { EgressRequest } from '../../../src/host/net/egress/index.ts';
import { codeOf, get, INNER, PUBLIC, rig, serve, serveTls, type Served } from './egress-rig.ts';

const url = ({ port }: Served, path = '/', host = 'a.example.com'): string => `http://${host}:${port}${path}`;

/** `/to?STATUS,URL` redirects; everything else says what it got. */
const redirecting =
  (
    seen: {
      method: string | undefined;
      path: string | undefined;
      headers: IncomingHttpHeaders;
      body: string;
    }[] = [],
  ): RequestListener =>
  (request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      seen.push({ method: request.method, path: request.url, headers: request.headers, body });
      const to = /^\/to\?(\d+),(.*)$/s.exec(request.url ?? '');
      if (to === null) {
        response.end('here');
        return;
      }
      response.writeHead(Number(to[1]), { location: decodeURIComponent(to[2] ?? '') });
      response.end('moved');
    });
  };

const to = (served: Served, location: string, status = 302): string =>
  url(served, `/to?${status},${encodeURIComponent(location)}`);

const names = { 'inner.example.com': [[INNER]] };
const followed = (request: EgressRequest, known = names): Promise<unknown> =>
  codeOf(rig(known).guard.follow(request));

describe('a redirect', () => {
  it('is an answer like any other when nobody follows it', async () => {
    const inner = await serve(redirecting(), INNER);
    const outer = await serve(redirecting());
    const location = `http://inner.example.com:${inner.port}/`;
    const answer = await rig(names).guard.send(get(to(outer, location)));
    expect([answer.status, Object.fromEntries(answer.headers)['location']]).toEqual([302, location]);
    answer.close();
    expect(inner.connections()).toBe(0);
  });

  it('to the inside is refused, however it is written', async () => {
    const inner = await serve(redirecting(), INNER);
    const outer = await serve(redirecting());
    const { port } = inner;
    const cases: [string, string][] = [
      [`http://inner.example.com:${port}/`, 'address_refused'],
      [`//inner.example.com:${port}/`, 'address_refused'],
      [`http://${INNER}:${port}/`, 'address_refused'],
      [`//${INNER}:${port}/`, 'address_refused'],
      ['http://169.254.169.254/latest/meta-data/', 'address_refused'],
      ['http://[::1]/', 'address_refused'],
      ['http://localhost/', 'host_local'],
      [`http://127.2:${port}/`, 'url_host'],
      [`http://0x7f000002:${port}/`, 'url_host'],
      [`http://2130706434:${port}/`, 'url_host'],
      [`http://a.example.com@${INNER}:${port}/`, 'url_user'],
      [`http:${INNER}:${port}/`, 'url_invalid'],
      [`http:\\\\${INNER}:${port}/`, 'url_invalid'],
      [`\\\\${INNER}:${port}/`, 'redirect_invalid'],
      [`/\\${INNER}:${port}/`, 'redirect_invalid'],
      [`\t//${INNER}:${port}/`, 'address_refused'],
      ['file:///etc/passwd', 'url_scheme'],
      ['gopher://a.example.com/', 'url_scheme'],
      ['javascript:alert(1)', 'url_scheme'],
      ['http://', 'url_invalid'],
    ];
    for (const status of [301, 302, 303, 307, 308]) {
      expect(await followed(get(to(outer, `http://inner.example.com:${port}/`, status)))).toBe(
        'address_refused',
      );
    }
    const got: [string, unknown][] = [];
    for (const [location] of cases) got.push([location, await followed(get(to(outer, location)))]);
    expect(got).toEqual(cases);
    expect(inner.connections()).toBe(0);
  });

  it('to the inside behind several good ones is refused', async () => {
    const inner = await serve(redirecting(), INNER);
    const outer = await serve(redirecting());
    const last = to(outer, `http://inner.example.com:${inner.port}/`);
    expect(await followed(get(to(outer, to(outer, to(outer, last)))))).toBe('address_refused');
    expect(inner.connections()).toBe(0);
  });

  it('to the same name is refused when the name leads inside by then', async () => {
    const outer = await serve(redirecting());
    const inner = await serve(redirecting(), INNER, outer.port);
    const rebinding = { 'a.example.com': [[PUBLIC], [INNER]] };
    expect(await codeOf(rig(rebinding).guard.follow(get(to(outer, '/next'))))).toBe('address_refused');
    expect(inner.connections()).toBe(0);
  });

  it('in a circle or without end is given up, and the audit hears of it', async () => {
    const outer = await serve(redirecting());
    const one = rig();
    const self = await serve((_, response) => {
      response.writeHead(302, { location: '/' });
      response.end();
    });
    expect(await codeOf(one.guard.follow(get(url(self))))).toBe('redirect_loop');
    expect(self.connections()).toBe(1);
    let count = 0;
    const endless = await serve((_, response) => {
      count += 1;
      response.writeHead(302, { location: `/${count}` });
      response.end();
    });
    expect(await codeOf(one.guard.follow(get(url(endless))))).toBe('redirect_limit');
    expect(count).toBe(6);
    expect(one.refusals.map(({ code, host }) => [code, host])).toEqual([
      ['redirect_loop', 'a.example.com'],
      ['redirect_limit', 'a.example.com'],
    ]);
    const five = [1, 2, 3, 4, 5].reduce((next) => to(outer, next), url(outer, '/end'));
    expect(await followed(get(five))).toBe('no failure');
  });

  it('from https to http is refused, from http to https followed', async () => {
    const plain = await serve(redirecting());
    const secure = await serveTls(redirecting());
    const base = `https://secure.example.com:${secure.port}`;
    const down = `${base}/to?302,${encodeURIComponent(url(plain))}`;
    expect(await followed(get(down))).toBe('redirect_not_encrypted');
    expect(
      await followed(get(`${base}/to?302,${encodeURIComponent(`//a.example.com:${plain.port}/`)}`)),
    ).toBe('tls_failed');
    expect(await followed(get(to(plain, `${base}/`)))).toBe('no failure');
  });

  it('to another origin takes no key, no cookie, no unknown header and no body along', async () => {
    const seen: Parameters<typeof redirecting>[0] = [];
    const outer = await serve(redirecting(seen));
    const headers: [string, string][] = [
      ['authorization', 'Bearer x'],
      ['cookie', 'a=b'],
      ['x-own-key', 'x'],
      ['content-type', 'text/plain'],
      ['accept', 'text/plain'],
    ];
    const other = url(outer, '/other', 'b.example.com');
    await rig().guard.follow(get(to(outer, other), { headers }));
    expect(seen?.at(-1)?.headers).toMatchObject({ accept: 'text/plain' });
    for (const name of ['authorization', 'cookie', 'x-own-key', 'content-type']) {
      expect(seen?.at(-1)?.headers).not.toHaveProperty(name);
    }
    await rig().guard.follow(get(to(outer, '/same'), { headers }));
    expect(seen?.at(-1)?.headers).toMatchObject({ authorization: 'Bearer x', 'x-own-key': 'x' });

    const post = { method: 'POST', headers, body: 'text' } as const;
    expect(await followed(get(to(outer, other, 307), post))).toBe('redirect_invalid');
    await rig().guard.follow(get(to(outer, '/same', 307), post));
    expect(seen?.at(-1)).toMatchObject({ method: 'POST', body: 'text' });
    await rig().guard.follow(get(to(outer, other, 303), post));
    expect(seen?.at(-1)).toMatchObject({ method: 'GET', body: '' });
  });

  it('counts as a request of its own', async () => {
    const outer = await serve(redirecting());
    const one = rig({}, { requestsPerSecond: 3, clock: { now: () => 0, monotonic: () => 0 } });
    const chain = to(outer, to(outer, to(outer, url(outer, '/end'))));
    expect(await codeOf(one.guard.follow(get(chain)))).toBe('rate_limited');
  });
});

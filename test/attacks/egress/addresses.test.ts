import { array, assert, asyncProperty, constantFrom, ipV4, ipV6, oneof } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEgressGuard, judgeAddress } from '../../../src/host/net/egress/index.ts';
import { codeOf, get, INNER, PUBLIC, rig, serve, serveTls, textOf } from './egress-rig.ts';

describe('a name that leads inside', () => {
  it('is refused when it says so at once, and nothing is connected to', async () => {
    const inner = await serve((_, response) => response.end('inner'), INNER);
    const one = rig({ 'a.example.com': [[INNER]] });
    expect(await codeOf(one.guard.send(get(`http://a.example.com:${inner.port}/`)))).toBe('address_refused');
    expect(inner.connections()).toBe(0);
    expect(one.refusals).toEqual([
      { script: 'weather', code: 'address_refused', host: 'a.example.com', port: inner.port },
    ]);
  });

  it('is refused when one address of several does, in any place', async () => {
    const outer = await serve((_, response) => response.end('outer'));
    for (const answer of [
      [PUBLIC, INNER],
      [INNER, PUBLIC],
      [PUBLIC, '::1'],
      [PUBLIC, PUBLIC, 'fe80::1%eth0'],
    ]) {
      const one = rig({ 'a.example.com': [answer] });
      expect(await codeOf(one.guard.send(get(`http://a.example.com:${outer.port}/`)))).toBe(
        'address_refused',
      );
    }
    expect(outer.connections()).toBe(0);
  });

  it('is asked for once a request, so that a second answer counts for the second request only', async () => {
    const outer = await serve((_, response) => response.end('outer'));
    const inner = await serve((_, response) => response.end('inner'), INNER, outer.port);
    const one = rig({ 'a.example.com': [[PUBLIC], [INNER]] });
    const url = `http://a.example.com:${outer.port}/`;
    expect(await textOf(one, get(url))).toBe('outer');
    expect(one.asked).toEqual(['a.example.com']);
    // The connection of the first request does not serve the second.
    expect(await codeOf(one.guard.send(get(url)))).toBe('address_refused');
    expect(inner.connections()).toBe(0);
  });

  it('reaches the inside when nobody judges addresses', async () => {
    const inner = await serve((_, response) => response.end('inner'), INNER);
    const one = rig({ 'a.example.com': [[INNER]] }, { judge: () => 'public' });
    expect(await textOf(one, get(`http://a.example.com:${inner.port}/`))).toBe('inner');
  });

  it('is refused when it is an address of this machine, also a public one', async () => {
    const outer = await serve((_, response) => response.end('outer'));
    const one = rig({}, { machineAddresses: () => [PUBLIC] });
    expect(await codeOf(one.guard.send(get(`http://a.example.com:${outer.port}/`)))).toBe('address_refused');
    expect(outer.connections()).toBe(0);
  });

  it('is refused with too many answers, none, or none in time', async () => {
    const many = Array.from({ length: 65 }, (_, i) => `93.184.216.${i}`);
    const one = rig({ 'many.example.com': [many], 'none.example.com': [[]] });
    expect(await codeOf(one.guard.send(get('http://many.example.com/')))).toBe('dns_failed');
    expect(await codeOf(one.guard.send(get('http://none.example.com/')))).toBe('dns_failed');
    const slow = rig({}, { resolve: () => new Promise(() => undefined), limits: { dnsMs: 50 } });
    expect(await codeOf(slow.guard.send(get('http://a.example.com/')))).toBe('dns_timeout');
    const stop = new AbortController();
    const waiting = codeOf(slow.guard.send(get('http://a.example.com/', { signal: stop.signal })));
    stop.abort();
    expect(await waiting).toBe('aborted');
  });
});

describe('what the owner configured', () => {
  it('may be inside for exactly that host and port', async () => {
    const inner = await serve((_, response) => response.end('inner'), INNER);
    const other = await serve((_, response) => response.end('other'), INNER);
    const own = [{ host: 'nas.lan', port: inner.port }];
    const one = rig({ 'nas.lan': [[INNER]], 'a.example.com': [[INNER]] }, { own: () => own });
    expect(await textOf(one, get(`http://nas.lan:${inner.port}/`))).toBe('inner');
    expect(await codeOf(one.guard.send(get(`http://nas.lan:${other.port}/`)))).toBe('host_local');
    expect(await codeOf(one.guard.send(get(`http://a.example.com:${inner.port}/`)))).toBe('address_refused');
    expect(await codeOf(one.guard.send(get(`http://${INNER}:${inner.port}/`)))).toBe('address_refused');
    own.pop();
    expect(await codeOf(one.guard.send(get(`http://nas.lan:${inner.port}/`)))).toBe('host_local');
    expect(other.connections()).toBe(0);
  });

  it('is reached at its good addresses, and never at the others', async () => {
    const inner = await serve((_, response) => response.end('inner'), INNER);
    const answer = ['fe80::1%eth0', '169.254.169.254', INNER];
    const one = rig({ 'nas.lan': [answer] }, { own: () => [{ host: 'nas.lan', port: inner.port }] });
    expect((await one.guard.judge(`http://nas.lan:${inner.port}/`)).addresses).toEqual([INNER]);
    expect(await textOf(one, get(`http://nas.lan:${inner.port}/`))).toBe('inner');
  });

  it('is refused all the same when it is where clouds keep keys', async () => {
    for (const address of [
      '169.254.169.254',
      'fd00:ec2::254',
      '100.100.100.200',
      '192.0.0.192',
      '168.63.129.16',
      '::ffff:169.254.169.254',
    ]) {
      const one = rig({ 'nas.lan': [[address]] }, { own: () => [{ host: 'nas.lan', port: 80 }] });
      expect(await codeOf(one.guard.send(get('http://nas.lan/')))).toBe('address_refused');
    }
  });
});

describe('a name with several addresses', () => {
  it('is reached at the next one when one is not there, of both kinds', async () => {
    const outer = await serve((_, response) => response.end('outer'));
    // Nobody listens there.
    const dead = ['127.0.0.3', '127.0.0.4', '127.0.0.5', '::1', PUBLIC];
    const one = rig(
      { 'a.example.com': [['127.0.0.3', PUBLIC]], 'b.example.com': [dead] },
      { judge: () => 'public' },
    );
    expect(await textOf(one, get(`http://a.example.com:${outer.port}/`))).toBe('outer');
    // Four are tried, and no more.
    expect(await codeOf(one.guard.send(get(`http://b.example.com:${outer.port}/`)))).toBe('connect_failed');
  });
});

describe('TLS', () => {
  it('is checked against the host of the URL though the connection goes to an address', async () => {
    const names: string[] = [];
    const { port } = await serveTls((_, response) => response.end('secure'), names);
    expect(await textOf(rig(), get(`https://secure.example.com:${port}/`))).toBe('secure');
    expect(names).toEqual(['secure.example.com']);
    expect(await codeOf(rig().guard.send(get(`https://elsewhere.example.com:${port}/`)))).toBe('tls_failed');
    expect(await codeOf(rig().guard.send(get(`https://${PUBLIC}:${port}/`)))).toBe('tls_failed');
  });

  it('can not be switched off by the environment', async () => {
    const { port } = await serveTls((_, response) => response.end('secure'));
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await codeOf(rig().guard.send(get(`https://elsewhere.example.com:${port}/`)))).toBe(
        'tls_failed',
      );
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });
});

describe('the environment', () => {
  it('names no proxy that is used', async () => {
    const { port } = await serve((_, response) => response.end('direct'));
    const proxy = await serve((_, response) => response.end('by proxy'));
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
    for (const name of names) process.env[name] = `http://${PUBLIC}:${proxy.port}`;
    process.env['NODE_USE_ENV_PROXY'] = '1';
    try {
      expect(await textOf(rig(), get(`http://a.example.com:${port}/`))).toBe('direct');
      expect(proxy.connections()).toBe(0);
    } finally {
      for (const name of [...names, 'NODE_USE_ENV_PROXY']) delete process.env[name];
    }
  });
});

describe('whatever a name resolves to', () => {
  const four = ipV4();
  const six = ipV6();
  const bad = constantFrom(
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '64:ff9b::1',
  );

  it('an admitted destination holds public addresses only', async () => {
    await assert(
      asyncProperty(array(oneof(four, six, bad), { minLength: 1, maxLength: 5 }), async (answer) => {
        const guard = createEgressGuard({
          clock: { now: () => 0, monotonic: () => 0 },
          resolve: async () => answer,
          machineAddresses: () => [],
        });
        const admitted = await guard.judge('https://a.example.com/').then(
          ({ addresses }) => addresses,
          () => undefined,
        );
        const allPublic = answer.every((address) => judgeAddress(address) === 'public');
        expect(admitted !== undefined).toBe(allPublic);
        for (const address of admitted ?? []) expect(judgeAddress(address)).toBe('public');
      }),
      { numRuns: 500 },
    );
  });

  it('a URL that a machine makes up is refused, or means the host that stands in it', async () => {
    const guard = createEgressGuard({
      clock: { now: () => 0, monotonic: () => 0 },
      resolve: async (host) => (host === 'ok.example.com' ? ['93.184.216.34'] : ['10.0.0.1']),
    });
    const piece = constantFrom(
      'http://',
      'https://',
      'ok.example.com',
      '127.0.0.1',
      '@',
      ':',
      '80',
      '/',
      '\\',
      '?',
      '#',
      '%2e',
      '.',
      '[',
      '::1',
      ']',
      '\t',
      '。',
      'x',
      '0x7f.1',
      '%00',
      ' ',
      'localhost',
    );
    await assert(
      asyncProperty(array(piece, { minLength: 2, maxLength: 8 }), async (pieces) => {
        const url = pieces.join('');
        const admitted = await guard.judge(url).catch(() => undefined);
        if (admitted !== undefined) {
          expect(url).toMatch(/^https?:\/\/(?:ok\.example\.com|[a-z.]*)(?::\d+)?(?:[/?#]|$)/);
          expect(admitted.host).toBe('ok.example.com');
          expect(admitted.addresses).toEqual(['93.184.216.34']);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

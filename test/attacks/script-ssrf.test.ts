/**
 * ssrf-engine: scripts of a running program that ask for the program itself, for what else listens on the machine, and for
 * what clouds tell their machines. Runs with all controls on; with the judge of addresses off, and the grant left; with
 * both out of the way.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { openWorld, PUBLIC, SECURE, type Host, type Place, type World } from '../support/script-world.ts';

const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';

let world: World;
/** What listens on the machine and is nobody's business. */
let inner: Host;
/** In the public internet; leads where the query says. */
let outer: Host;
/** On the same port as `inner`, under a public address. */
let twin: Host;
let secure: Host;
/** With all controls on; without the judge of addresses; with names resolved a second time. */
let whole: Place;
let unjudged: Place;
let unpinned: Place;
beforeAll(async () => {
  world = await openWorld();
  inner = await world.http((_, response) => response.end('INNER'), '127.0.0.1');
  twin = await world.http((_, response) => response.end('OUTER'), PUBLIC, inner.port);
  outer = await world.http(({ url }, response) => {
    const to = new URL(url, 'http://x').searchParams.get('to') ?? '';
    response.writeHead(Number(new URL(url, 'http://x').searchParams.get('as')), { location: to }).end();
  });
  secure = await world.https((_, response) => response.end('ok'));
  world.names.set('private.example.com', ['127.0.0.1']);
  world.names.set('mixed.example.com', [PUBLIC, '127.0.0.1']);
  world.names.set('six.example.com', ['::1']);
  world.names.set('mapped.example.com', ['::ffff:7f00:1']);
  world.names.set('cloud.example.com', ['169.254.169.254']);
  world.names.set('lan.example.com', ['10.0.0.1']);
  [whole, unjudged, unpinned] = await Promise.all([
    world.start(),
    world.start({ off: ['egress-addresses'] }),
    world.start({ off: ['egress-pinning'] }),
  ]);
  for (const place of [whole, unpinned]) await place.setSecret('API_KEY', KEY);
}, 120_000);

const get = (url: string): string => `r = http.get("${url}")\nresult = r.body\n`;
/** As a host in a grant: what has a name there, and no brackets. */
const granting = (...hosts: string[]) => ({ hosts, methods: ['GET'] });

/** Other spellings of 127.0.0.1; all but the first become it when a URL is read. */
const NUMBERS = ['127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0x7f.0.0.1'];
const CLOUDS = ['169.254.169.254', '168.63.129.16', '100.100.100.200', '2852039166'];
const NAMES = ['private', 'mixed', 'six', 'mapped', 'cloud', 'lan'].map((name) => `${name}.example.com`);
const LOCAL = ['localhost', 'metadata.google.internal', 'printer.local'];
const BRACKETS = [
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::7f00:1]',
  '[64:ff9b::7f00:1]',
];

/** The TCP ports on which this process listens. */
function listening(pid: number): number[] {
  const mine = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? ''];
      } catch {
        // Closed meanwhile.
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === '0A' && mine.has(cells[9] ?? ''))
      .map((cells) => Number.parseInt(cells[1]?.split(':').at(-1) ?? '', 16)),
  );
}

describe('a script', () => {
  let own: number;
  beforeAll(() => {
    own = Number(new URL(whole.program.address).port);
  });
  const tried = async (attempts: readonly (readonly [string, object])[]) =>
    Promise.all(attempts.map(async ([url, grant]) => [url, (await whole.tested(get(url), grant)).code]));

  test.skipIf(process.platform !== 'linux')(
    'finds one port of the program: the gateway and the tools have none',
    () => {
      expect(listening(whole.program.pid)).toEqual([own]);
    },
  );

  test('that was granted an address of the machine or of a cloud is refused before anything is connected to, in every spelling', async () => {
    const addresses = [
      ...NUMBERS.map((host) => [`http://${host}:${own}/`, `127.0.0.1:${own}`]),
      ...NUMBERS.slice(0, 2).map((host) => [`http://${host}:${inner.port}/`, `127.0.0.1:${inner.port}`]),
      ...CLOUDS.map((host) => [`http://${host}/latest/meta-data/`, new URL(`http://${host}/`).hostname]),
      ...NAMES.map((name) => [`http://${name}:${inner.port}/`, `${name}:${inner.port}`]),
      ...LOCAL.map((name) => [`http://${name}:${inner.port}/`, `${name}:${inner.port}`]),
      [`http://0.0.0.0:${inner.port}/`, `0.0.0.0:${inner.port}`],
    ];
    const found = await tried(addresses.map(([url = '', host = '']) => [url, granting(host)]));
    expect(found).toEqual(addresses.map(([url]) => [url, 'address_refused']));
    expect([inner.connections(), twin.connections()]).toEqual([0, 0]);
    // An address in brackets can not even be granted; neither can a user name before a host.
    const others = [
      ...BRACKETS.map((host) => `http://${host}:${inner.port}/`),
      `http://${SECURE}@127.0.0.1:${inner.port}/`,
      `http://127.0.0.1:${inner.port}\\\\@${SECURE}/`,
    ];
    for (const [url, code] of await tried(others.map((url) => [url, granting(`127.0.0.1:${inner.port}`)])))
      expect([url, ['host_not_granted', 'url_invalid'].includes(code ?? '')]).toEqual([url, true]);
    expect(inner.connections()).toBe(0);
  }, 120_000);

  test('is led there by no redirect, granted or not', async () => {
    const targets = [
      `http://127.0.0.1:${own}/health`,
      `http://127.0.0.1:${inner.port}/`,
      `http://private.example.com:${inner.port}/`,
      'http://169.254.169.254/latest/',
    ];
    const grant = granting(`${SECURE}:${outer.port}`, ...targets.map((url) => new URL(url).host));
    const from = (to: string, as: number): string =>
      `http://${SECURE}:${outer.port}/?as=${as}&to=${encodeURIComponent(to)}`;
    const found = await tried([
      ...targets.map((to, index) => [from(to, [301, 302, 303, 307][index] ?? 308), grant] as const),
      ...[`http://[::1]:${inner.port}/`, `http://localhost:${inner.port}/`, targets[0] ?? ''].map(
        (to) => [from(to, 302), granting(`${SECURE}:${outer.port}`)] as const,
      ),
    ]);
    expect(found.map(([, code]) => code)).toEqual([
      ...Array<string>(4).fill('address_refused'),
      ...Array<string>(3).fill('redirect_refused'),
    ]);
    expect(outer.arrived).toHaveLength(7);
    expect(inner.connections()).toBe(0);
  }, 60_000);

  test('gets the address that was judged when DNS changes its mind, and is told nothing of what there is', async () => {
    world.names.set('rebinds.example.com', (asked) => (asked === 0 ? [PUBLIC] : ['127.0.0.1']));
    const url = `http://rebinds.example.com:${inner.port}/`;
    const grant = granting(`rebinds.example.com:${inner.port}`);
    expect(await whole.tested(get(url), grant)).toEqual({ result: 'OUTER', code: null });
    expect(await whole.tested(get(url), grant)).toEqual({ result: null, code: 'address_refused' });
    expect(inner.connections()).toBe(0);
    const refused = (await whole.audit('script.request_refused')).map(({ details }) => details);
    expect(refused).toContainEqual(
      expect.objectContaining({ code: 'address_refused', host: `127.0.0.1:${own}` }),
    );
  }, 30_000);
});

describe('without the judge of addresses', () => {
  test('the grant still holds; what is granted is reached in every spelling: nothing else stops it', async () => {
    const before = inner.arrived.length;
    const ungranted = await Promise.all(
      NUMBERS.slice(0, 3).map(
        async (host) => (await unjudged.tested(get(`http://${host}:${inner.port}/`), granting(SECURE))).code,
      ),
    );
    expect(ungranted).toEqual(Array<string>(3).fill('host_not_granted'));
    expect(inner.arrived).toHaveLength(before);
    const own = new URL(unjudged.program.address).host;
    const reached = await Promise.all([
      ...NUMBERS.slice(0, 3).map((host) =>
        unjudged.tested(get(`http://${host}:${inner.port}/`), granting(`127.0.0.1:${inner.port}`)),
      ),
      unjudged.tested(
        get(`http://private.example.com:${inner.port}/`),
        granting(`private.example.com:${inner.port}`),
      ),
      unjudged.tested(get(`http://${own}/health`), granting(own)),
    ]);
    expect(reached.slice(0, 4).map(({ result }) => result)).toEqual(Array<string>(4).fill('INNER'));
    expect(reached[4]?.code).toBe(null);
    // A name of the machine itself is refused as a text, whatever address it has.
    const named = await unjudged.tested(
      get(`http://localhost:${inner.port}/`),
      granting(`localhost:${inner.port}`),
    );
    expect(named.code).toBe('address_refused');
  }, 60_000);
});

describe('when names are resolved a second time for the connection', () => {
  test('a name that changes its mind leads inside; a secret does not arrive there, because TLS refuses the host', async () => {
    const rebinding = () => {
      let first: number | undefined;
      return (asked: number) => ((asked - (first ??= asked)) % 2 === 0 ? [PUBLIC] : ['127.0.0.1']);
    };
    world.names.set('twice.example.com', rebinding());
    const plain = await unpinned.tested(
      get(`http://twice.example.com:${inner.port}/`),
      granting(`twice.example.com:${inner.port}`),
    );
    expect(plain.result).toBe('INNER');
    world.names.set(SECURE, rebinding());
    const arrived = inner.arrived.length;
    const secret = await unpinned.tested(
      `# @secrets: API_KEY\nhttp.get("https://${SECURE}:${inner.port}/", headers={"X-Key": secrets.get("API_KEY")})\n`,
      { secrets: { API_KEY: [`${SECURE}:${inner.port}`] }, methods: ['GET'] },
    );
    world.names.delete(SECURE);
    expect(secret.code).toBe('tls_failed');
    expect(inner.arrived).toHaveLength(arrived);
    expect(secure.arrived).toEqual([]);
  }, 60_000);
});

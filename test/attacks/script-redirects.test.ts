/**
 * A granted https host of a running program that leads elsewhere with what it was sent. Runs with all controls on, and with
 * redirects followed as they come and nothing held against the grant as it leaves. With the second of the two left:
 * `script-controls-off.test.ts`.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openWorld, OTHER, SECURE, type Host, type Place, type World } from '../support/script-world.ts';

const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';

let world: World;
let host: Host;
let other: Host;
let plain: Host;
let whole: Place;
let careless: Place;
beforeAll(async () => {
  world = await openWorld();
  other = await world.https((_, response) => response.end('other'));
  plain = await world.http((_, response) => response.end('plain'));
  host = await world.https(({ url }, response) => {
    const { searchParams } = new URL(url, 'http://x');
    const to = (searchParams.get('to') ?? '').replace('KEY', KEY);
    response.writeHead(Number(searchParams.get('as')), { location: to }).end();
  });
  [whole, careless] = await Promise.all([
    world.start(),
    world.start({ off: ['script-redirects', 'script-leaving'] }),
  ]);
  for (const place of [whole, careless]) await place.setSecret('API_KEY', KEY);
}, 120_000);

const at = (): string => `${SECURE}:${host.port}`;
const grant = () => ({
  secrets: { API_KEY: [at()] },
  hosts: [`${OTHER}:${other.port}`, `${SECURE}:${plain.port}`],
  methods: ['GET', 'POST'],
});
const source = (to: string, as: number, how = 'headers={"X-Key": k}', method = 'get'): string =>
  `# @secrets: API_KEY\nk = secrets.get("API_KEY")\nresult = http.${method}("https://${at()}/?as=${as}&to=${encodeURIComponent(to)}", ${how}).body\n`;
const strays = (): string => JSON.stringify([other.arrived, plain.arrived]);

describe('a host that redirects with a secret', () => {
  test('to another host, another port or plain http is not followed, whatever the status and wherever the secret stands', async () => {
    const found = await Promise.all([
      whole.tested(source(`https://${OTHER}:${other.port}/`, 302), grant()),
      whole.tested(source(`https://${SECURE}:${other.port}/`, 301), grant()),
      whole.tested(source(`http://${SECURE}:${plain.port}/`, 303), grant()),
      whole.tested(source(`http://${at()}/`, 308), grant()),
      whole.tested(source(`https://${OTHER}:${other.port}/`, 307, 'body=k', 'post'), grant()),
      whole.tested(source(`https://${OTHER}:${other.port}/?k=KEY`, 302, 'headers={"X-Key": k}'), grant()),
      whole.tested(source(`//${OTHER}:${other.port}/KEY`, 302), grant()),
      whole.tested(source(`https://evil.example.com/`, 302), grant()),
      // The key in Authorization stays behind by itself, but not the one in Location.
      whole.tested(
        source(`http://${SECURE}:${plain.port}/KEY`, 302, 'headers={"Authorization": "Bearer " + k}'),
        grant(),
      ),
    ]);
    expect(found.map(({ code }) => code)).toEqual(Array<string>(9).fill('redirect_refused'));
    expect(strays()).toBe('[[],[]]');
    expect(host.arrived.filter(({ headers }) => headers['x-key'] === KEY).length).toBeGreaterThan(5);
  }, 120_000);

  test('in Authorization alone goes on without it, to a host that was granted', async () => {
    const how = 'headers={"Authorization": "Bearer " + k}';
    const { result } = await whole.tested(source(`https://${OTHER}:${other.port}/on`, 302, how), grant());
    expect(result).toBe('other');
    expect(other.arrived).toHaveLength(1);
    expect(other.arrived[0]?.headers.authorization).toBeUndefined();
    expect(strays()).not.toContain(KEY);
    other.arrived.length = 0;
  }, 30_000);
});

describe('when redirects are followed as they come, and what leaves is not held against the grant', () => {
  test('the secret arrives at another host, and in the clear over http', async () => {
    await careless.tested(source(`https://${OTHER}:${other.port}/`, 302), grant());
    expect(other.arrived[0]?.headers['x-key']).toBe(KEY);
    await careless.tested(source(`http://${SECURE}:${plain.port}/`, 302), grant());
    expect(plain.arrived[0]?.headers['x-key']).toBe(KEY);
  }, 60_000);
});

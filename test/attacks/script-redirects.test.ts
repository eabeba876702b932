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
beforeAll(async () => {
  world = await openWorld();
  other = await world.https((_, response) => response.end('other'));
  plain = await world.http((_, response) => response.end('plain'));
  host = await world.https(({ url }, response) => {
    const { searchParams } = new URL(url, 'http://x');
    const to = (searchParams.get('to') ?? '').replace('KEY', KEY);
    response.writeHead(Number(searchParams.get('as')), { location: to }).end();
  });
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
  let place: Place;
  beforeAll(async () => {
    place = await world.start();
    await place.setSecret('API_KEY', KEY);
  }, 120_000);

  test('to another host, another port or plain http is not followed, whatever the status and wherever the secret stands', async () => {
    const found = await Promise.all([
      place.tested(source(`https://${OTHER}:${other.port}/`, 302), grant()),
      place.tested(source(`https://${SECURE}:${other.port}/`, 301), grant()),
      place.tested(source(`http://${SECURE}:${plain.port}/`, 303), grant()),
      place.tested(source(`http://${at()}/`, 308), grant()),
      place.tested(source(`https://${OTHER}:${other.port}/`, 307, 'body=k', 'post'), grant()),
      place.tested(source(`https://${OTHER}:${other.port}/?k=KEY`, 302, 'headers={"X-Key": k}'), grant()),
      place.tested(source(`//${OTHER}:${other.port}/KEY`, 302), grant()),
      place.tested(source(`https://evil.example.com/`, 302), grant()),
      // The key in Authorization stays behind by itself, but not the one in Location.
      place.tested(
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
    const { result } = await place.tested(source(`https://${OTHER}:${other.port}/on`, 302, how), grant());
    expect(result).toBe('other');
    expect(other.arrived).toHaveLength(1);
    expect(other.arrived[0]?.headers.authorization).toBeUndefined();
    expect(strays()).not.toContain(KEY);
    other.arrived.length = 0;
  }, 30_000);
});

describe('when redirects are followed as they come, and what leaves is not held against the grant', () => {
  let place: Place;
  beforeAll(async () => {
    place = await world.start({ off: ['script-redirects', 'script-leaving'] });
    await place.setSecret('API_KEY', KEY);
  }, 120_000);

  test('the secret arrives at another host, and in the clear over http', async () => {
    await place.tested(source(`https://${OTHER}:${other.port}/`, 302), grant());
    expect(other.arrived[0]?.headers['x-key']).toBe(KEY);
    await place.tested(source(`http://${SECURE}:${plain.port}/`, 302), grant());
    expect(plain.arrived[0]?.headers['x-key']).toBe(KEY);
  }, 60_000);
});

/**
 * Scripts of a running program that want to flood a host. Runs with all controls on; with the rate off, where the requests of
 * a run are counted; with both off.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openWorld, OTHER, SECURE, type Host, type Place, type World } from '../support/script-world.ts';

let world: World;
let host: Host;
let elsewhere: Host;
let place: Place;
/** Without the rate; without the count of a run too. */
let counting: Place;
let free: Place;
beforeAll(async () => {
  world = await openWorld();
  const hop = ({ url }: { url: string }): number =>
    Number(new URL(url, 'http://x').searchParams.get('hop') ?? 0);
  const answer: Parameters<World['http']>[0] = (request, response) => {
    if (!request.url.startsWith('/chain')) response.end('ok');
    else response.writeHead(302, { location: `/chain?hop=${hop(request) + 1}` }).end();
  };
  host = await world.http(answer);
  elsewhere = await world.http(answer);
  [place, counting, free] = await Promise.all([
    world.start(),
    world.start({ off: ['egress-rate'] }),
    world.start({ off: ['egress-rate', 'script-limits'] }),
  ]);
}, 120_000);

const times = (count: number, ...urls: string[]): string =>
  `n = 0\nfor i in range(${count}):\n    for url in ${JSON.stringify(urls)}:\n        http.get(url)\n        n += 1\nresult = n\n`;
const grant = (more: object = {}) => ({
  hosts: [`${SECURE}:${host.port}`, `${SECURE}:${elsewhere.port}`, `${OTHER}:${host.port}`],
  methods: ['GET'],
  ...more,
});
const arrived = (): number => host.arrived.length + elsewhere.arrived.length;

/** How many arrive while this goes on, and how long it takes at least. */
async function counted<T>(act: () => Promise<T>): Promise<{ said: T; count: number; most: number }> {
  const before = arrived();
  const began = performance.now();
  const said = await act();
  // Five at once, and one each 200 ms.
  return { said, count: arrived() - before, most: 5 + Math.ceil((performance.now() - began) / 200) };
}

describe('a script that floods', () => {
  test('is cut off after five requests in a second to one host, however it spells it, whatever the port', async () => {
    const { said, count, most } = await counted(() =>
      place.tested(
        times(
          10,
          `http://${SECURE}:${host.port}/a`,
          `http://${SECURE.toUpperCase()}:${host.port}/b?x#y`,
          `HTTP://${SECURE}:${elsewhere.port}/c`,
        ),
        grant(),
      ),
    );
    expect(said).toEqual({ result: null, code: 'rate_limited' });
    expect(count).toBeLessThanOrEqual(most);
    const chain = await counted(() => place.tested(times(1, `http://${SECURE}:${host.port}/chain`), grant()));
    expect(['rate_limited', 'redirect_limit']).toContain(chain.said.code);
    expect(chain.count).toBeLessThanOrEqual(Math.min(chain.most, 11));
  }, 60_000);

  test('in many runs at once is one script: one run at a time, and one measure for all', async () => {
    await place.approve('crowd', times(4, `http://${SECURE}:${host.port}/crowd`), grant());
    const { body } = await place.program.api<{ hash: string }>('GET', '/api/scripts/crowd');
    const { count, most, said } = await counted(() =>
      Promise.all(
        Array.from({ length: 6 }, () =>
          place.program.api<{ error: { code: string } | null }>('POST', '/api/scripts/crowd/test', {
            hash: body.hash,
          }),
        ),
      ),
    );
    expect(count).toBeLessThanOrEqual(most);
    expect(said.every(({ status }) => status === 200)).toBe(true);
  }, 60_000);

  test('is held to the requests of an hour that were approved, over several runs', async () => {
    await place.approve(
      'slowly',
      times(2, `http://${SECURE}:${host.port}/slow`),
      grant({ quotas: { requests_per_hour: 3 } }),
    );
    const { count, said } = await counted(async () => [
      await place.run('slowly'),
      await place.run('slowly'),
      await place.run('slowly'),
    ]);
    expect(said.map(({ value }) => value['error'])).toEqual([
      null,
      expect.objectContaining({ code: 'request_limit' }),
      'quota_exceeded',
    ]);
    expect(count).toBe(3);
  }, 60_000);
});

describe('without the rate', () => {
  test('a run ends after fifty requests; without that count too they all arrive', async () => {
    const source = times(70, `http://${SECURE}:${host.port}/flood`);
    const limited = await counted(() => counting.tested(source, grant()));
    expect(limited.said).toEqual({ result: null, code: 'request_limit' });
    expect(limited.count).toBe(50);
    const flood = await counted(() => free.tested(source, grant()));
    expect(flood.said).toEqual({ result: 70, code: null });
    expect(flood.count).toBe(70);
  }, 60_000);
});

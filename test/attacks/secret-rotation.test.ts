/**
 * secret-rotation-live: a secret of a running program is rotated, deleted or bound to other hosts while scripts that use it
 * are on their way. Runs with all controls on, and with secrets that are looked up once in a run.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ServerResponse } from 'node:http';
import {
  openWorld,
  OTHER,
  SECURE,
  type Arrived,
  type Host,
  type Place,
  type World,
} from '../support/script-world.ts';

const values = Array.from(
  { length: 6 },
  (_, index) => `ghp_${String(index).padStart(2, '0')}Qx5tZp9LmNv3RsYb7Hd2Kw`,
);
const value = (index: number): string => values[index] ?? '';

let world: World;
let host: Host;
/** Answers that the host holds back, by path. */
const held = new Map<string, { readonly request: Arrived; readonly response: ServerResponse }>();
/** Its connections wait before they are encrypted. */
let slow: Host;
let gate = Promise.resolve();
beforeAll(async () => {
  world = await openWorld();
  host = await world.https((request, response) => {
    if (request.url.startsWith('/held')) held.set(request.url, { request, response });
    else response.end('ok');
  });
  slow = await world.https(
    (_, response) => response.end('ok'),
    () => gate,
  );
}, 120_000);

async function until(done: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!done()) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const at = (name = SECURE): string => `${name}:${host.port}`;
const keyOf = ({ headers }: Arrived): string => String(headers['x-key']);
const asks = (name: string, urls: readonly string[]): string =>
  [
    `# @secrets: ${name}`,
    `k = secrets.get("${name}")`,
    'out = []',
    ...urls.map((url) => `out.append(http.get("${url}", headers={"X-Key": k}).body)`),
    'result = out',
    '',
  ].join('\n');

/** The owner acts when the request is on its way and nothing of it was sent. */
async function actBeforeSending(where: Place, name: string, act: () => Promise<unknown>) {
  const opened = Promise.withResolvers<void>();
  gate = opened.promise;
  const connections = slow.connections();
  const before = slow.arrived.length;
  const to = `${SECURE}:${slow.port}`;
  const run = where.tested(asks(name, [`https://${to}/`]), { secrets: { [name]: [to] }, methods: ['GET'] });
  await until(() => slow.connections() > connections);
  await act();
  opened.resolve();
  return { code: (await run).code, arrived: slow.arrived.slice(before).map(keyOf) };
}

/** A script that spells the answer of its host, which says this when the owner has acted. */
async function takenApart(name: string, says: string, act: () => Promise<unknown> = async () => undefined) {
  const path = `/held/${name}`;
  const run = place.tested(
    `# @secrets: ROTATED\nr = http.get("https://${at()}${path}", headers={"X-Key": secrets.get("ROTATED")})\nresult = "-".join(r.body.elems())\n`,
    grantOf('ROTATED'),
  );
  await until(() => held.has(path));
  await act();
  held.get(path)?.response.end(says);
  return run;
}

let place: Place;
let stale: Place;
beforeAll(async () => {
  [place, stale] = await Promise.all([world.start(), world.start({ off: ['fresh-secrets'] })]);
}, 120_000);
const grantOf = (name: string) => ({ secrets: { [name]: [at(), at(OTHER)] }, methods: ['GET'] });

/** A run that stands between its two requests until the owner has acted. */
async function actBetween(where: Place, name: string, act: () => Promise<unknown>, second = SECURE) {
  const path = `/held/${name}`;
  held.delete(path);
  const run = where.tested(
    asks(name, [`https://${at()}${path}`, `https://${at(second)}/after`]),
    grantOf(name),
  );
  await until(() => held.has(path));
  await act();
  const before = host.arrived.length;
  const first = held.get(path);
  first?.response.end(`echo ${keyOf(first.request)}`);
  return {
    run: await run,
    after: host.arrived.slice(before).map(keyOf),
    sent: first && keyOf(first.request),
  };
}

describe('a change of a secret while a run is under way', () => {
  test('counts for its next request, and an answer that holds the old value does not show it', async () => {
    await place.setSecret('ROTATED', value(0));
    const { run, after, sent } = await actBetween(place, 'ROTATED', () =>
      place.changeSecret('ROTATED', { value: value(1) }),
    );
    expect(sent).toBe(value(0));
    expect(after).toEqual([value(1)]);
    expect(run).toEqual({ result: ['echo [REDACTED:ROTATED]', 'ok'], code: null });
    // Nor can it be taken apart: in the run that sent it, and in a later one to which the host tells it alone.
    expect(await takenApart('later', value(0))).toEqual({ result: null, code: 'secret_use' });
    const sentThen = takenApart('then', value(1), () => place.changeSecret('ROTATED', { value: value(5) }));
    expect(await sentThen).toEqual({ result: null, code: 'secret_use' });
    const { events } = await place.program.say(`Is ${value(0)} or ${value(1)} good?`);
    expect(JSON.stringify(events)).toContain('[REDACTED:ROTATED] or [REDACTED:ROTATED]');
  }, 120_000);

  test('by deleting it or binding it elsewhere refuses its next request', async () => {
    await place.setSecret('DELETED', value(2));
    await place.setSecret('NARROWED', value(3));
    const [deleted, narrowed] = await Promise.all([
      actBetween(place, 'DELETED', () => place.program.api('DELETE', '/api/secrets/DELETED')),
      actBetween(place, 'NARROWED', () => place.changeSecret('NARROWED', { hosts: [at()] }), OTHER),
    ]);
    expect([deleted.run.code, narrowed.run.code]).toEqual(['secret_not_granted', 'secret_not_bound']);
    expect(host.arrived.filter(({ url }) => url === '/after').map(keyOf)).not.toContain(value(2));
    expect(host.arrived.filter(({ host: name }) => name === at(OTHER)).map(keyOf)).not.toContain(value(3));
  }, 120_000);

  test('counts also when the request was filled in before and its connection is still to be made', async () => {
    for (const name of ['LATE_ROTATED', 'LATE_DELETED', 'LATE_NARROWED'])
      await place.setSecret(name, value(4));
    const results = [
      await actBeforeSending(place, 'LATE_ROTATED', () =>
        place.changeSecret('LATE_ROTATED', { value: value(5) }),
      ),
      await actBeforeSending(place, 'LATE_DELETED', () =>
        place.program.api('DELETE', '/api/secrets/LATE_DELETED'),
      ),
      await actBeforeSending(place, 'LATE_NARROWED', () =>
        place.changeSecret('LATE_NARROWED', { hosts: [at()] }),
      ),
    ];
    expect(results).toEqual([
      { code: null, arrived: [value(5)] },
      { code: 'secret_not_granted', arrived: [] },
      { code: 'secret_not_bound', arrived: [] },
    ]);
  }, 120_000);
});

describe('when a run looks a secret up once', () => {
  test('the old value goes out after the change, and to hosts that it is no longer bound to: nothing else stops it', async () => {
    await stale.setSecret('ROTATED', value(0));
    await stale.setSecret('NARROWED', value(3));
    const [rotated, narrowed] = await Promise.all([
      actBetween(stale, 'ROTATED', () => stale.changeSecret('ROTATED', { value: value(1) })),
      actBetween(stale, 'NARROWED', () => stale.changeSecret('NARROWED', { hosts: [at()] }), OTHER),
    ]);
    await stale.setSecret('LATE', value(4));
    const late = await actBeforeSending(stale, 'LATE', () => stale.changeSecret('LATE', { value: value(5) }));
    expect(late.arrived).toEqual([value(4)]);
    expect(rotated.after).toContain(value(0));
    expect(narrowed.run.code).toBe(null);
    expect(host.arrived.filter(({ host: name }) => name === at(OTHER)).map(keyOf)).toContain(value(3));
  }, 120_000);
});

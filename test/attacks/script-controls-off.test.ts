/**
 * What stands behind the controls of scripts in the running program. Each attack is tried with all controls on; with the
 * first of its controls left out; where there is a third one, with two; and with all of its own. One program leaves out
 * those of several attacks.
 */
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { AuditList } from '../../src/edge/admin/api.ts';
import { modelCalls } from '../support/script-chat.ts';
import { openWorld, OTHER, SECURE, type Host, type Place, type World } from '../support/script-world.ts';

const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
const GOOD = 'result = "good"\n';
const EVIL = 'result = "evil"\n';

let world: World;
let host: Host;
let other: Host;
/** With all controls on; with the first one of each attack left out; with the first two; with all. */
let whole: Place;
let first: Place;
let second: Place;
let none: Place;
const held: ServerResponse[] = [];
const at = (): string => `${SECURE}:${host.port}`;
const away = (): string => `${OTHER}:${other.port}`;

beforeAll(async () => {
  world = await openWorld();
  other = await world.https((_, response) => response.end('other'));
  host = await world.https(({ url }, response) => {
    if (url === '/held') held.push(response);
    else if (url === '/away') response.writeHead(302, { location: `https://${away()}/arrived` }).end();
    else response.end('ok');
  });
  const env = { SEAM_GRANT: JSON.stringify({ secrets: { API_KEY: [at()] }, methods: ['GET'] }) };
  const started = async (...off: string[]): Promise<Place> => {
    const place = await world.start({ off, env, config: 'starlark: {on_change: keep}\n' });
    await place.setSecret('API_KEY', KEY);
    return place;
  };
  const twice = ['script-grant', 'script-limits', 'script-redirects', 'runner-stop', 'script-kill'];
  [whole, first, second, none] = await Promise.all([
    started(),
    started('runner-bytes', 'script-grant', 'runner-stop'),
    started(...twice),
    started(...twice, 'runner-bytes', 'runner-digest', 'script-leaving', 'script-standing'),
  ]);
}, 180_000);

test('approval-cache-bypass, where the approved version goes on running while the file is another: the stored bytes run; taken from the disk they are refused by their digest; without that the evil text runs', async () => {
  async function ran(place: Place): Promise<readonly [outcome: string, value: unknown]> {
    await place.approve('weather', GOOD);
    writeFileSync(join(place.program.workspace, 'ai-data', 'scripts', 'weather.star'), EVIL);
    await modelCalls(place.program, place.model, 'script_list', {});
    await modelCalls(place.program, place.model, 'script_reload', {});
    const { outcome, value } = await place.run('weather');
    return [outcome, value['value'] ?? null];
  }
  expect(await ran(whole)).toEqual(['done', 'good']);
  expect(await ran(first)).toEqual(['unknown', null]);
  expect(await ran(none)).toEqual(['done', 'evil']);
}, 60_000);

test('inline-secret and inline-exfil: code without a review has no grant; given one it has no requests left, and can not read the value; without that count what it sends is refused as it leaves; without that too the secret goes out', async () => {
  async function exec(place: Place, code: string): Promise<unknown> {
    const { value } = await modelCalls(place.program, place.model, 'script_exec', {
      code: `k = secrets.get("API_KEY")\n${code}`,
    });
    return (value['error'] as { code: string } | null)?.code ?? value['value'];
  }
  const send = `result = http.get("https://${at()}/out", headers={"X-Key": k if k else "none"}).status\n`;
  const read = 'result = k[::-1] if k else "nothing"\n';
  expect([await exec(whole, read), await exec(whole, send)]).toEqual(['nothing', 'host_not_granted']);
  expect([await exec(first, read), await exec(first, send)]).toEqual(['secret_use', 'request_limit']);
  expect(await exec(second, send)).toBe('address_refused');
  expect(host.arrived).toEqual([]);
  expect(await exec(none, send)).toBe(200);
  expect(host.arrived.map(({ headers }) => headers['x-key'])).toEqual([KEY]);
}, 60_000);

test('a redirect with a secret to a host that may be spoken to is not followed; followed as it comes it is refused as it leaves; without that the secret arrives', async () => {
  const led = (place: Place) =>
    place.tested(
      `# @secrets: API_KEY\nresult = http.get("https://${at()}/away", headers={"X-Key": secrets.get("API_KEY")}).body\n`,
      { secrets: { API_KEY: [at()] }, hosts: [away()], methods: ['GET'] },
    );
  expect(await led(whole)).toEqual({ result: null, code: 'redirect_refused' });
  expect(await led(second)).toEqual({ result: null, code: 'address_refused' });
  expect(other.connections()).toBe(0);
  expect(await led(none)).toEqual({ result: 'other', code: null });
  expect(other.arrived.map(({ headers }) => headers['x-key'])).toEqual([KEY]);
}, 60_000);

test('reject-live: a rejection ends the run; one that does not end, and one that does not hear of it, sends nothing more, and its result is dropped; one that does not look again either goes on', async () => {
  /** Rejected while it waits for an answer; what it heard, and what it sent on. */
  async function rejected(place: Place): Promise<{ heard: unknown; sent: unknown[]; killed: number }> {
    const url = `https://${at()}`;
    await place.approve(
      'slow',
      `# @secrets: API_KEY\nk = secrets.get("API_KEY")\nhttp.get("${url}/held")\nfor i in range(3):\n    http.get("${url}/on", headers={"X-Key": k})\nresult = "went on"\n`,
      { secrets: { API_KEY: [at()] }, hosts: [at()], methods: ['GET'] },
    );
    const running = place.run('slow');
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const before = host.arrived.length;
    await place.program.api('POST', '/api/scripts/slow/reject', { reason: 'no' });
    for (const response of held.splice(0)) response.end('go on');
    const { value } = await running;
    const { body } = await place.program.api<AuditList>('GET', '/api/audit?event=script.killed&limit=10');
    return {
      heard: value['error'] ?? value['value'],
      sent: host.arrived.slice(before).map(({ headers }) => headers['x-key']),
      killed: body.entries.length,
    };
  }
  const ended = { heard: expect.objectContaining({ code: 'killed' }), sent: [], killed: 1 };
  for (const place of [whole, first, second]) expect(await rejected(place)).toEqual(ended);
  expect(await rejected(none)).toEqual({ heard: 'went on', sent: [KEY, KEY, KEY], killed: 0 });
}, 120_000);

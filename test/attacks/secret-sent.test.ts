/**
 * A granted secret of a running program, sent to a real https host: it arrives where the grant says, and nowhere else. Three
 * runs: all controls on; the grant off, and what leaves not held against it, so that the settings of the secret are left;
 * those off too. With the second of these left: `script-controls-off.test.ts`.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openWorld, OTHER, SECURE, type Host, type Place, type World } from '../support/script-world.ts';

const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
const PIN_IN_HEADER = 'sk-Vn4Qy7Lk2Xw9Rt5Bz8Gm3Hc6';

let world: World;
let secure: Host;
let plain: Host;
/** With all controls on; without the grant, in the broker and as it leaves. */
let place: Place;
let ungranted: Place;
beforeAll(async () => {
  world = await openWorld();
  secure = await world.https((_, response) => response.end('ok'));
  plain = await world.http((_, response) => response.end('ok'));
  const elsewhere = [`${OTHER}:${secure.port}`];
  const grant = { secrets: { BOUND: elsewhere, LOOSE: elsewhere }, hosts: [], methods: ['GET'] };
  [place, ungranted] = await Promise.all([
    world.start(),
    world.start({
      off: ['script-grant', 'script-leaving'],
      env: { SEAM_GRANT: JSON.stringify(grant) },
    }),
  ]);
  await place.setSecret('API_KEY', KEY);
  await place.setSecret('HEADER_KEY', PIN_IN_HEADER);
  await ungranted.setSecret('BOUND', KEY, { hosts: [`${SECURE}:${secure.port}`] });
  await ungranted.setSecret('LOOSE', PIN_IN_HEADER);
}, 120_000);

const everything = (): string => JSON.stringify([secure.arrived, plain.arrived]);

function clear(): void {
  secure.arrived.length = 0;
  plain.arrived.length = 0;
}

describe('a secret that was granted', () => {
  const host = (): string => `${SECURE}:${secure.port}`;

  test('arrives over https in a header, a parameter, a path, a body and basic auth, and is told to nobody else', async () => {
    clear();
    const url = `https://${host()}`;
    const heard = await place.ran(
      `# @secrets: API_KEY
k = secrets.get("API_KEY")
http.get("${url}/header", headers={"X-Key": k})
http.get("${url}/query?key=" + k)
http.get("${url}/path/" + k + "/end")
http.post("${url}/body", body=json.encode({"key": k}))
http.get("${url}/basic", headers={"Authorization": "Basic " + base64.encode("me:" + k)})
result = "sent " + k
`,
      { secrets: { API_KEY: [host()] }, hosts: [], methods: ['GET', 'POST'] },
    );
    expect(heard.value).toMatchObject({ value: 'sent [REDACTED:API_KEY]', error: null });
    const [header, query, path, body, basic] = secure.arrived;
    expect(header).toMatchObject({ host: host(), url: '/header', headers: { 'x-key': KEY } });
    expect(query?.url).toBe(`/query?key=${KEY}`);
    expect(path?.url).toBe(`/path/${KEY}/end`);
    expect(JSON.parse(body?.body ?? '')).toEqual({ key: KEY });
    expect(basic?.headers.authorization).toBe(`Basic ${Buffer.from(`me:${KEY}`).toString('base64')}`);
    expect(secure.arrived).toHaveLength(5);
    expect(plain.connections()).toBe(0);
    const used = (await place.audit('script.secret_used')).map(({ details }) => details);
    expect(used).toContainEqual(expect.objectContaining({ secret: 'API_KEY', host: host() }));
    const told = JSON.stringify(await place.audit('')) + place.program.log() + JSON.stringify(heard);
    expect(told).not.toContain(KEY);
    expect(JSON.stringify(place.model.requests)).not.toContain(KEY);
  }, 60_000);

  test.each([
    ['to a host that only may be spoken to', OTHER, 'secret_not_bound', 'https'],
    ['to a host that is not granted', `www.${SECURE}`, 'host_not_granted', 'https'],
    ['over http to its own name', SECURE, 'scheme_refused', 'http'],
  ])('does not go %s', async (_what, name, code, scheme) => {
    clear();
    const at = `${name}:${scheme === 'https' ? secure.port : plain.port}`;
    const heard = await place.ran(
      `# @secrets: API_KEY\nhttp.get("${scheme}://${at}/x", headers={"X-Key": secrets.get("API_KEY")})\n`,
      {
        secrets: { API_KEY: [host()] },
        hosts: [`${OTHER}:${secure.port}`, `${SECURE}:${plain.port}`],
        methods: ['GET'],
      },
    );
    expect(heard.value).toMatchObject({ error: { code } });
    expect(everything()).toBe('[[],[]]');
    const refused = (await place.audit('script.request_refused')).map(({ details }) => details);
    expect(refused).toContainEqual(expect.objectContaining({ code, host: at }));
  });

  test('does not stand in another place than the grant names, and nothing but http and https is spoken', async () => {
    clear();
    const grant = {
      secrets: { HEADER_KEY: { origins: [`https://${host()}`], in: ['header:x-key'] } },
      methods: ['GET', 'POST'],
    };
    const url = `https://${host()}`;
    const places = [
      `http.get("${url}/?k=" + k)`,
      `http.get("${url}/" + k)`,
      `http.post("${url}/", body=k)`,
      `http.get("${url}/", headers={"X-Other": k})`,
      `http.get("https://" + k + "/")`,
      `http.get("${url}/", headers={k: "x"})`,
      ...['ftp', 'file', 'ws', 'javascript'].map((scheme) => `http.get("${scheme}://${host()}/etc/passwd")`),
    ];
    const found = await Promise.all(
      places.map((act) =>
        place.tested(`# @secrets: HEADER_KEY\nk = secrets.get("HEADER_KEY")\n${act}\n`, grant),
      ),
    );
    expect(found.map(({ code }) => code)).toEqual([
      ...Array<string>(4).fill('secret_place'),
      'url_invalid',
      'secret_use',
      ...Array<string>(4).fill('url_invalid'),
    ]);
    expect(everything()).toBe('[[],[]]');
    const good = `# @secrets: HEADER_KEY\nhttp.get("${url}/", headers={"X-Key": secrets.get("HEADER_KEY")})\n`;
    await place.ran(good, grant);
    expect(secure.arrived[0]?.headers['x-key']).toBe(PIN_IN_HEADER);
  }, 60_000);

  test('that was not granted is None under any name that is put together, and audited', async () => {
    const heard = await place.ran(
      '# @secrets: API_KEY\nresult = [secrets.get("".join(["HEADER", "_KEY"])), secrets.has("HEADER_KEY"), secrets.list()]\n',
      { secrets: { API_KEY: [host()] } },
    );
    expect(heard.value).toMatchObject({ value: [null, false, ['API_KEY']], error: null });
    const refused = (await place.audit('script.secret_refused')).map(({ details }) => details);
    expect(refused).toContainEqual(expect.objectContaining({ secret: 'HEADER_KEY' }));
  });
});

describe('without the grant', () => {
  const source = (name: string): string =>
    `# @secrets: ${name}\nhttp.get("https://${OTHER}:${secure.port}/", headers={"X-Key": secrets.get("${name}")})\n`;
  const grantOf = (name: string) => ({ secrets: { [name]: [`${SECURE}:${secure.port}`] }, methods: ['GET'] });

  test('the hosts in the settings of a secret still hold', async () => {
    clear();
    const heard = await ungranted.ran(source('BOUND'), grantOf('BOUND'));
    expect(heard.value).toMatchObject({ error: { code: 'secret_not_bound' } });
    expect(everything()).toBe('[[],[]]');
  });

  test('and without such hosts the secret arrives elsewhere: nothing else stops it', async () => {
    clear();
    await ungranted.ran(source('LOOSE'), grantOf('LOOSE'));
    expect(secure.arrived[0]).toMatchObject({
      host: `${OTHER}:${secure.port}`,
      headers: { 'x-key': PIN_IN_HEADER },
    });
  });

  test('a secret that nobody approved is found under a name that is put together: its own hosts still hold, and without them it arrives', async () => {
    clear();
    const asking = (name: string): string =>
      `k = secrets.get("".join(${JSON.stringify(name.split(''))}))\nhttp.get("https://${OTHER}:${secure.port}/", headers={"X-Key": k})\n`;
    const bound = await ungranted.ran(asking('BOUND'), { methods: ['GET'] });
    expect(bound.value).toMatchObject({ error: { code: 'secret_not_bound' } });
    expect(everything()).toBe('[[],[]]');
    await ungranted.ran(asking('LOOSE'), { methods: ['GET'] });
    expect(secure.arrived.map(({ headers }) => headers['x-key'])).toEqual([PIN_IN_HEADER]);
  });
});

/**
 * A granted https host that works with the attacker: it tells the secret back in every way that it knows, through the true way
 * out of a running program. Runs with all controls on; with the search of answers off, and the redactor left; with both off.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { variantsOf } from '../../src/guard/secrets/index.ts';
import {
  openWorld,
  SECURE,
  type Host,
  type Place,
  type Tested,
  type World,
} from '../support/script-world.ts';

const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
const LONGER = `${KEY}-and-more-8Kq2`;
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const hex = Buffer.from(KEY).toString('hex');

/** Forms that the redactor of results does not know: in answers alone they are looked for. */
const BEYOND: Readonly<Record<string, string>> = {
  'base64 of base64': b64(b64(KEY)),
  'base64 inside base64 of more': b64(b64(`me:${KEY}`)),
  'hex with colons': hex.replaceAll(/(..)(?=.)/g, '$1:'),
  codes: [...Buffer.from(KEY)].join(', '),
  'characters apart': [...KEY].join(' '),
  rot13: KEY.replaceAll(/[a-z]/gi, (c) =>
    String.fromCharCode(((c.charCodeAt(0) - (c <= 'Z' ? 65 : 97) + 13) % 26) + (c <= 'Z' ? 65 : 97)),
  ),
  'upper case': KEY.toUpperCase(),
  entities: [...KEY].map((c, i) => (i % 2 === 0 ? `&#${c.charCodeAt(0)};` : c)).join(''),
  'JSON in JSON': JSON.stringify(
    JSON.stringify({ a: [...KEY].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('') }),
  ),
};
const ALL = [...variantsOf(KEY), ...Object.values(BEYOND)];
const PACKED = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;

let world: World;
let host: Host;
/** Writes what it says in as many TLS records as it can. */
let records: Host;

beforeAll(async () => {
  world = await openWorld();
  host = await world.https(({ url, headers }, response) => {
    const key = String(headers['x-key'] ?? '');
    const path = url.slice(1).split('?')[0] ?? '';
    if (path === 'says') response.end(`you said ${url}`);
    else if (path === 'forms') response.end(ALL.join('\n'));
    else if (path === 'headers') {
      response.setHeader('x-echo', `was ${key}`).setHeader('x-hex', hex).setHeader(`x-${key}`, 'here');
      response.setHeader('etag', hex).setHeader('set-cookie', `sid=${key}`).end('see above');
    } else if (path === 'status') response.writeHead(200, `OK ${key}`).end('nothing');
    else if (path === 'both') response.end(`${LONGER} ${KEY} ${KEY}${LONGER} ${LONGER.slice(4)}`);
    else if (path === 'remembers') response.end(`you are ${KEY}`);
    else if (path === 'undeclared') response.end(gzipSync(key));
    else if (path === 'packed-twice')
      response.setHeader('content-encoding', 'gzip, gzip').end(gzipSync(gzipSync(key)));
    else if (path in PACKED) {
      const pack = PACKED[path as keyof typeof PACKED];
      response.setHeader('content-encoding', path).end(pack(Buffer.from(`so: ${key}`)));
    } else response.end(`so: ${key}`);
  });
  records = await world.bytes((socket, head) => {
    const key = /^x-key: (.*)\r$/im.exec(head)?.[1] ?? '';
    socket.setNoDelay(true);
    void (async () => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const say = async (text: string): Promise<void> => {
        socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
        await pause(1);
      };
      for (let at = 1; at < key.length; at += 1) {
        await say(key.slice(0, at));
        await say(`${key.slice(at)}\n`);
      }
      for (const char of key) await say(char);
      socket.end('0\r\n\r\n');
    })();
  });
}, 120_000);

const at = (): string => `${SECURE}:${host.port}`;

function echo(place: Place, path: string, result = 'r.body'): Promise<Tested> {
  return place.tested(
    `# @secrets: API_KEY\nr = http.get("https://${at()}/${path}", headers={"X-Key": secrets.get("API_KEY")})\nresult = ${result}\n`,
    { secrets: { API_KEY: [at()] }, methods: ['GET'] },
  );
}

/** With all controls on; without the search; without the search and the redactor. */
let place: Place;
let unsearched: Place;
let open: Place;
beforeAll(async () => {
  [place, unsearched, open] = await Promise.all([
    world.start(),
    world.start({ off: ['answer-search'] }),
    world.start({ off: ['answer-search', 'redaction'] }),
  ]);
  for (const one of [place, unsearched, open]) await one.setSecret('API_KEY', KEY);
  await place.setSecret('LONG_KEY', LONGER);
  await place.setSecret('PIN', '4711', { confirm_weak: true });
}, 120_000);

describe('a host that tells a secret back', () => {
  test('in each encoding, header and compression gives the script a marker, and nothing to take apart', async () => {
    const [forms, headers, status, ...packed] = await Promise.all([
      echo(place, 'forms'),
      echo(place, 'headers', 'str(r.headers)'),
      echo(place, 'status', '[r.status, r.body]'),
      ...Object.keys(PACKED).map((name) => echo(place, name)),
    ]);
    const hidden = String(forms?.result).split('\n');
    expect(hidden).toHaveLength(ALL.length);
    for (const line of hidden) expect(line).toContain('[REDACTED:API_KEY]');
    for (const form of ALL) expect(JSON.stringify(forms)).not.toContain(form);
    expect(headers?.code).toBe('secret_use');
    expect(status?.result).toEqual([200, 'nothing']);
    expect(packed.map(({ result }) => result)).toEqual(
      Array<string>(Object.keys(PACKED).length).fill('so: [REDACTED:API_KEY]'),
    );
    const more = await Promise.all([
      echo(
        place,
        'headers',
        '[r.headers.get("X-Echo"), r.headers.get("X-Hex"), r.headers.get("Etag"), len(r.headers)]',
      ),
      echo(place, 'undeclared'),
      echo(place, 'packed-twice'),
      echo(place, 'plain', '"-".join(r.body.elems())'),
      echo(place, 'plain', 'len(r.body)'),
    ]);
    expect(more[0]?.result).toEqual([
      'was [REDACTED:API_KEY]',
      '[REDACTED:API_KEY]',
      null,
      expect.any(Number),
    ]);
    expect(more[1]?.result).toBe('[REDACTED:API_KEY]');
    expect(['so: [REDACTED:API_KEY]', '[REDACTED:API_KEY]', null]).toContain(more[2]?.result);
    expect(more.slice(3).map(({ code }) => code)).toEqual(['secret_use', 'secret_use']);
    for (const form of ALL) expect(JSON.stringify([more, headers])).not.toContain(form);
  }, 120_000);

  test('split over chunks and TLS records at every place is found as if it came at once', async () => {
    const where = `${SECURE}:${records.port}`;
    const { result } = await place.tested(
      `# @secrets: API_KEY\nresult = http.get("https://${where}/", headers={"X-Key": secrets.get("API_KEY")}).body\n`,
      { secrets: { API_KEY: [where] }, methods: ['GET'] },
    );
    expect(result).toBe(`${'[REDACTED:API_KEY]\n'.repeat(KEY.length - 1)}[REDACTED:API_KEY]`);
  }, 60_000);

  test('of two secrets of which one contains the other leaves nothing of either, and an answer with one that nobody sent stops the run', async () => {
    const grant = { secrets: { API_KEY: [at()], LONG_KEY: [at()] }, methods: ['GET'] };
    const source = (path: string, ...names: string[]): string =>
      `# @secrets: API_KEY, LONG_KEY\nresult = http.get("https://${at()}/${path}", headers={${names
        .map((name, index) => `"X-${index}": secrets.get("${name}")`)
        .join(', ')}}).body\n`;
    const both = await place.tested(source('both', 'API_KEY', 'LONG_KEY'), grant);
    // The last one is a piece of the longer that is no whole value: not a secret, and it can be seen.
    expect(both.result).toBe(
      `[REDACTED:LONG_KEY] [REDACTED:API_KEY] [REDACTED:API_KEY][REDACTED:LONG_KEY] ${LONGER.slice(4)}`,
    );
    const leak = await place.tested(source('remembers', 'LONG_KEY'), grant);
    expect(leak).toEqual({ result: null, code: 'secret_leak' });
    expect(await place.audit('script.secret_leak')).toHaveLength(1);
  }, 60_000);

  test('to a script that was not granted it gives a marker to take apart, and the owner is told', async () => {
    const { result } = await place.tested(
      `result = "-".join(http.get("https://${at()}/remembers").body.elems())\n`,
      { hosts: [at()], methods: ['GET'] },
    );
    expect(result).toBe([...'you are [REDACTED:API_KEY]'].join('-'));
    expect((await place.audit('script.foreign_secret')).map(({ details }) => details)).toMatchObject([
      { secret: 'API_KEY', host: at() },
    ]);
  }, 60_000);

  test('of four digits shows nothing of its answers unless the grant says so, and elsewhere is not looked for', async () => {
    const source = (path: string, named: boolean): string =>
      `# @secrets: PIN\nr = http.get("https://${at()}/${path}"${named ? ', headers={"X-Key": secrets.get("PIN")}' : ''})\nresult = [r.status, r.body, len(r.headers)]\n`;
    const [hidden, guessed, shown, elsewhere] = await Promise.all([
      place.tested(source('plain', true), { secrets: { PIN: [at()] }, methods: ['GET'] }),
      place.tested(source('says?4711', false), { secrets: { PIN: [at()] }, methods: ['GET'] }),
      place.tested(source('plain', true), {
        secrets: { PIN: { origins: [`https://${at()}`], answers: 'shown' } },
        methods: ['GET'],
      }),
      place.tested(`# @secrets: PIN\nresult = "4711" in http.get("https://${at()}/says?4711").body\n`, {
        secrets: { PIN: [] },
        hosts: [at()],
        methods: ['GET'],
      }),
    ]);
    expect(hidden.result).toEqual([200, '[REDACTED:PIN]', 0]);
    expect(guessed.result).toEqual([200, '[REDACTED:PIN]', 0]);
    expect(shown.result).toEqual([200, 'so: [REDACTED:PIN]', expect.any(Number)]);
    expect(elsewhere).toEqual({ result: true, code: null });
  }, 60_000);
});

describe('without the search of answers', () => {
  test('the redactor hides what it knows in the result; what it does not know comes out, and so does a text that was taken apart', async () => {
    const [forms, apart] = await Promise.all([
      echo(unsearched, 'forms'),
      echo(unsearched, 'plain', '"-".join(r.body.elems())'),
    ]);
    const text = String(forms.result);
    for (const form of variantsOf(KEY)) expect(text.includes(form), form).toBe(false);
    for (const [name, form] of Object.entries(BEYOND).slice(2, 7))
      expect([name, text.includes(form)]).toEqual([name, true]);
    expect(apart.result).toBe([...`so: ${KEY}`].join('-'));
  }, 60_000);
});

describe('without the search and the redactor', () => {
  test('the secret itself comes out', async () => {
    expect((await echo(open, 'gzip')).result).toBe(`so: ${KEY}`);
    const foreign = `result = http.get("https://${at()}/remembers").body\n`;
    expect(await open.tested(foreign, { hosts: [at()], methods: ['GET'] })).toMatchObject({
      result: `you are ${KEY}`,
    });
  }, 60_000);
});

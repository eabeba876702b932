import { describe, expect, test } from 'vitest';
import { analyseScript } from '../../sandbox/analysis/index.ts';
import { proposeGrant, readGranted } from './grants.ts';
import { readHeader } from './header.ts';
import { powerOf } from './power.ts';

describe('headers', () => {
  test('are the comment lines at the beginning, blank ones between them, and nothing further down', () => {
    const header = readHeader(
      [
        '# @description: Weather: now',
        '',
        '# a remark',
        '#@secrets: A_KEY, B_KEY',
        '# @secret: C_KEY',
        '# @hosts: API.example.com other.example:8443',
        '# @tags: a, b',
        '# @approved_for: everything',
        '# @description: another',
        'x = 1',
        '# @secrets: LATE',
      ].join('\n'),
    );
    expect(header).toEqual({
      description: 'Weather: now',
      author: '',
      version: '',
      tags: ['a', 'b'],
      secrets: ['A_KEY', 'B_KEY', 'C_KEY'],
      hosts: ['api.example.com', 'other.example:8443'],
      other: { approved_for: 'everything' },
      problems: [],
    });
  });

  test('"none" is an empty list, keys have their case, and what is no name is a problem', () => {
    expect(readHeader('# @secrets: none\n').secrets).toEqual([]);
    expect(readHeader('# @Secrets: A\n').secrets).toBeUndefined();
    expect(readHeader('# @secrets: lower, OK\n# @hosts: https://x\n')).toMatchObject({
      secrets: ['OK'],
      hosts: [],
      problems: [expect.stringContaining('"lower"'), expect.stringContaining('"https://x"')],
    });
  });
});

describe('the analysis', () => {
  test('reads secrets, hosts and methods off the text, through constants and templates', () => {
    const found = analyseScript(
      [
        'BASE = "https://api.example.com/v1"',
        'def main(city, days=3):',
        '    key = secrets.get("A_" + "KEY")',
        '    http.get(BASE + "/x?q=" + city)',
        '    http.post("https://b.example/%s" % city, body="x")',
        '    http.put(url="https://c.example:8443/{}".format(city))',
        '    return [key, secrets.has("B_KEY")]',
      ].join('\n'),
    );
    expect(found).toMatchObject({
      problems: [],
      secrets: ['A_KEY', 'B_KEY'],
      hosts: ['api.example.com', 'b.example', 'c.example:8443'],
      methods: ['GET', 'POST', 'PUT'],
      undecided: [],
      functions: [{ name: 'main', params: ['city', 'days'] }],
    });
  });

  test.each([
    ['http.get(url)', 'url'],
    ['http.get("https://" + url)', 'url'],
    ['http.get("https://a.exam" + url)', 'url'],
    ['http.get(*[url])', 'url'],
    ['secrets.get(url)', 'secret'],
    ['f = http.get', 'http'],
    ['f = [http]', 'http'],
    ['f = secrets.get', 'secrets'],
  ])('says that it can not know: %s', (line, what) => {
    expect(analyseScript(`def f(url):\n    ${line}\n`).undecided).toEqual([{ line: 2, what }]);
  });

  test('a name that is assigned twice, or a parameter, is no constant', () => {
    expect(
      analyseScript('U = "https://a.example/"\nU = "https://b.example/"\nhttp.get(U)\n').undecided,
    ).toEqual([{ line: 3, what: 'url' }]);
    for (const inner of ['def f(U):', 'def f(*U):', 'for U in []:', 'f = lambda U: U\nif True:'])
      expect(analyseScript(`U = "https://a.example/"\n${inner}\n    http.get(U)\n`).undecided).toMatchObject([
        { what: 'url' },
      ]);
    expect(
      analyseScript('U = "https://a.example/"\ndef f():\n    U = "x"\n    http.get(U)\n').undecided,
    ).toEqual([{ line: 4, what: 'url' }]);
    expect(analyseScript('U = "https://a.example/"\nx = [http.get(U) for U in []]\n').undecided).toHaveLength(
      1,
    );
  });

  test('static errors have their line', () => {
    expect(analyseScript('x = 1\ny = (\n').problems[0]).toMatchObject({ line: expect.any(Number) });
    expect(analyseScript('x = nosuch\n').problems).toMatchObject([{ line: 1 }]);
  });
});

describe('effort', () => {
  /** How many times as long the first takes: the shortest of some tries, taken in turns, as others use the machine too. */
  function ratio(one: () => unknown, other: () => unknown): number {
    const took = (act: () => unknown): number => {
      const from = performance.now();
      act();
      return performance.now() - from;
    };
    const tries = Array.from({ length: 5 }, () => [took(one), took(other)] as const);
    return Math.min(...tries.map(([a]) => a)) / Math.min(...tries.map(([, b]) => b));
  }
  const doubling = (levels: number): string =>
    Array.from({ length: levels }, (_, i) => `A${i + 1} = A${i} + A${i}\n`).join('');

  test('grows with the length of a line of spaces in a header', () => {
    const line = (n: number): string => `# @a:${' '.repeat(n)}x\u2028y`;
    // Eight times the text: quadratic work would take 64 times as long.
    const [long, short] = [line(16_000), line(2_000)];
    expect(
      ratio(
        () => readHeader(long),
        () => readHeader(short),
      ),
    ).toBeLessThan(32);
  });

  test('is no greater for what can not be known than for what can', () => {
    const calls = (address: string): string => `x = 1\n${`http.get(${address})\n`.repeat(8_000)}`;
    const [unknown, known] = [calls('x'), calls('"https://a.example/"')];
    expect(
      ratio(
        () => analyseScript(unknown),
        () => analyseScript(known),
      ),
    ).toBeLessThan(4);
  });

  test('constants that double each other again and again cost no more than their text', () => {
    const bomb = `A0 = "https://a.example/${'x'.repeat(20_000)}"\n${doubling(60)}`;
    const found = analyseScript(`${bomb}${'http.get(A60)\n'.repeat(200)}`);
    expect(found.methods).toEqual(['GET']);
    const [once, often] = [`${bomb}http.get(A0)\n`, `${bomb}${'http.get(A9)\n'.repeat(200)}`];
    expect(
      ratio(
        () => analyseScript(often),
        () => analyseScript(once),
      ),
    ).toBeLessThan(32);
    expect(analyseScript(`${bomb}http.get(A9)\n`)).toMatchObject({ hosts: ['a.example'], undecided: [] });
    const name = `N0 = "${'N'.repeat(1_500)}"\nN1 = N0 + N0\nsecrets.get(N1)\n`;
    expect(analyseScript(name).undecided).toEqual([{ line: 3, what: 'secret' }]);
  });

  test('a sum of many pieces is still known by its beginning', () => {
    const sum = Array.from({ length: 60 }, (_, i) => `"&p${i}=" + q`).join(' + ');
    expect(analyseScript(`def f(q):\n    http.get("https://a.example/?" + ${sum})\n`)).toMatchObject({
      hosts: ['a.example'],
      undecided: [],
    });
  });
});

describe('grants', () => {
  const facts = (source: string) => ({ header: readHeader(source), analysis: analyseScript(source) });

  test('what a script asks for: the secrets of its header at the hosts of its header or of its text', () => {
    const source = '# @secrets: KEY\nhttp.get("https://a.example/x")\nsecrets.get("OTHER")\n';
    const { header, analysis } = facts(source);
    const grant = proposeGrant(header, analysis, () => undefined);
    expect(grant).toEqual({ secrets: { KEY: ['a.example'] }, hosts: ['a.example'], methods: ['GET'] });
    expect(proposeGrant(header, analysis, () => ['b.example']).secrets).toEqual({ KEY: [] });
    const power = powerOf(grant, undefined, { header, analysis });
    expect(power.summary).toBe('GET to a.example with KEY.');
    expect(power.lines.map(({ text, fresh }) => [text, fresh])).toEqual([
      ['may send the secret KEY to a.example, in any part of a request', true],
      ['may speak to a.example (GET)', true],
      ['runs at most 60 times in an hour, with 600 requests and 200 MiB of answers', false],
    ]);
    expect(power.warnings.join(' ')).toContain('OTHER, which its header does not declare');
    const again = powerOf({ ...grant, methods: ['GET', 'POST'] }, grant, { header, analysis });
    expect(again.lines.filter(({ fresh }) => fresh)).toEqual([
      { kind: 'method', text: 'may use POST', fresh: true },
    ]);
  });

  test('limits that are looser than they were, or gone, are new power; so are answers that would be hidden', () => {
    const facts = { header: readHeader(''), analysis: analyseScript('') };
    const origins = ['https://a.example'];
    const before = {
      secrets: { KEY: { origins } },
      hosts: [],
      methods: ['GET'],
      expires_at: '2030-01-01T00:00:00.000Z',
      quotas: { runs_per_hour: 2 },
    };
    const fresh = (change: object) =>
      powerOf({ ...before, ...change }, before, facts)
        .lines.filter((line) => line.fresh)
        .map(({ text }) => text);
    expect(fresh({})).toEqual([]);
    expect(fresh({ quotas: { runs_per_hour: 1, bytes_per_hour: 9 } })).toEqual([]);
    expect(fresh({ quotas: { runs_per_hour: 2, bytes_per_hour: 1024 ** 3 } })).toEqual([
      'runs at most 2 times in an hour, with 600 requests and 1024 MiB of answers',
    ]);
    expect(fresh({ quotas: undefined, expires_at: undefined })).toEqual([
      'runs at most 60 times in an hour, with 600 requests and 200 MiB of answers',
      'holds without an end',
    ]);
    expect(fresh({ hidden_fields: ['pin'] })).toEqual([]);
    const hiding = { ...before, hidden_fields: ['pin'] };
    expect(powerOf(before, hiding, facts).lines.filter((line) => line.fresh)).toEqual([
      { kind: 'limit', text: 'is shown pin in answers, which was hidden', fresh: true },
    ]);
    expect(powerOf(hiding, hiding, facts).lines.map(({ text }) => text)).toContain(
      'is not shown pin in answers',
    );
    expect(fresh({ expires_at: '2031-01-01T00:00:00.000Z' })).toEqual([
      'holds until 2031-01-01T00:00:00.000Z',
    ]);
    expect(fresh({ secrets: { KEY: { origins, answers: 'shown' } } })).toEqual([
      'may send the secret KEY to https://a.example, in any part of a request, and sees the answers even where it could be guessed',
    ]);
  });

  test.each([
    ['no object', []],
    ['an unknown member', { host: ['a'] }],
    ['an expiry that is no time', { expires_at: 'soon' }],
    ['an expiry that could not be read again', { expires_at: '9999-12-31T23:59:59-23:00' }],
    ['an expiry without a zone', { expires_at: '2030-01-31T12:00:00' }],
    ['a quota that is too large', { quotas: { runs_per_hour: 1e9 } }],
    ['a quota that is unknown', { quotas: { runs: 1 } }],
    ['a wildcard', { hosts: ['*.example'] }],
  ])('%s is refused', (_what, data) => {
    expect(() => readGranted(data)).toThrow(expect.objectContaining({ code: 'grant_invalid' }));
  });

  test('two that say the same are one text', () => {
    const a = readGranted({
      secrets: { B: ['x.y'], A: ['x.y'] },
      hosts: ['b.c', 'a.b'],
      methods: ['post', 'GET'],
    });
    const b = readGranted({
      methods: ['GET', 'POST'],
      hosts: ['a.b', 'b.c'],
      secrets: { A: ['x.y'], B: ['x.y'] },
    });
    expect(a.text).toBe(b.text);
  });

  test('one that was written in another spelling is shown and compared in the usual one', () => {
    const usual = {
      secrets: {
        A: ['x.y'],
        B: { origins: ['https://x.y'], in: ['header:x-key', 'path'], answers: 'shown' },
      },
      hosts: [],
      methods: [],
    };
    const other = readGranted({
      secrets: {
        B: { origins: ['HTTPS://X.Y:443', 'https://x.y'], in: ['path', 'Header:X-Key'], answers: 'shown' },
        A: ['X.y:443', 'x.y'],
      },
    });
    expect(other.view).toEqual(usual);
    expect(other.text).toBe(readGranted(usual).text);
    const facts = { header: readHeader(''), analysis: analyseScript('') };
    expect(powerOf(other.view, readGranted(usual).view, facts).lines.filter(({ fresh }) => fresh)).toEqual(
      [],
    );
    const nowhere = readGranted({
      secrets: { A: { origins: ['https://x.y'], in: [], answers: 'hidden' } },
    }).view;
    expect(powerOf(nowhere, undefined, facts).lines[0]?.text).toBe(
      'may send the secret A to https://x.y, in no part of a request',
    );
  });
});

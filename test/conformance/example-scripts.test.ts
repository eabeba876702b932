/**
 * The example scripts, each case through the command line as an author uses it: `openpact script test`, with its process,
 * fences and broker.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..', '..');

interface ExpectedRequest {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Case {
  readonly id: string;
  readonly script: string;
  readonly function?: string;
  readonly args?: readonly unknown[];
  readonly now?: string;
  readonly secretsOverride?: Readonly<Record<string, string>>;
  readonly networkFailure?: boolean;
  readonly requests?: readonly ExpectedRequest[];
  readonly responses?: readonly {
    readonly status: number;
    readonly json?: unknown;
    readonly text?: string;
  }[];
  readonly value?: unknown;
  readonly valueMatch?: Readonly<Record<string, unknown>>;
  readonly errorMustNotContain?: readonly string[];
  readonly errorMayContain?: readonly string[];
}

const { secrets: SECRETS, cases } = JSON.parse(
  readFileSync(join(ROOT, 'test', 'fixtures', 'example-scripts.json'), 'utf8'),
) as { readonly secrets: Readonly<Record<string, string>>; readonly cases: readonly Case[] };

const GRANTS: Readonly<Record<string, unknown>> = {
  weather: { secrets: { WEATHER_API_KEY: ['api.weatherapi.com'] }, methods: ['GET'] },
  github_notify: { secrets: { GITHUB_TOKEN: ['api.github.com'] }, methods: ['GET', 'POST'] },
  jokes: {
    hosts: ['icanhazdadjoke.com', 'api.chucknorris.io', 'official-joke-api.appspot.com'],
    methods: ['GET'],
  },
};

/** Every request that the three scripts can make: whichever comes first gets the case's answer. */
const KEYS = [
  'GET https://api.weatherapi.com/v1/current.json?key=[REDACTED:WEATHER_API_KEY]&q=Tokyo',
  'GET https://api.weatherapi.com/v1/current.json?key=[REDACTED:WEATHER_API_KEY]&q=Nowhere',
  'GET https://api.weatherapi.com/v1/current.json?key=[REDACTED:WEATHER_API_KEY]&q=Rome',
  'GET https://api.weatherapi.com/v1/current.json?key=[REDACTED:WEATHER_API_KEY]&q=London',
  'GET https://api.weatherapi.com/v1/forecast.json?key=[REDACTED:WEATHER_API_KEY]&q=Tokyo&days=2',
  'GET https://api.weatherapi.com/v1/forecast.json?key=[REDACTED:WEATHER_API_KEY]&q=Tokyo&days=3',
  'GET https://api.github.com/notifications',
  'GET https://api.github.com/notifications?all=true',
  'POST https://api.github.com/notifications/threads/77',
  'GET https://icanhazdadjoke.com/',
  'GET https://api.chucknorris.io/jokes/random',
  'GET https://official-joke-api.appspot.com/jokes/programming/random',
];

interface Report {
  readonly value: Record<string, unknown> | null;
  readonly error: { readonly code: string; readonly message: string; readonly line: number | null } | null;
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }[];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'openpact-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, data: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(data));
  return path;
}

function cli(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'openpact.js'), 'script', 'test', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (err += String(chunk)));
  return new Promise((done) => child.once('close', (code) => done({ code, out, err })));
}

/** The files of a case, and its command line. */
function commandOf(entry: Case): string[] {
  const answers = (entry.responses ?? []).map(({ status, json, text }) => ({
    status,
    body: (json === undefined ? (text ?? '') : JSON.stringify(json)).replaceAll(
      SECRETS['WEATHER_API_KEY'] ?? '',
      '{{WEATHER_API_KEY}}',
    ),
  }));
  const http = entry.networkFailure === true ? {} : Object.fromEntries(KEYS.map((key) => [key, answers]));
  return [
    join(ROOT, 'examples', 'scripts', `${entry.script}.star`),
    '--json',
    '--secrets',
    file(`${entry.id}.secrets.json`, entry.secretsOverride ?? SECRETS),
    '--grant',
    file(`${entry.id}.grant.json`, GRANTS[entry.script]),
    '--http',
    file(`${entry.id}.http.json`, http),
    ...(entry.function === undefined ? [] : ['--function', entry.function]),
    ...(entry.args === undefined ? [] : ['--args', JSON.stringify(entry.args)]),
    ...(entry.now === undefined ? [] : ['--now', entry.now]),
  ];
}

/** What stands in the list of requests for a text that is sent: secrets as markers. */
function shown(text: string): string {
  return Object.entries(SECRETS).reduce(
    (out, [name, value]) => out.replaceAll(value, `[REDACTED:${name}]`),
    text,
  );
}

function expectRequest(got: Report['requests'][number] | undefined, want: ExpectedRequest): void {
  const [, host, path, query = ''] = /^https:\/\/([^/]+)(\/[^?]*)(?:\?(.*))?$/.exec(got?.url ?? '') ?? [];
  if (want.method !== undefined) expect(got?.method).toBe(want.method);
  if (want.host !== undefined) expect(host).toBe(want.host);
  if (want.path !== undefined) expect(path).toBe(want.path);
  if (want.body !== undefined) expect(got?.body).toBe(want.body);
  const pairs = Object.fromEntries(query.split('&').map((pair) => pair.split('=') as [string, string]));
  for (const [name, value] of Object.entries(want.query ?? {})) expect(pairs[name]).toBe(shown(value));
  if (want.query !== undefined && Object.keys(want.query).length === 0) expect(query).toBe('');
  for (const [name, value] of Object.entries(want.headers ?? {}))
    expect(got?.headers[name]).toBe(shown(value));
}

function expectMember(got: unknown, want: unknown): void {
  const mentions = typeof want === 'string' ? /^<mentions (\w+)>$/.exec(want)?.[1] : undefined;
  if (want === '<non-empty string>') expect(got).toMatch(/./);
  else if (mentions !== undefined) expect(got).toContain(mentions);
  else expect(got).toEqual(want);
}

describe('the example scripts, through the command line', () => {
  test.concurrent.each(cases)('$id', { timeout: 60_000 }, async (entry) => {
    const { code, out, err } = await cli(commandOf(entry));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const secret of Object.values(SECRETS)) expect(out).not.toContain(secret);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    const report = JSON.parse(out) as Report;
    expect(Object.keys(report)).toEqual([
      'value',
      'error',
      'logs',
      'requests',
      'notices',
      'limits',
      'duration_ms',
    ]);
    if (entry.requests !== undefined) expect(report.requests).toHaveLength(entry.requests.length);
    for (const [index, want] of (entry.requests ?? []).entries()) expectRequest(report.requests[index], want);
    if (entry.networkFailure === true) expect(report.error).toMatchObject({ code: 'connection_failed' });
    else expect(report.error).toBeNull();
    if (entry.value !== undefined) expect(report.value).toEqual(entry.value);
    for (const [name, want] of Object.entries(entry.valueMatch ?? {}))
      expectMember(report.value?.[name], want);
  });

  test('no case left anything behind in the folder where it ran', () => {
    expect(readdirSync(folder).filter((name) => !name.endsWith('.json'))).toEqual([]);
  });
});

describe('the command line of script test', () => {
  const script = (name: string, source: string): string => {
    const path = join(folder, `${name}.star.json`);
    writeFileSync(path, source);
    return path;
  };

  test('answers of one request come in order, and then the connection fails; what was refused is listed', async () => {
    const source = [
      'def main():',
      '    print(http.get("https://a.test/x?b=1&a=2").body)',
      '    print(http.get("https://a.test/x?b=1&a=2").status)',
      '    http.get("https://b.test/")',
    ].join('\n');
    const { code, out } = await cli([
      script('order', source),
      '--json',
      '--grant',
      file('order.grant.json', { hosts: ['a.test'], methods: ['GET'] }),
      '--http',
      file('order.http.json', {
        'GET https://a.test/x?b=1&a=2': [{ status: 200, body: 'first' }, { status: 404 }],
      }),
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      logs: ['first', '404'],
      value: null,
      error: { code: 'host_not_granted', line: 4 },
      requests: [
        { method: 'GET', url: 'https://a.test/x?b=1&a=2' },
        { method: 'GET', url: 'https://a.test/x?b=1&a=2' },
        { method: 'GET', url: 'https://b.test/', refused: 'host_not_granted' },
      ],
    });
  });

  test('without a grant nothing is granted, and a script that is no program is a verdict', async () => {
    const [ungranted, broken] = await Promise.all([
      cli([
        script('none', 'result = [secrets.list(), secrets.get("A")]'),
        '--json',
        '--secrets',
        file('a.json', { A: 'b' }),
      ]),
      cli([script('broken', 'x = (\n'), '--json']),
    ]);
    expect(JSON.parse(ungranted.out)).toMatchObject({ value: [[], null], error: null });
    expect(broken.code).toBe(0);
    expect(JSON.parse(broken.out)).toMatchObject({ error: { code: 'syntax' }, requests: [], logs: [] });
  });

  test('files that can not be used end with 1, a wrong command line with 2; no value of a secret is quoted', async () => {
    const ok = script('ok', 'result = 1');
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"KEY": "sk_live_4f9aB2cD8e7Q"');
    const results = await Promise.all([
      cli([join(folder, 'missing.star'), '--json']),
      cli([ok, '--secrets', bad]),
      cli([ok, '--grant', file('wrong.grant.json', { hosts: 'a' })]),
      cli([ok, '--http', file('wrong.http.json', { 'https://a.test/': {} })]),
      cli([ok, '--now', 'yesterday']),
      cli([ok, '--args', '[]']),
      cli([]),
    ]);
    expect(results.map(({ code }) => code)).toEqual([1, 1, 1, 1, 2, 2, 2]);
    expect(JSON.parse(results[0]?.out ?? '')).toMatchObject({ error: 'file_unreadable' });
    expect(results.map(({ out, err }) => out + err).join()).not.toContain('sk_live');
    for (const { err } of results.slice(1)) expect(err).not.toBe('');
  });

  test('the command in docs/starlark.md works as it stands there', async () => {
    const page = readFileSync(join(ROOT, 'docs', 'starlark.md'), 'utf8');
    const [, line = ''] = /^openpact script test (.*)$/m.exec(page) ?? [];
    file('grant.json', GRANTS['jokes']);
    file('http.json', { 'GET https://icanhazdadjoke.com/': { body: '{"id": "1", "joke": "J"}' } });
    const { code, out } = await cli(line.replace('examples/', join(ROOT, 'examples/')).split(' '));
    expect(code).toBe(0);
    expect(out).toContain('"joke": "J"');
  });

  test('whole numbers of any size go in and out', async () => {
    const { out } = await cli([
      script('big', 'def f(a, b):\n    return [a * 2, b]'),
      '--json',
      '--function',
      'f',
      '--args',
      '{"a": 123456789012345678901234567890, "b": 1.5}',
    ]);
    expect(out).toContain('"value":[246913578024691357802469135780,1.5]');
  });
});

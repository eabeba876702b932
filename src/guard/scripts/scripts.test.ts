import { afterEach, describe, expect, test, vi } from 'vitest';
import { setImmediate as tick } from 'node:timers/promises';
import { AppError, type Clock } from '../../core/index.ts';
import {
  hashOf,
  MODEL,
  openScriptBench,
  OWNER,
  type ScriptBench,
  type ScriptBenchOptions,
} from '../../../test/support/script-bench.ts';
import { analyseScript } from '../../sandbox/analysis/index.ts';
import { proposeGrant, readGranted } from './grants.ts';
import { readHeader } from './header.ts';
import { unifiedDiff } from './line-diff.ts';
import { powerOf } from './power.ts';
import { scriptNews } from './script-news.ts';
import { testScript } from './test-runs.ts';

const ONE = 'result = 1\n';
const TWO = 'result = 2\n';

let bench: ScriptBench | undefined;
afterEach(() => {
  bench?.close();
  bench = undefined;
  vi.useRealTimers();
});
function open(options: ScriptBenchOptions = {}): ScriptBench {
  bench = openScriptBench(options);
  return bench;
}

async function code(act: Promise<unknown>): Promise<string> {
  try {
    const value = (await act) as { ok?: boolean; code?: string } | undefined;
    return value?.ok === false ? String(value.code) : 'ok';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

async function approved(made: ScriptBench, name: string, source: string, grant?: object): Promise<string> {
  await made.save(name, source);
  const { row, hash } = made.library.require(name);
  await made.decisions.approve(name, { hash, revision: row.revision, grant: grant as never }, OWNER);
  return hash;
}

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
});

describe('versions', () => {
  test('come from every door with author, parent and time, and each is pending', async () => {
    const made = open();
    await made.save('job', ONE);
    made.drop('job', TWO);
    await made.library.lookAll();
    await made.save('job', 'result = 3\n', OWNER);
    await made.library.restore('job', hashOf(ONE), OWNER);
    expect(
      made.library
        .versions('job')
        .map(({ hash, parent, author, how, decision }) => [hash, parent, author, how, decision]),
    ).toEqual([
      [hashOf(ONE), hashOf('result = 3\n'), 'user:owner', 'restored', null],
      [hashOf('result = 3\n'), hashOf(TWO), 'user:owner', 'page', null],
      [hashOf(TWO), hashOf(ONE), 'unknown', 'folder', null],
      [hashOf(ONE), null, 'assistant:cnv_1', 'tool', null],
    ]);
    expect(made.onDisk('job')).toBe(ONE);
    expect(made.library.require('job').status).toBe('pending');
    expect(made.events('script.version')).toHaveLength(4);
  });

  test('the approved text that comes back is approved; one that the owner restores waits for a decision', async () => {
    const made = open();
    const hash = await approved(made, 'job', ONE);
    await made.save('job', TWO);
    expect(made.library.require('job')).toMatchObject({ status: 'pending', modified: true });
    made.drop('job', ONE);
    expect(await code(made.run('job'))).toBe('ok');
    await made.save('job', TWO);
    await made.library.restore('job', hash, OWNER);
    expect(made.library.require('job').status).toBe('pending');
    expect(await code(made.run('job'))).toBe('script_not_approved');
  });

  test('what was rejected stays so, whoever brings it again', async () => {
    const made = open();
    await made.save('job', ONE);
    await made.decisions.reject('job', { hash: hashOf(ONE), reason: 'too bold' }, OWNER);
    await made.save('job', TWO);
    await made.save('job', ONE);
    expect(made.library.require('job')).toMatchObject({ status: 'rejected' });
    expect(await made.run('job')).toMatchObject({
      code: 'script_not_approved',
      details: { status: 'rejected', reason: 'too bold' },
    });
    await made.library.restore('job', hashOf(ONE), OWNER);
    expect(made.library.require('job').status).toBe('pending');
  });

  test('with keep the approved version goes on while another one waits', async () => {
    const made = open({ options: { onChange: 'keep' } });
    const hash = await approved(made, 'job', ONE);
    await made.save('job', TWO);
    expect(await made.run('job')).toMatchObject({ ok: true, hash });
    expect(made.orders.map(({ source }) => source)).toEqual([ONE]);
  });

  test('a pinned digest is approved when it comes, with what its header declares; others are not', async () => {
    const source = '# @secrets: KEY\nhttp.get("https://a.example/")\n';
    const made = open({ options: { autoApprove: new Set([hashOf(source)]) } });
    made.drop('job', source);
    expect(await code(made.run('job'))).toBe('ok');
    expect([...(made.orders[0]?.grant.secrets.keys() ?? [])]).toEqual(['KEY']);
    await made.save('job', `${source}# more\n`);
    expect(await code(made.run('job'))).toBe('script_modified');
  });

  test('a file that is gone does not run, one that is no text neither, and both come back', async () => {
    const made = open();
    await approved(made, 'job', ONE);
    made.erase('job');
    expect(await code(made.run('job'))).toBe('script_not_found');
    made.drop('job', ONE);
    expect(await code(made.run('job'))).toBe('ok');
    made.drop('job', new Uint8Array([0, 1, 2]));
    expect(await made.run('job')).toMatchObject({ code: 'script_modified', details: { current_hash: null } });
    made.drop('job', ONE);
    expect(await code(made.run('job'))).toBe('ok');
  });

  test('a write that the disk refused is made up for at the next look, and no version is lost', async () => {
    const made = open();
    await made.save('job', ONE);
    made.failWrites(new AppError({ family: 'config', code: 'disk_full', message: 'full' }));
    expect(await code(made.save('job', TWO))).toBe('disk_full');
    expect(made.onDisk('job')).toBe(ONE);
    made.failWrites(undefined);
    await made.library.look('job');
    expect(made.onDisk('job')).toBe(TWO);
    expect(made.library.versions('job').map(({ hash }) => hash)).toEqual([hashOf(TWO), hashOf(ONE)]);
  });

  test('texts that are no program, too large, or not of the version that was seen are refused', async () => {
    const made = open();
    expect(await code(made.save('job', 'def (\n'))).toBe('invalid_script');
    expect(await code(made.save('job', `#${'x'.repeat(256 * 1024)}`))).toBe('script_too_large');
    expect(await code(made.save('job', '# \0'))).toBe('invalid_text');
    await made.save('job', ONE);
    const save = {
      name: 'job',
      source: TWO,
      how: 'page',
      by: OWNER,
      origin: 'page',
      mustParse: true,
    } as const;
    expect(await code(made.library.save({ ...save, base: null }))).toBe('script_exists');
    expect(await code(made.library.save({ ...save, base: hashOf('x') }))).toBe('script_changed');
    expect(await code(made.library.save({ ...save, base: hashOf(ONE) }))).toBe('ok');
  });

  test('a text that is no program can be dropped in the folder, but not approved', async () => {
    const made = open();
    made.drop('job', 'def (\n');
    await made.library.look('job');
    const { hash } = made.library.require('job');
    expect(await code(made.decisions.approve('job', { hash }, OWNER))).toBe('invalid_script');
  });

  test('what is deleted is gone from the folder and does not run; a new one under the name is not approved', async () => {
    const made = open();
    await approved(made, 'job', ONE);
    await made.library.remove('job', OWNER);
    await made.library.lookAll();
    expect(await code(made.run('job'))).toBe('script_not_found');
    await made.save('job', ONE);
    expect(await code(made.run('job'))).toBe('script_not_approved');
  });

  test('what a script asks for follows the hosts of its secrets as they are now', async () => {
    let bound: readonly string[] | undefined;
    const made = open({ boundHosts: () => bound });
    await made.save('job', '# @secrets: KEY\n# @hosts: a.example b.example\nresult = 1\n');
    const { hash } = made.library.require('job');
    expect(made.library.facts(hash).proposed.secrets).toEqual({ KEY: ['a.example', 'b.example'] });
    bound = ['b.example'];
    expect(made.library.facts(hash).proposed.secrets).toEqual({ KEY: ['b.example'] });
  });

  test('what is deleted waits for nobody, and leaves room for other proposals', async () => {
    const made = open({ options: { maxPending: 1 } });
    await made.save('job', ONE);
    expect(await code(made.save('other', ONE))).toBe('too_many_pending');
    await made.library.remove('job', OWNER);
    expect(made.store.countPending()).toBe(0);
    expect(await code(made.save('other', ONE))).toBe('ok');
  });

  test('differences are unified and complete', () => {
    const before = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    const after = before.with(4, 'changed').toSpliced(20, 1);
    const diff = unifiedDiff({ label: 'a', text: before.join('\n') }, { label: 'b', text: after.join('\n') });
    expect(diff.split('\n').filter((line) => /^[-+@]/.test(line))).toEqual([
      '--- a',
      '+++ b',
      '@@ -2,7 +2,7 @@',
      '-line 4',
      '+changed',
      '@@ -18,7 +18,6 @@',
      '-line 20',
    ]);
    expect(unifiedDiff({ label: 'a', text: ONE }, { label: 'b', text: ONE })).toBe('');
  });
});

describe('runs', () => {
  test('are written down before and after, with requests and names of secrets, never values', async () => {
    const value = 'Zq8vR2mX7pLw4TnBc91K';
    const made = open({
      secrets: { KEY: value },
      send: async () => ({ status: 200, headers: [], body: new TextEncoder().encode('hello') }),
      play: async (_order, { watcher, send }) => {
        watcher.notice({ event: 'secret_sent', name: 'KEY', host: 'a.example' });
        await send(
          {
            method: 'GET',
            url: `https://a.example/?k=${value}`,
            headers: [],
            body: undefined,
            timeoutMs: 1,
            maxBytes: 10,
            current: () => true,
            shown: { method: 'GET', url: 'https://a.example/?k=[REDACTED:KEY]', headers: {}, body: '' },
          },
          new AbortController().signal,
        );
        return { value: 'done' };
      },
    });
    const grant = { secrets: { KEY: ['a.example'] }, hosts: [], methods: ['GET'] };
    await approved(made, 'job', `# @secrets: KEY\n${ONE}`, grant);
    const done = await made.run('job');
    expect(done).toMatchObject({ ok: true, value: 'done', error: null });
    const [row] = made.runStore.list('job', 10);
    expect(row).toMatchObject({ outcome: 'ok', bytes: 5, request_count: 1, secrets: '["KEY"]' });
    expect(JSON.parse(row?.requests ?? '')).toEqual([
      { method: 'GET', host: 'a.example', status: 200, bytes: 5, secrets: ['KEY'] },
    ]);
    expect(
      JSON.stringify([row, made.events('script.secret_used'), made.events('script.ended')]),
    ).not.toContain(value);
    expect(made.events('script.secret_used')).toMatchObject([
      { target: 'job', details: { secret: 'KEY', host: 'a.example' } },
    ]);
  });

  test('refused requests do not push out those that were sent, and an answer that was too large counts', async () => {
    const shown = { method: 'GET', url: 'https://a.example/', headers: {}, body: '' };
    const request = {
      method: 'GET',
      url: shown.url,
      headers: [],
      body: undefined,
      timeoutMs: 1,
      maxBytes: 700,
      current: () => true,
      shown,
    };
    const made = open({
      send: async () => ({ failed: 'too_large', status: 200 }),
      play: async (_order, { watcher, send }) => {
        for (let index = 0; index < 120; index += 1)
          watcher.request?.({ ...shown, url: `https://x${index}.example/`, refused: 'host_not_granted' });
        for (let index = 0; index < 3; index += 1) await send(request, new AbortController().signal);
        return {};
      },
    });
    await approved(made, 'job', ONE, { hosts: ['a.example'], quotas: { requests_per_hour: 3 } });
    expect(await code(made.run('job'))).toBe('ok');
    const [row] = made.runStore.list('job', 10);
    expect(row).toMatchObject({ request_count: 3, bytes: 2_100 });
    expect((JSON.parse(row?.requests ?? '[]') as unknown[]).slice(-3)).toEqual(
      Array.from({ length: 3 }, () => ({
        method: 'GET',
        host: 'a.example',
        status: 200,
        bytes: null,
        secrets: [],
      })),
    );
    expect(await made.run('job')).toMatchObject({
      code: 'quota_exceeded',
      details: { quota: 'requests_per_hour', used: 3 },
    });
  });

  test('a secret whose use can not be written down is not sent, and its run ends', async () => {
    let sent = 0;
    const shown = { method: 'GET', url: 'https://a.example/', headers: {}, body: '' };
    const made = open({
      secrets: { KEY: 'a secret of some length' },
      send: async () => {
        sent += 1;
        return { failed: 'connection_failed' };
      },
      async play(_order, { secrets, watcher, send }) {
        watcher.notice({ event: 'secret_sent', name: 'KEY', host: 'a.example' });
        watcher.notice({ event: 'secret_undeclared', name: 'OTHER' });
        const more = { headers: [], body: undefined, timeoutMs: 1, maxBytes: 10, current: () => true };
        const request = { ...shown, ...more, shown };
        const answer = await send(request, new AbortController().signal);
        return { value: ['failed' in answer, secrets.openValue('KEY') ?? null] };
      },
    });
    await approved(made, 'job', '# @secrets: KEY\n', { secrets: { KEY: ['a.example'] }, methods: ['GET'] });
    made.database.run(
      `CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.event = 'script.secret_used'
       BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
      {},
    );
    made.database.run(
      "CREATE TRIGGER full_too BEFORE INSERT ON script_offers BEGIN SELECT RAISE(ABORT, 'disk full'); END",
      {},
    );
    expect(await made.run('job')).toMatchObject({ ok: true, value: null, error: { code: 'killed' } });
    expect(sent).toBe(0);
    expect(made.events('script.killed')).toMatchObject([{ details: { secrets: ['KEY'] } }]);
  });

  test('quotas count runs, requests and bytes of an hour, and say when there is room again', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const made = open({ clock });
    await approved(made, 'job', ONE, { quotas: { runs_per_hour: 2 } });
    expect(await code(made.run('job'))).toBe('ok');
    now += 60_000;
    expect(await code(made.run('job'))).toBe('ok');
    expect(await made.run('job')).toMatchObject({
      code: 'quota_exceeded',
      details: { quota: 'runs_per_hour', used: 2, limit: 2, retry_after_s: 3540 },
    });
    now += 3_541_000;
    expect(await code(made.run('job'))).toBe('ok');
    expect(made.events('script.refused')).toMatchObject([{ details: { code: 'quota_exceeded' } }]);
  });

  test('what is left of a quota bounds the run itself, runs that are under way included', async () => {
    let release: (() => void) | undefined;
    const made = open({ play: () => new Promise((resolve) => (release = () => resolve({}))) });
    await approved(made, 'job', ONE, { quotas: { requests_per_hour: 60, bytes_per_hour: 1_000 } });
    const first = made.run('job');
    while (made.orders.length === 0) await tick();
    expect(made.orders[0]?.limits).toMatchObject({ requests: 50, totalBytes: 1_000 });
    expect(await made.run('job')).toMatchObject({
      code: 'quota_exceeded',
      details: { quota: 'bytes_per_hour' },
    });
    release?.();
    await first;
  });

  test('an approval that runs out blocks, and ends what still runs', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const made = open({
      clock,
      play: (order) => new Promise((resolve) => order.signal?.addEventListener('abort', () => resolve({}))),
    });
    await approved(made, 'job', ONE, { expires_at: '2030-01-01T00:00:00.050Z' });
    expect(await made.run('job')).toMatchObject({ ok: true, error: { code: 'killed' } });
    now += 1_000;
    expect(await code(made.run('job'))).toBe('approval_expired');
  });

  test('an approval that runs out while its run waits for its turn ends it all the same', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const clock: Clock = {
      now: () => Date.parse('2030-01-01T00:00:00Z'),
      monotonic: () => performance.now(),
    };
    const made = open({
      clock,
      play: (order) => new Promise((resolve) => order.signal?.addEventListener('abort', () => resolve({}))),
    });
    await approved(made, 'job', ONE, { expires_at: '2030-01-01T00:00:40Z' });
    const run = made.run('job');
    while (made.runs.running === 0) await tick();
    vi.advanceTimersByTime(40_001);
    expect(await run).toMatchObject({ ok: true, error: { code: 'killed' } });
  });

  test('an approval that ran out stays out when the clock goes back, and ends what slept past its end', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const made = open({
      clock,
      play: (order) => new Promise((resolve) => order.signal?.addEventListener('abort', () => resolve({}))),
    });
    await approved(made, 'job', ONE, { expires_at: '2030-01-01T01:00:00Z' });
    made.decisions.expireDue();
    const run = made.run('job');
    while (made.runs.running === 0) await tick();
    // The machine slept; no timer of this process saw the hour go by.
    now += 3_600_000;
    made.decisions.expireDue();
    expect(await run).toMatchObject({ error: { code: 'killed' } });
    now -= 3_600_000;
    expect(await made.run('job')).toMatchObject({ code: 'approval_expired', details: { status: 'expired' } });
    made.decisions.expireDue();
    expect(made.events('script.approval_expired').map(({ details }) => details)).toEqual([
      { hash: hashOf(ONE), expires_at: '2030-01-01T01:00:00.000Z' },
    ]);
    // The owner can approve it again.
    const { row } = made.library.require('job');
    await made.decisions.approve('job', { hash: hashOf(ONE), revision: row.revision }, OWNER);
    expect(made.library.runnable('job')).toMatchObject({ ok: true });
  });

  test('an approval that ran out and could not be taken back does not run, whatever the clock says', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const made = open({ clock });
    await approved(made, 'job', ONE, { expires_at: '2030-01-01T01:00:00Z' });
    made.database.run('PRAGMA query_only = 1');
    now += 3_600_000;
    made.decisions.expireDue();
    made.decisions.expireDue();
    now -= 3_600_000;
    made.database.run('PRAGMA query_only = 0');
    expect(await code(made.run('job'))).toBe('script_disabled');
    made.decisions.expireDue();
    expect(await code(made.run('job'))).toBe('approval_expired');
  });

  test('another grant ends the runs of the one before', async () => {
    const made = open({
      play: (order) => new Promise((resolve) => order.signal?.addEventListener('abort', () => resolve({}))),
    });
    await approved(made, 'job', ONE, { hosts: ['a.example'] });
    const run = made.run('job');
    while (made.runs.running === 0) await tick();
    await approved(made, 'job', ONE, { hosts: [] });
    expect(await run).toMatchObject({ error: { code: 'killed' } });
    expect(made.events('script.killed')).toHaveLength(1);
  });

  test('code without a script has no grant, no requests, and can be switched off', async () => {
    const made = open({ secrets: { KEY: 'a secret of some length' } });
    const ask = { source: 'result = 1', by: MODEL, origin: 'page' } as const;
    expect(await made.runs.exec(ask)).toMatchObject({ ok: true });
    const [order] = made.orders;
    expect([order?.grant.secrets.size, order?.grant.hosts, order?.limits?.requests]).toEqual([0, [], 0]);
    bench?.close();
    const off = open({ exec: 'off' });
    expect(await off.runs.exec(ask)).toMatchObject({ code: 'exec_off' });
    expect(off.orders).toEqual([]);
  });

  test('runs that a former process left behind are said to be unknown', async () => {
    const made = open({ play: () => new Promise(() => undefined) });
    await approved(made, 'job', ONE);
    void made.run('job');
    while (made.runs.running === 0) await tick();
    expect(made.runs.recover()).toBe(1);
    expect(made.runStore.list('job', 1)).toMatchObject([{ outcome: 'unknown' }]);
    expect(made.events('script.ended')).toMatchObject([{ outcome: 'unknown' }]);
  });

  test('a test of a version that is not approved gets dummies and canned answers', async () => {
    let sent = 0;
    const texts: string[] = [];
    const made = open({
      secrets: { KEY: 'a secret of some length' },
      send: async () => {
        sent += 1;
        return { failed: 'connection_failed' };
      },
      play: async (_order, { secrets, send }) => {
        const shown = { method: 'GET', url: 'https://a.example/', headers: {}, body: '' };
        const more = { headers: [], body: undefined, timeoutMs: 1, maxBytes: 100, current: () => true };
        const request = { ...shown, ...more, shown };
        const answers = [];
        for (let i = 0; i < 2; i += 1) {
          const answer = await send(request, new AbortController().signal);
          answers.push('failed' in answer ? answer.failed : answer.status);
          if ('body' in answer && answer.body.length > 0) texts.push(new TextDecoder().decode(answer.body));
        }
        return { value: [secrets.openValue('KEY') ?? null, ...answers] };
      },
    });
    const source = '# @secrets: KEY\nhttp.get("https://a.example/")\n';
    await made.save('job', source);
    const deps = { ...made, limits: { timeMs: 1_000, memoryBytes: 1 << 27 } };
    const ask = { name: 'job', hash: hashOf(source), by: OWNER };
    const blind = await testScript(deps, ask);
    expect(blind).toMatchObject({
      live: false,
      value: [expect.stringMatching(/^dummy-/), 'connection_failed', 'connection_failed'],
    });
    const canned = await testScript(deps, {
      ...ask,
      http: { 'GET https://A.example:443': [{ status: 201, body: { echo: '{{KEY}}' } }] },
    });
    // A list is over at its end, as with "openpact script test"; what it echoes is the dummy.
    expect(canned).toMatchObject({ value: [expect.stringMatching(/^dummy-/), 201, 'connection_failed'] });
    expect(texts).toEqual([expect.stringMatching(/^\{"echo":"dummy-.+"\}$/)]);
    expect(made.events('script.run').map(({ target, details }) => [target, details['kind']])).toEqual([
      ['job', 'canned'],
      ['job', 'canned'],
    ]);
    expect(made.events('script.ended')).toHaveLength(2);
    expect(sent).toBe(0);
    expect(await code(testScript(deps, { ...ask, http: { nonsense: {} } }))).toBe('invalid_request');
    await made.decisions.approve('job', { hash: hashOf(source) }, OWNER);
    expect(await testScript(deps, ask)).toMatchObject({
      live: true,
      value: ['a secret of some length', 'connection_failed', 'connection_failed'],
    });
    expect(sent).toBe(2);
  });

  test('whoever waits hears of the decision, and of nothing else', async () => {
    const made = open();
    await made.save('job', ONE);
    const signal = new AbortController().signal;
    const waiting = made.decisions.wait('job', hashOf(ONE), 5_000, signal);
    await made.save('other', ONE);
    await made.decisions.reject('job', { reason: 'no' }, OWNER);
    expect(await waiting).toBe(true);
    await made.save('third', ONE);
    expect(await made.decisions.wait('third', hashOf(ONE), 10, signal)).toBe(false);
  });
});

test('what was decided on scripts of the assistant is news for a day; what the owner wrote is none', async () => {
  const made = open();
  await made.save('mine', ONE, OWNER);
  await made.decisions.approve('mine', { hash: hashOf(ONE) }, OWNER);
  expect(scriptNews(made.store, Date.now())).toBeUndefined();
  await made.save('job', TWO);
  await made.decisions.reject('job', { reason: 'sends too much' }, OWNER);
  expect(scriptNews(made.store, Date.now())).toMatch(
    new RegExp(`^- \\S+ job \\(${hashOf(TWO)}\\) was rejected: sends too much$`),
  );
  expect(scriptNews(made.store, Date.now() + 25 * 3_600_000)).toBeUndefined();
});

describe('the settings of a secret', () => {
  const source = '# @secrets: KEY\n# @hosts: api.example.com, other.example.com\nresult = 1\n';
  const grant = {
    secrets: { KEY: ['api.example.com', 'other.example.com'] },
    hosts: ['api.example.com', 'other.example.com'],
    methods: ['GET'],
  };

  test('say where it may go, whatever was approved; a change counts for the next run', async () => {
    let hosts = ['api.example.com'];
    const made = open({
      secretSettings: { mayReach: (_name, host) => hosts.includes(host), used: () => undefined },
    });
    await approved(made, 'both', source, grant);
    const origins = async (): Promise<readonly string[] | undefined> => {
      await made.run('both');
      return made.orders.at(-1)?.grant.secrets.get('KEY')?.origins;
    };
    expect(await origins()).toEqual(['https://api.example.com']);
    hosts = [];
    expect(await origins()).toEqual([]);
  });
});

import { afterEach, describe, expect, test, vi } from 'vitest';
import { setImmediate as tick } from 'node:timers/promises';
import type { Clock, Principal } from '../../core/index.ts';
import { approved, codeOf, hashOf, MODEL, OWNER } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { testScript } from './test-runs.ts';

const MODEL_LANE = MODEL.kind === 'assistant' ? MODEL.conversationId : '';
const ONE = 'result = 1\n';

const open = scriptBenches();
afterEach(() => void vi.useRealTimers());

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
            secrets: ['KEY'],
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
      secrets: [],
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
    expect(await codeOf(made.run('job'))).toBe('ok');
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
        const request = { ...shown, ...more, secrets: [], shown };
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
    expect(await codeOf(made.run('job'))).toBe('ok');
    now += 60_000;
    expect(await codeOf(made.run('job'))).toBe('ok');
    expect(await made.run('job')).toMatchObject({
      code: 'quota_exceeded',
      details: { quota: 'runs_per_hour', used: 2, limit: 2, retry_after_s: 3540 },
    });
    now += 3_541_000;
    expect(await codeOf(made.run('job'))).toBe('ok');
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

  test('a test of the owner that is under way takes nothing of a quota', async () => {
    const made = open({
      play: (order) => (order.lane === MODEL_LANE ? Promise.resolve({}) : new Promise(() => undefined)),
    });
    await approved(made, 'job', ONE, { quotas: { requests_per_hour: 10 } });
    void made.runs.run({ name: 'job', by: OWNER, origin: 'page', kind: 'test' });
    while (made.orders.length === 0) await tick();
    expect(await codeOf(made.run('job'))).toBe('ok');
    expect(made.orders[1]?.limits).toMatchObject({ requests: 10 });
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
    expect(await codeOf(made.run('job'))).toBe('approval_expired');
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
    expect(await codeOf(made.run('job'))).toBe('script_disabled');
    made.decisions.expireDue();
    expect(await codeOf(made.run('job'))).toBe('approval_expired');
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
    const off = open({ exec: 'off' });
    expect(await off.runs.exec(ask)).toMatchObject({ code: 'exec_off' });
    expect(off.orders).toEqual([]);
  });

  test('code without a script has a quota for an hour, of all conversations, and says when it goes on', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const made = open({ clock, execPerHour: 2 });
    const other: Principal = { kind: 'assistant', turnId: 'trn_2', conversationId: 'cnv_2' };
    const exec = (by = MODEL) => made.runs.exec({ source: 'result = 1', by, origin: 'page' });
    // Runs of scripts are counted apart.
    await approved(made, 'job', ONE);
    expect(await codeOf(made.run('job'))).toBe('ok');
    expect(await codeOf(exec())).toBe('ok');
    now += 60_000;
    expect(await codeOf(exec(other))).toBe('ok');
    expect(await exec()).toEqual({
      ok: false,
      code: 'quota_exceeded',
      message:
        'Code without a script has used up its quota starlark.exec_per_hour (2 of 2); it goes on in 3540 s.',
      details: { quota: 'exec_per_hour', used: 2, limit: 2, retry_after_s: 3540 },
    });
    expect(made.orders).toHaveLength(3);
    expect(made.runStore.list('', 10)).toHaveLength(2);
    expect(made.events('script.refused')).toMatchObject([
      { target: hashOf('result = 1'), details: { code: 'quota_exceeded', quota: 'exec_per_hour' } },
    ]);
    expect(await codeOf(made.run('job'))).toBe('ok');
    now += 3_540_000;
    expect(await codeOf(exec())).toBe('ok');
    expect(await codeOf(exec())).toBe('quota_exceeded');
  });

  test('code that is under way counts, and a quota that was made smaller says when it goes on', async () => {
    let now = Date.parse('2030-01-01T00:00:00Z');
    const clock: Clock = { now: () => now, monotonic: () => performance.now() };
    const made = open({ clock, execPerHour: 3, play: () => new Promise(() => undefined) });
    const exec = () => made.runs.exec({ source: 'result = 1', by: MODEL, origin: 'page' });
    for (let index = 0; index < 3; index += 1) {
      void exec();
      now += 60_000;
    }
    expect(await codeOf(exec())).toBe('quota_exceeded');
    // Of the three the second must be out too, before one of a quota of two is free.
    expect(made.runStore.execs(now - 3_600_000, 2)).toEqual({ runs: 3, at: now - 120_000 });
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
        const request = { ...shown, ...more, secrets: [], shown };
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
    expect(await codeOf(testScript(deps, { ...ask, http: { nonsense: {} } }))).toBe('invalid_request');
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

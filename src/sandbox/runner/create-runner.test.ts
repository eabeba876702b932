import { afterEach, expect, test } from 'vitest';
import { createLauncher } from '../../host/process/index.ts';
import { isAlive, until } from '../../host/process/launch.test-support.ts';
import { reply } from '../../../test/support/script-box.ts';
import {
  closeRunners,
  observe,
  openRunner,
  run,
  watchedLauncher,
} from '../../../test/support/script-runs.ts';

afterEach(closeRunners);

const ENDLESS = 'for i in range(1 << 50): pass';
const UNLIMITED = { steps: 1e15 };

test('each run has a process of its own, which is gone when the outcome is told', async () => {
  const { launcher, pids } = watchedLauncher();
  const runner = openRunner({ launcher });
  const outcomes = [await run(runner, 'x = 1\nresult = x'), await run(runner, 'result = x')];
  expect(outcomes[0]?.value).toBe(1);
  expect(outcomes[1]?.error?.code).toBe('resolve');
  expect(new Set(pids).size).toBe(2);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('one process waits while that is wanted; it takes the next run, and another one follows', async () => {
  const { launcher, pids } = watchedLauncher();
  const runner = openRunner({ launcher });
  expect(runner.status.spare).toBe(false);
  runner.keepSpare(true);
  expect(await until(() => pids.length === 1, 5_000)).toBe(true);
  const outcome = await run(runner, 'result = 1');
  expect(outcome.value).toBe(1);
  expect(isAlive(pids[0] ?? 0)).toBe(false);
  expect(await until(() => pids.length === 2, 5_000)).toBe(true);
  expect(runner.status.spare).toBe(true);
  runner.keepSpare(false);
  expect(await until(() => pids.every((pid) => !isAlive(pid)), 5_000)).toBe(true);
  expect(runner.status.spare).toBe(false);
});

test('a waiting process that dies is replaced by the next run', async () => {
  const { launcher, pids } = watchedLauncher();
  const runner = openRunner({ launcher });
  runner.keepSpare(true);
  expect(await until(() => pids.length === 1, 5_000)).toBe(true);
  process.kill(pids[0] ?? 0, 'SIGKILL');
  expect(await until(() => !runner.status.spare, 5_000)).toBe(true);
  expect((await run(runner, 'result = 1')).value).toBe(1);
});

test('a stop ends the run at once and its process with it; other runs go on', async () => {
  const { launcher, pids } = watchedLauncher();
  const runner = openRunner({ launcher });
  const stop = new AbortController();
  const other = run(runner, 'time.sleep(0.5)\nresult = "done"');
  const stopped = run(runner, ENDLESS, {}, { limits: UNLIMITED, signal: stop.signal });
  expect(await until(() => pids.length === 2, 5_000)).toBe(true);
  const waiting = run(runner, ENDLESS, {}, { limits: UNLIMITED, signal: stop.signal });
  stop.abort();
  expect((await waiting).error?.code).toBe('cancelled');
  expect((await stopped).error?.code).toBe('cancelled');
  expect(pids.filter(isAlive).length).toBeLessThanOrEqual(1);
  expect(await other).toMatchObject({ value: 'done', error: null });
  expect(pids.filter(isAlive)).toEqual([]);
  expect(runner.status).toMatchObject({ running: 0, waiting: 0 });
});

test('a stop while a process starts, and one from before, leave no process behind', async () => {
  const { launcher, pids } = watchedLauncher();
  const runner = openRunner({ launcher });
  const stop = new AbortController();
  const starting = run(runner, ENDLESS, {}, { limits: UNLIMITED, signal: stop.signal });
  stop.abort();
  expect((await starting).error?.code).toBe('cancelled');
  expect((await run(runner, 'result = 1', {}, { signal: stop.signal })).error?.code).toBe('cancelled');
  await runner.close();
  expect(pids.length).toBeLessThanOrEqual(1);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a stop and a deadline end the request that is on its way', async () => {
  const runner = openRunner();
  const stop = new AbortController();
  const ends: string[] = [];
  const slow = (name: string): ReturnType<typeof observe> =>
    observe({
      hosts: async (_request, signal) => {
        if (name === 'stopped') stop.abort();
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        ends.push(name);
        return { failed: 'timeout' };
      },
    });
  const grant = { hosts: ['a.test'], methods: ['GET'] };
  const source = 'http.get("https://a.test/")';
  const [late, stopped] = await Promise.all([
    run(runner, source, { grant, observed: slow('late') }, { limits: { time: 300 } }),
    run(runner, `${source}\n`, { grant, observed: slow('stopped') }, { signal: stop.signal }),
  ]);
  expect([late.error?.code, stopped.error?.code]).toEqual(['time_limit', 'cancelled']);
  expect(ends.toSorted()).toEqual(['late', 'stopped']);
});

test('four runs at once and one of each script', async () => {
  const runner = openRunner();
  let most = 0;
  let mostOfOne = 0;
  const open = new Map<number, number>();
  const around = (script: number): ReturnType<typeof observe> =>
    observe({
      hosts: async () => {
        open.set(script, (open.get(script) ?? 0) + 1);
        most = Math.max(
          most,
          [...open.values()].reduce((sum, count) => sum + count),
        );
        mostOfOne = Math.max(mostOfOne, open.get(script) ?? 0);
        // Until the others are there, on a slow machine too; then long enough for one too many to show.
        await expect.poll(() => most, { timeout: 10_000, interval: 5 }).toBeGreaterThan(3);
        await new Promise((resolve) => setTimeout(resolve, 200));
        open.set(script, (open.get(script) ?? 0) - 1);
        return reply('');
      },
    });
  const grant = { hosts: ['a.test'], methods: ['GET'] };
  const outcomes = await Promise.all(
    [1, 1, 2, 2, 3, 4, 5, 6].map((script) =>
      run(runner, `http.get("https://a.test/")\nresult = ${script}`, { grant, observed: around(script) }),
    ),
  );
  expect(outcomes.map(({ value }) => value)).toEqual([1, 1, 2, 2, 3, 4, 5, 6]);
  expect([most, mostOfOne]).toEqual([4, 1]);
});

test('a good run is done among the first eight although a hundred hostile runs wait before it', async () => {
  const runner = openRunner();
  const stop = new AbortController();
  const done: string[] = [];
  const hostile = Array.from({ length: 100 }, async (_, index) => {
    // Five scripts with twenty runs each.
    const source = `${ENDLESS} # ${index % 5}`;
    const limits = { ...UNLIMITED, time: 1_000 };
    const { error } = await run(runner, source, {}, { limits, signal: stop.signal });
    done.push(error?.code ?? 'none');
  });
  const good = await run(runner, 'result = "good"');
  expect(good.value).toBe('good');
  expect(done.length).toBeLessThan(8);
  expect(new Set(done)).toEqual(new Set(['time_limit']));
  stop.abort();
  await Promise.all(hostile);
});

test('a hundred scripts of one lane wait behind each other, not before another lane', async () => {
  const runner = openRunner();
  const stop = new AbortController();
  let done = 0;
  const hostile = Array.from({ length: 100 }, async (_, index) => {
    const limits = { ...UNLIMITED, time: 1_000 };
    await run(runner, `${ENDLESS} # ${index}`, {}, { limits, signal: stop.signal, lane: 'assistant' });
    done += 1;
  });
  const good = await run(runner, 'result = "good"', {}, { lane: 'owner' });
  expect(good.value).toBe('good');
  expect(done).toBeLessThan(8);
  stop.abort();
  await Promise.all(hostile);
});

test('where a fence is missing nothing runs, and the refusal says which; the owner can allow it', async () => {
  const { launcher, pids } = watchedLauncher();
  const isolation = {
    level: 1,
    missing: [{ what: 'landlock: not in this kernel', fix: 'Use a newer one.' }],
  } as const;
  const strict = openRunner({ launcher, isolation, allowUnsandboxed: false });
  strict.keepSpare(true);
  await expect(run(strict, 'result = 1')).rejects.toMatchObject({
    code: 'scripts_unfenced',
    message: expect.stringContaining('landlock: not in this kernel') as string,
    fix: expect.stringContaining('security.allow_unsandboxed') as string,
  });
  expect(pids).toEqual([]);
  const allowed = openRunner({ launcher, isolation, allowUnsandboxed: true });
  expect((await run(allowed, 'result = 1')).value).toBe(1);
});

test('a process that started without fences is told in the outcome, and is refused where fences were found before', async () => {
  const launcher = createLauncher({ tools: null });
  const allowed = await run(openRunner({ launcher }), 'result = 1');
  expect(allowed).toMatchObject({ value: 1, fence: { fenced: false } });
  expect(allowed.fence?.notes.join()).toContain('fenced');
  const strict = openRunner({ launcher, allowUnsandboxed: false });
  await expect(run(strict, 'result = 1')).rejects.toMatchObject({ code: 'fence_failed' });
});

test('only the bytes of the digest are run', async () => {
  const runner = openRunner();
  const { digestOf } = await import('./digest.ts');
  const grant = (await import('../../guard/secrets/broker/index.ts')).NO_GRANT;
  const wrong = runner.runScript(
    { source: 'result = 2', digest: digestOf('result = 1'), grant },
    observe().broker,
  );
  await expect(wrong).rejects.toThrow('not of its digest');
});

test('a fault of the broker is thrown to the caller, and the process is gone', async () => {
  const { launcher, pids } = watchedLauncher();
  const runner = openRunner({ launcher });
  const observed = observe();
  const broken = {
    ...observed.broker,
    watcher: {
      notice: () => {
        throw new Error('the log can not be written');
      },
    },
  };
  const outcome = run(runner, 'secrets.get("A")', { observed: { ...observed, broker: broken } });
  await expect(outcome).rejects.toThrow('the log can not be written');
  expect(pids.filter(isAlive)).toEqual([]);
});

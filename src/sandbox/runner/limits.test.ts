/** Every limit of a run (requirements 7.8) is reached once, in a real process, and has a code of its own. */
import { afterEach, describe, expect, test } from 'vitest';
import { reply } from '../../../test/support/script-box.ts';
import {
  closeRunners,
  observe,
  openRunner,
  run,
  type Around,
  type RunMore,
} from '../../../test/support/script-runs.ts';
import type { RunLimits } from './limits.ts';

afterEach(closeRunners);

const GRANT = { hosts: ['a.test'], methods: ['GET', 'POST'] };
const GET = 'http.get("https://a.test/")';
const loop = (times: number, act: string): string => `for i in range(${times}):\n    ${act}\n`;

interface Reached {
  readonly what: string;
  readonly source: string;
  readonly code: string;
  readonly limits?: Partial<RunLimits>;
  readonly body?: string;
  readonly more?: RunMore;
}

const REACHED: readonly Reached[] = [
  {
    what: 'time',
    code: 'time_limit',
    source: loop(1_000_000_000, 'pass'),
    limits: { time: 300, steps: 1e12 },
  },
  { what: 'time in a sleep', code: 'time_limit', source: 'time.sleep(5)', limits: { time: 200 } },
  { what: 'steps', code: 'steps', source: loop(1_000_000_000, 'pass'), limits: { steps: 100_000 } },
  { what: 'memory, as it is counted', code: 'memory', source: 'x = "a" * (1 << 40)' },
  { what: 'source', code: 'source_limit', source: `# ${'x'.repeat(256 * 1024)}\n` },
  {
    what: 'arguments',
    code: 'args_limit',
    source: 'def f(x): pass',
    more: { entry: 'f', args: ['x'.repeat(1024 * 1024)] },
  },
  { what: 'result', code: 'result_limit', source: 'result = "x" * (1024 * 1024)' },
  {
    what: 'depth of the result',
    code: 'result_depth',
    source: 'def main():\n    x = []\n    for i in range(65):\n        x = [x]\n    return x',
  },
  { what: 'prints', code: 'print_limit', source: loop(100, 'print("x" * 1000)') },
  { what: 'sleep in all', code: 'sleep_limit', source: loop(3, 'time.sleep(0.05)'), limits: { sleep: 100 } },
  { what: 'requests', code: 'request_limit', source: loop(51, GET) },
  {
    what: 'bytes of one answer',
    code: 'response_too_large',
    source: GET,
    body: 'x'.repeat(2_000),
    limits: { responseBytes: 1_000 },
  },
  {
    what: 'bytes of all answers',
    code: 'traffic_limit',
    source: loop(3, GET),
    body: 'x'.repeat(900),
    limits: { totalBytes: 1_800 },
  },
  {
    what: 'body of a request',
    code: 'request_too_large',
    source: 'http.post("https://a.test/", "x" * (1024 * 1024 + 1))',
  },
];

function around(body = ''): Around {
  return {
    grant: GRANT,
    hosts: ({ maxBytes }) => (body.length > maxBytes ? { failed: 'too_large' } : reply(body)),
  };
}

describe('each limit has its code', () => {
  test.each(REACHED)('$what: $code', async ({ source, code, limits, body, more }) => {
    const outcome = await run(openRunner(), source, around(body), { limits, ...more });
    expect(outcome).toMatchObject({ value: null, error: { code } });
  });

  test('just below the limits a run succeeds', async () => {
    const source = [
      'def deep():',
      '    x = []',
      '    for i in range(62):',
      '        x = [x]',
      '    return x',
      'def main():',
      '    for i in range(50):',
      `        ${GET}`,
      '    print("p" * (64 * 1024 - 1))',
      '    return [deep(), "x" * (1024 * 1024 - 200)]',
    ].join('\n');
    const outcome = await run(openRunner(), source, around('y'.repeat(1_000)));
    expect(outcome.error).toBeNull();
    expect(outcome.logs[0]).toHaveLength(64 * 1024 - 1);
  });

  test('memory that is not counted ends at the limit of the process: process_memory', async () => {
    const source = 'x = []\nfor i in range(1 << 30):\n    x.append([i])\n';
    const outcome = await run(openRunner(), source, {}, { limits: { memory: 1e15, steps: 1e12 } });
    expect(outcome).toMatchObject({ value: null, error: { code: 'process_memory' } });
  });

  test('processor time ends at the limit of the process, should the parent forget: process_cpu', async () => {
    const runner = openRunner({ processLimits: { cpuSeconds: 1 } });
    const outcome = await run(runner, loop(1_000_000_000, 'pass'), {}, { limits: { steps: 1e12 } });
    expect(outcome).toMatchObject({ value: null, error: { code: 'process_cpu' } });
  });

  test('runs beyond those that may wait: queue_full, of all and of one script', async () => {
    const runner = openRunner({ queue: { running: 1, waiting: 3, waitingPerScript: 1 } });
    const sleep = (n: number): string => `time.sleep(0.2)\nresult = ${n}`;
    const outcomes = await Promise.all(
      [sleep(1), sleep(2), sleep(2), sleep(3), sleep(4), sleep(5)].map((source) => run(runner, source)),
    );
    expect(outcomes.map(({ value, error }) => error?.code ?? value)).toEqual([
      1,
      2,
      'queue_full',
      3,
      4,
      'queue_full',
    ]);
  });

  test('limits beyond what is possible are refused', async () => {
    const runner = openRunner();
    await expect(run(runner, '', {}, { limits: { time: 300_001 } })).rejects.toMatchObject({
      code: 'run_limits_invalid',
    });
    await expect(run(runner, '', {}, { limits: { steps: Number.NaN } })).rejects.toMatchObject({
      code: 'run_limits_invalid',
    });
  });
});

describe('what depends on the size of a secret is not told', () => {
  const secrets = ['sk_live_4f9aB2cD8e7Q', `sk_live_${'9zK1xW3yTr5M'.repeat(300)}`];

  test.each([
    [
      'bodies around the limit',
      'http.post("https://a.test/", "x" * n + secrets.get("K"))',
      1024 * 1024 - 4096,
    ],
    [
      'URLs around the limit',
      'http.get("https://a.test/" + "x" * n + "?k=" + secrets.get("K"))',
      65_536 - 4096 - 18,
    ],
    [
      'headers around the limit',
      'http.get("https://a.test/", headers = {"X": "x" * n + secrets.get("K")})',
      65_536 - 4096 - 1,
    ],
  ])('%s end the same for a short and a long one', async (_what, act, edge) => {
    const runner = openRunner();
    const source = `def main(): pass\ndef f(n):\n    ${act}\n    return "sent"\n`;
    const observe = async (secret: string, n: number): Promise<string> => {
      const { value, error, claimed } = await run(
        runner,
        source,
        {
          secrets: { K: secret },
          grant: { secrets: { K: ['a.test'] }, methods: ['GET', 'POST'] },
          hosts: () => reply(''),
        },
        { entry: 'f', args: [n] },
      );
      return JSON.stringify({ value, error, claimed });
    };
    for (const n of [edge - 200, edge + 200]) {
      const [short, long] = [await observe(secrets[0] ?? '', n), await observe(secrets[1] ?? '', n)];
      expect(long).toBe(short);
      expect(short).toContain(n < edge ? '"sent"' : 'request_too_large');
    }
  });
});

test('what a run of the broker tells is told to the watcher of that run alone', async () => {
  const runner = openRunner();
  const [one, two] = [observe(around()), observe(around())];
  await Promise.all([
    run(runner, `${GET}\nresult = 1`, { grant: GRANT, observed: one }),
    run(runner, 'result = 2', { grant: GRANT, observed: two }),
  ]);
  expect([one.records.length, two.records.length]).toEqual([1, 0]);
});

/** Scripts that want the machine's memory, time or attention, in their real process. */
import { afterEach, describe, expect, test } from 'vitest';
import { isAlive } from '../../../src/host/process/launch.test-support.ts';
import { closeRunners, openRunner, run, watchedLauncher } from '../../support/script-runs.ts';

afterEach(closeRunners);

const CODES =
  /^(?:memory|steps|result_limit|result_depth|print_limit|call_depth|repr_depth|json_depth|compare_depth|nesting|runtime|time_limit|source_limit)$/;
const loop = (act: string): string => `for i in range(1 << 40):\n    ${act}\n`;

const BOMBS: readonly (readonly [string, string])[] = [
  ['a string that doubles', `x = "a"\n${loop('x += x')}`],
  ['a repeated string', 'x = "abc" * (1 << 50)'],
  ['a repeated list', 'x = [0] * (1 << 50)'],
  ['a list of itself', `x = [0]\n${loop('x = x + x')}`],
  ['an appended list', `x = []\n${loop('x.append(i)')}`],
  ['a range made real', 'x = list(range(1 << 40))'],
  ['a dict', `x = {}\n${loop('x[i] = i')}`],
  ['a set', `x = set()\n${loop('x.add(str(i))')}`],
  ['an int that is squared', `x = 3\n${loop('x *= x')}`],
  ['a shift', 'x = 1 << 1000000000'],
  ['the text of a big int', `x = 7\nfor i in range(17):\n    x *= x\n${loop('str(x)')}`],
  ['a join', 'x = ("a" * 1000000).join(["b"] * 1000000)'],
  ['a replace', 'x = ("a" * 1000000).replace("a", "b" * 1000000)'],
  ['a format', `x = "%s"\n${loop('x = x % (x + x)')}`],
  ['a format of a width', 'x = format("%2000000000d", 1)'],
  ['JSON of JSON', `x = "\\\\"\n${loop('x = json.encode(x)')}`],
  ['deep JSON', 'x = json.decode("[" * 1000000 + "]" * 1000000)'],
  ['a value in a value', `x = []\nfor i in range(100000):\n    x = [x]\nresult = x`],
  ['a value in a value, as text', `x = []\nfor i in range(100000):\n    x = [x]\nprint(x)`],
  [
    'a value in a value, compared',
    `x = []\ny = []\nfor i in range(100000):\n    x = [x]\n    y = [y]\nresult = x == y`,
  ],
  ['a list that holds itself', 'x = []\nx.append(x)\nresult = x'],
  ['a dict that holds itself', 'x = {}\nx["x"] = x\nresult = json.encode(x)'],
  ['a result that is shared and huge', 'x = ["a" * 1000]\nfor i in range(30):\n    x = [x, x]\nresult = x'],
  ['brackets', `x = ${'('.repeat(50_000)}1${')'.repeat(50_000)}`],
  ['operators', `x = ${'-'.repeat(100_000)}1`],
  ['prints', loop('print("x" * 1000)')],
  [
    'sorting',
    'x = sorted(["a" * 10000 + str(i) for i in range(10000)])\nfor i in range(1000000):\n    sorted(x)',
  ],
  ['nothing, for ever', loop('pass')],
];

describe('a script that wants too much', () => {
  test.each(BOMBS)('%s ends with a code of its own, and its process is gone', async (_name, source) => {
    const { launcher, pids } = watchedLauncher();
    const outcome = await run(openRunner({ launcher }), source, {}, { limits: { time: 15_000 } });
    expect(outcome.value).toBeNull();
    expect(outcome.error?.code).toMatch(CODES);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test.each(BOMBS.filter(([name]) => ['an appended list', 'a set', 'nothing, for ever'].includes(name)))(
    '%s, with nothing counted in its process, ends at the limits of the process or the clock of the parent',
    async (_name, source) => {
      const { launcher, pids } = watchedLauncher();
      const before = process.memoryUsage().rss;
      const limits = { memory: 1e15, steps: 1e15, time: 8_000 };
      const outcome = await run(openRunner({ launcher }), source, {}, { limits });
      expect(outcome.error?.code).toMatch(/^(?:process_memory|time_limit)$/);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    },
  );
});

import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../core/index.ts';
import { approved, codeOf, OWNER, type ScriptBench } from '../../test/support/script-bench.ts';
import { scriptBenches } from '../../test/support/script-benches.ts';
import { scriptsPort } from './script-ports.ts';

const ONE = 'result = 1\n';
const ACTOR = { principal: OWNER, address: '127.0.0.1' } as Parameters<
  ReturnType<typeof portOf>['remove']
>[1];

const open = scriptBenches();

function portOf(made: ScriptBench) {
  const test = () => Promise.reject(new Error('nothing is tested here'));
  return scriptsPort(
    { ...made, test, dismiss: () => undefined },
    { stepUp: undefined, hasSecret: () => true, clock: systemClock },
  );
}

test('a deletion that can not be stored ends what runs, and nothing of it runs before it is stored', async () => {
  const made = open({
    play: (order) =>
      new Promise((resolve) => {
        if (order.signal?.aborted === true) resolve({});
        order.signal?.addEventListener('abort', () => resolve({}));
      }),
  });
  const port = portOf(made);
  await approved(made, 'job', ONE);
  const run = made.run('job');
  while (made.runs.running === 0) await tick();
  for (const act of ['DELETE', 'UPDATE'])
    made.database.run(
      `CREATE TRIGGER full_${act} BEFORE ${act} ON scripts BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
    );
  await expect(port.remove('job', ACTOR)).rejects.toThrow();
  expect(await run).toMatchObject({ error: { code: 'killed' } });
  expect(await codeOf(made.run('job'))).toBe('script_disabled');
  for (const act of ['DELETE', 'UPDATE']) made.database.run(`DROP TRIGGER full_${act}`);
  made.decisions.expireDue();
  expect(made.library.require('job').status).toBe('disabled');
  await port.remove('job', ACTOR);
  expect((await port.list()).scripts).toEqual([]);
});

test('one text that is damaged takes no list away, and says so', async () => {
  const made = open();
  await approved(made, 'other', ONE);
  made.drop('job', '# the text of another\n');
  Object.assign(made.store, { source: () => 'something else' });
  const { scripts } = await portOf(made).list();
  expect(scripts.map(({ name, refused }) => [name, refused?.code])).toEqual([
    ['job', 'script_damaged'],
    ['other', undefined],
  ]);
});

/** Power that goes away at the moment at which something else is under way. */
import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { AppError, silentLog } from '../../core/index.ts';
import { codeOf, hashOf, MODEL, OWNER, type ScriptBench } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { createScriptDecisions } from './decisions.ts';
import { testScript } from './test-runs.ts';

const ONE = 'result = 1\n';

const open = scriptBenches();

function full(made: ScriptBench): void {
  made.database.run(
    "CREATE TRIGGER full BEFORE UPDATE ON scripts BEGIN SELECT RAISE(ABORT, 'disk full'); END",
  );
}

function approve(made: ScriptBench, name: string, expiresAt?: number) {
  const { hash, row } = made.library.require(name);
  return made.decisions.approve(
    name,
    {
      hash,
      revision: row.revision,
      ...(expiresAt === undefined ? {} : { grant: { expires_at: new Date(expiresAt).toISOString() } }),
    },
    OWNER,
  );
}

describe('an approval that ran out while nothing could be stored', () => {
  const HOUR = 3_600_000;
  let now = Date.now();
  const clock = { now: () => now, monotonic: () => performance.now() };

  async function ranOut(): Promise<ScriptBench> {
    const made = open({ clock });
    await made.save('job', ONE);
    await approve(made, 'job', now + HOUR);
    full(made);
    now += 2 * HOUR;
    made.decisions.expireDue();
    now -= 2 * HOUR;
    // The clock went back; the script is out all the same.
    expect(await made.run('job')).toMatchObject({ ok: false, details: { status: 'disabled' } });
    now += 2 * HOUR;
    made.database.run('DROP TRIGGER full');
    return made;
  }

  test('is not the one that the owner gives next, which holds as long as it says', async () => {
    const made = await ranOut();
    await approve(made, 'job', now + HOUR);
    made.decisions.expireDue();
    expect(made.library.require('job').status).toBe('approved');
    expect(await made.run('job')).toMatchObject({ ok: true });
    expect(made.events('script.approval_expired')).toEqual([]);
  });

  test('does not hold a script back that was approved again after it was rejected, or made anew under its name', async () => {
    const made = await ranOut();
    await made.decisions.reject('job', {}, OWNER);
    made.decisions.expireDue();
    await approve(made, 'job');
    expect(await made.run('job')).toMatchObject({ ok: true });
    await made.library.remove('job', OWNER);
    await made.save('job', 'result = 2\n');
    await approve(made, 'job');
    expect(await made.run('job')).toMatchObject({ ok: true });
  });

  test('is stored also where the text of another script is damaged', async () => {
    const made = open({ clock });
    await made.save('a', ONE);
    await made.save('job', 'result = 2\n');
    await approve(made, 'a', now + HOUR);
    await approve(made, 'job', now + HOUR);
    const damaged = new AppError({ family: 'config', code: 'script_damaged', message: 'damaged' });
    const state = (): never => {
      throw damaged;
    };
    now += 2 * HOUR;
    const library = { ...made.library, state };
    createScriptDecisions({ ...made, library, clock, log: silentLog }).expireDue();
    expect(made.events('script.approval_expired').map(({ target }) => target)).toEqual(['a', 'job']);
  });
});

describe('a vault that is locked while the folder is looked at', () => {
  test('lets no run begin, whoever asked for it', async () => {
    let sealed = false;
    const made = open({ sealed: () => sealed });
    await made.save('job', ONE);
    await approve(made, 'job');
    const hash = hashOf(ONE);
    const limits = { timeMs: 30_000, memoryBytes: 1 << 27 };
    const asked = [made.run('job'), testScript({ ...made, limits }, { name: 'job', hash, by: OWNER })];
    sealed = true;
    expect(made.runs.stopAll()).toBe(0);
    for (const one of asked) await expect(one).rejects.toMatchObject({ code: 'vault_sealed' });
    await expect(made.runs.exec({ source: ONE, by: MODEL, origin: 'page' })).rejects.toMatchObject({
      code: 'vault_sealed',
    });
    expect(made.orders).toEqual([]);
    sealed = false;
    expect(await made.run('job')).toMatchObject({ ok: true });
  });
});

test('what a run is still refused while it ends is not offered for the next script of its name', async () => {
  const made = open({
    play: (order, { watcher }) =>
      new Promise((resolve) =>
        order.signal?.addEventListener('abort', () => {
          watcher.notice({ event: 'secret_undeclared', name: 'OTHER' });
          resolve({});
        }),
      ),
  });
  await made.save('job', ONE);
  await approve(made, 'job');
  const run = made.run('job');
  while (made.runs.running === 0) await tick();
  await made.library.remove('job', OWNER);
  expect(await run).toMatchObject({ error: { code: 'killed' } });
  await made.save('job', ONE);
  expect(made.store.offers('job')).toEqual([]);
  expect(made.events('script.secret_refused')).toHaveLength(1);
});

test('a listener that fails keeps no other one from ending runs', async () => {
  const made = open({
    play: (order) => new Promise((resolve) => order.signal?.addEventListener('abort', () => resolve({}))),
  });
  let broken = false;
  made.library.onChange(() => {
    if (broken) throw new Error('a fault');
  });
  const runs = made.runsWith(made.library);
  await made.save('job', ONE);
  await approve(made, 'job');
  const run = runs.run({ name: 'job', by: MODEL, origin: 'page' });
  while (runs.running === 0) await tick();
  broken = true;
  await expect(made.decisions.disable('job', OWNER)).rejects.toThrow('a fault');
  expect(await run).toMatchObject({ error: { code: 'killed' } });
  broken = false;
  expect(made.library.require('job').status).toBe('disabled');
});

test('a script whose stored text is damaged is listed, does not run, and its power can be taken away', async () => {
  const made = open();
  await made.save('other', ONE);
  await approve(made, 'other');
  made.drop('job', `${ONE}# job\n`);
  Object.assign(made.store, { source: (hash: string) => (hash === hashOf(ONE) ? ONE : 'something else') });
  await made.library.look('job');
  const row = made.store.get('job');
  if (row === undefined) throw new Error('there is no row');
  made.store.put({ ...row, approved: hashOf(`${ONE}# job\n`), granted: '{}' });
  expect(made.library.list().map(({ name }) => name)).toEqual(['job', 'other']);
  await expect(made.run('job')).rejects.toMatchObject({ code: 'script_damaged' });
  expect(await made.run('other')).toMatchObject({ ok: true });
  expect((await made.decisions.disable('job', OWNER)).status).toBe('disabled');
  expect((await made.decisions.reject('job', {}, OWNER)).approved).toBeUndefined();
  await made.library.remove('job', OWNER);
  expect(made.library.list().map(({ name }) => name)).toEqual(['other']);
});

test('a damaged grant gives nothing until it is given anew, and keeps no other approval from running out', async () => {
  let now = Date.now();
  const made = open({ clock: { now: () => now, monotonic: () => performance.now() } });
  for (const name of ['damaged', 'good', 'timed']) await made.save(name, ONE);
  await approve(made, 'damaged', now + 3_600_000);
  await approve(made, 'good');
  await approve(made, 'timed', now + 3_600_000);
  for (const granted of ['{', '{"secrets":[],"expires_at":"soon"}']) {
    made.store.put({ ...made.library.require('damaged').row, approved: hashOf(ONE), granted });
    expect(made.library.list().map(({ name, status }) => [name, status])).toEqual([
      ['damaged', 'pending'],
      ['good', 'approved'],
      ['timed', 'approved'],
    ]);
    expect(await codeOf(made.run('damaged'))).toBe('script_not_approved');
  }
  now += 7_200_000;
  made.decisions.expireDue();
  expect(made.events('script.approval_expired').map(({ target }) => target)).toEqual(['timed']);
  await approve(made, 'damaged');
  expect(await codeOf(made.run('damaged'))).toBe('ok');
});

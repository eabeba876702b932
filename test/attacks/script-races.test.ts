/**
 * The store of scripts against whoever changes a file at the worst moment (the parts on a real database and a real folder;
 * the runner notes what it was given). OPENPACT_SWAPS says how often the file is swapped: 10,000 by hand, 1,000 by default.
 */
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AppError } from '../../src/core/index.ts';
import { hashOf, MODEL, OWNER } from '../support/script-bench.ts';
import { scriptBenches } from '../support/script-benches.ts';

const SWAPS = Number(process.env['OPENPACT_SWAPS'] ?? 1_000);
const GOOD = '# @secrets: TOKEN\nresult = "good"\n';
const EVIL = '# @secrets: TOKEN, OTHER\nresult = "evil"\n';

const benchOf = scriptBenches();

async function settled(act: Promise<unknown>): Promise<string> {
  try {
    const value = (await act) as { ok?: boolean; code?: string };
    return value.ok === false ? String(value.code) : 'ok';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

test('while the file is swapped again and again, runs and approvals race: nothing runs that was not approved, and no approval covers what its reviewer did not see', async () => {
  const swapped = benchOf({ options: { maxPending: 1_000_000 } });
  await swapped.save('job', GOOD);
  await swapped.decisions.approve('job', { hash: hashOf(GOOD) }, OWNER);
  const answers = new Map<string, number>();
  const seenByReviewers = new Set([hashOf(GOOD)]);
  const open: Promise<void>[] = [];
  const count = (what: Promise<unknown>): void =>
    void open.push(settled(what).then((code) => void answers.set(code, (answers.get(code) ?? 0) + 1)));
  for (let swap = 0; swap < SWAPS; swap += 1) {
    const text = swap % 3 === 2 ? GOOD : `${EVIL}# ${swap}\n`;
    // Past every door, as another program would, or by the tool.
    if (swap % 2 === 0) swapped.drop('job', text);
    else count(swapped.save('job', text));
    count(swapped.run('job'));
    if (swap % 5 === 0) {
      // A reviewer who looked at the good text a while ago, and knows the state of now.
      const revision = swapped.library.state('job')?.row.revision;
      count(swapped.decisions.approve('job', { hash: hashOf(GOOD), revision }, OWNER));
    }
    if (swap % 7 === 0) await tick();
    if (open.length > 200) await Promise.all(open.splice(0));
  }
  await Promise.all(open);
  // Both sides had their chance.
  expect(answers.get('script_modified') ?? 0).toBeGreaterThan(0);
  expect(answers.get('script_changed') ?? 0).toBeGreaterThan(0);
  expect(swapped.orders.length).toBeGreaterThan(0);
  expect(new Set(swapped.orders.map(({ source }) => source))).toEqual(new Set([GOOD]));
  for (const { details } of swapped.events('script.approved'))
    expect(seenByReviewers.has(String(details['hash']))).toBe(true);
  expect(swapped.orders.every(({ grant }) => !grant.secrets.has('OTHER'))).toBe(true);
}, 300_000);

test('the file is swapped between the decision and the run: refused as modified; with the look and the stored text left out, by the hash; with the approval by digest left out, by the database; with a false record too, the evil text runs', async () => {
  const swapped = benchOf();
  await swapped.save('job', GOOD);
  await swapped.decisions.approve('job', { hash: hashOf(GOOD) }, OWNER);
  swapped.drop('job', EVIL);
  expect(await settled(swapped.run('job'))).toBe('script_modified');
  expect(swapped.orders).toEqual([]);

  const order = { name: 'job', by: MODEL, origin: 'page' } as const;
  swapped.drop('job', GOOD);
  await swapped.library.look('job');
  swapped.drop('job', EVIL);
  const careless = {
    ...swapped.library,
    look: async () => undefined,
    facts: (hash: string) => ({ ...swapped.library.facts(hash), source: swapped.onDisk('job') }),
  };
  await expect(swapped.runsWith(careless).run(order)).rejects.toThrow('not of its hash');
  expect(swapped.orders).toEqual([]);

  const byName = {
    ...careless,
    facts: (hash: string) => ({
      ...swapped.library.facts(hashOf(GOOD)),
      source: hash === hashOf(EVIL) ? EVIL : GOOD,
    }),
    runnable: (name: string) => ({
      ...swapped.library.runnable(name),
      hash: hashOf(swapped.onDisk(name)),
    }),
  } as typeof careless;
  await expect(swapped.runsWith(byName).run(order)).rejects.toThrow('not the approved one');
  expect(swapped.orders).toEqual([]);

  const { runStore } = swapped;
  const insert: typeof runStore.insert = (row) => runStore.insert({ ...row, hash: hashOf(GOOD) });
  await swapped.runsWith(byName, { runStore: { ...runStore, insert } }).run(order);
  expect(swapped.orders.map(({ source }) => source)).toEqual([EVIL]);
});

test('of two sessions that decide at once one counts, and a late approval does not undo a rejection', async () => {
  const two = benchOf();
  await two.save('job', GOOD);
  const hash = hashOf(GOOD);
  const narrow = { secrets: {}, hosts: [], methods: [] };
  const both = await Promise.all([
    settled(two.decisions.approve('job', { hash, grant: narrow }, OWNER)),
    settled(two.decisions.approve('job', { hash }, OWNER)),
  ]);
  expect(both.toSorted()).toEqual(['already_decided', 'ok']);
  expect(two.events('script.approved')).toHaveLength(1);

  const other = `${GOOD}# 2\n`;
  await two.save('job', other);
  const revision = two.library.require('job').row.revision;
  const race = await Promise.all([
    settled(two.decisions.reject('job', { hash: hashOf(other), reason: 'no' }, OWNER)),
    settled(two.decisions.approve('job', { hash: hashOf(other) }, OWNER)),
    settled(two.decisions.approve('job', { hash: hashOf(other), revision }, OWNER)),
  ]);
  expect(race).toEqual(['ok', 'already_decided', 'already_decided']);
  expect(await settled(two.run('job'))).toBe('script_not_approved');
});

test('an edit in the same millisecond as the approval is not covered by it', async () => {
  const edited = benchOf();
  for (let round = 0; round < 200; round += 1) {
    const name = `job${round}`;
    await edited.save(name, GOOD, OWNER);
    const approval = settled(edited.decisions.approve(name, { hash: hashOf(GOOD) }, OWNER));
    if (round % 2 === 0) edited.drop(name, EVIL);
    else await Promise.all([approval, edited.save(name, EVIL)]);
    const code = await approval;
    expect(['ok', 'script_changed']).toContain(code);
    const ran = await settled(edited.run(name));
    expect(ran).toBe(code === 'ok' ? 'script_modified' : 'script_not_approved');
    if (round % 2 === 1) await edited.decisions.reject(name, {}, OWNER);
  }
  expect(edited.orders).toEqual([]);
});

test('500 versions of the assistant: what is over the cap is refused, and nothing of it is kept', async () => {
  const flooded = benchOf({ options: { maxPending: 20 } });
  const codes: string[] = [];
  for (let n = 0; n < 500; n += 1)
    codes.push(await settled(flooded.save(n % 2 === 0 ? 'one' : `many${n}`, `result = ${n}\n`)));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(20);
  expect(codes.filter((code) => code === 'too_many_pending')).toHaveLength(480);
  expect(flooded.store.countPending()).toBe(20);
  expect(flooded.library.list().length).toBeLessThanOrEqual(20);
  // The owner is not held up, and a decision makes room.
  expect(await settled(flooded.save('mine', 'result = 1\n', OWNER))).toBe('ok');
  const { hash } = flooded.library.require('one');
  await flooded.decisions.reject('one', { hash }, OWNER);
  expect(await settled(flooded.save('more', 'result = 1\n'))).toBe('ok');
});

test('power that can not be taken away on the disk is taken away all the same', async () => {
  let ended = '';
  const full = benchOf({
    play: (order) =>
      new Promise((resolve) =>
        order.signal?.addEventListener('abort', () => {
          ended = String(order.signal?.reason);
          resolve({});
        }),
      ),
  });
  await full.save('job', GOOD);
  await full.decisions.approve('job', { hash: hashOf(GOOD) }, OWNER);
  const run = full.run('job');
  while (full.runs.running === 0) await tick();
  full.database.run('PRAGMA query_only = 1');
  expect(await settled(full.decisions.disable('job', OWNER))).not.toBe('ok');
  expect(ended).toBe('approval');
  full.database.run('PRAGMA query_only = 0');
  await settled(run);
  expect(await settled(full.run('job'))).toBe('script_disabled');
  // A rejection on top of it; both are stored once that works, and neither before.
  full.database.run('PRAGMA query_only = 1');
  expect(await settled(full.decisions.reject('job', { reason: 'no' }, OWNER))).not.toBe('ok');
  full.decisions.expireDue();
  expect(await settled(full.decisions.enable('job', OWNER))).not.toBe('ok');
  full.database.run('PRAGMA query_only = 0');
  expect(full.events('script.disabled')).toEqual([]);
  full.decisions.expireDue();
  expect(full.library.state('job')).toMatchObject({ status: 'disabled', approved: undefined });
  expect([full.events('script.disabled'), full.events('script.rejected')].map((one) => one.length)).toEqual([
    1, 1,
  ]);
  await full.decisions.enable('job', OWNER);
  expect(await settled(full.run('job'))).toBe('script_not_approved');
});

test('what was switched off while nothing could be stored is switched on again by its owner, and by nobody else', async () => {
  const full = benchOf();
  await full.save('job', GOOD);
  await full.decisions.approve('job', { hash: hashOf(GOOD) }, OWNER);
  full.database.run('PRAGMA query_only = 1');
  expect(await settled(full.decisions.disable('job', OWNER))).not.toBe('ok');
  full.database.run('PRAGMA query_only = 0');
  expect(await settled(full.run('job'))).toBe('script_disabled');
  await full.decisions.enable('job', OWNER);
  expect(await settled(full.run('job'))).toBe('ok');
  expect(full.events('script.disabled')).toHaveLength(1);
});

test('what the assistant may not name is no script', async () => {
  const named = benchOf();
  const { watchScripts } = await import('../../src/guard/scripts/index.ts');
  const plain = { read: 0, written: [] as string[] };
  const powers = watchScripts(
    {
      read: async () => ({ text: '', bytes: 0 }),
      list: async () => ({ entries: [], truncated: false }),
      write: async (path) => (plain.written.push(path), { bytes: 0 }),
      append: async (path) => (plain.written.push(path), { bytes: 0 }),
    },
    named.library,
    { principal: MODEL, origin: 'page' },
  );
  for (const path of [
    'scripts/.hidden.star',
    'scripts/../SOUL.star',
    'scripts/sub/a.star',
    'scripts/a.txt',
    'scripts/a.star/b',
    'scripts/-a.star',
    'scripts/a b.star',
    'scripts/\u0430.star',
    `scripts/${'a'.repeat(65)}.star`,
    'scripts/',
    './scripts/.star',
  ])
    expect([path, await settled(powers.write(path, 'result = 1\n'))]).toEqual([path, 'script_path']);
  expect(await settled(powers.append('scripts/a.star', 'x'))).toBe('script_path');
  expect(plain.written).toEqual([]);
  expect(await settled(powers.write('scripts//a.star', 'result = 1\n'))).toBe('ok');
  expect(await settled(powers.write('notes/a.md', 'x'))).toBe('ok');
  expect(plain.written).toEqual(['notes/a.md']);
  expect(named.library.list().map(({ name }) => name)).toEqual(['a']);
});

import { describe, expect, test } from 'vitest';
import { AppError, systemClock } from '../../core/index.ts';
import { approved, codeOf, hashOf, OWNER } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { unifiedDiff } from './line-diff.ts';
import { scriptNews } from './script-news.ts';
import { takeBackUnpinned } from './unpinned.ts';

const ONE = 'result = 1\n';
const TWO = 'result = 2\n';

const open = scriptBenches();

/** What `patch` makes of a text. */
function patched(before: string, diff: string): string {
  const old = before.split('\n');
  const out: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2, -1)) {
    const start = /^@@ -(\d+),/.exec(line)?.[1];
    if (start !== undefined) while (at < Number(start) - 1) out.push(old[at++] ?? '');
    else if (line.startsWith('+')) out.push(line.slice(1));
    else {
      if (old[at] !== line.slice(1)) throw new Error(`line ${at + 1} is another one`);
      if (line.startsWith(' ')) out.push(line.slice(1));
      at += 1;
    }
  }
  return [...out, ...old.slice(at)].join('\n');
}

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
    expect(await codeOf(made.run('job'))).toBe('ok');
    await made.save('job', TWO);
    await made.library.restore('job', hash, OWNER);
    expect(made.library.require('job').status).toBe('pending');
    expect(await codeOf(made.run('job'))).toBe('script_not_approved');
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
    expect(await codeOf(made.run('job'))).toBe('ok');
    expect([...(made.orders[0]?.grant.secrets.keys() ?? [])]).toEqual(['KEY']);
    await made.save('job', `${source}# more\n`);
    expect(await codeOf(made.run('job'))).toBe('script_modified');
  });

  test('a pin is for one script: a copy waits, and after a rejection nothing of that text is approved by it', async () => {
    const pins = new Set([hashOf(ONE)]);
    const made = open({ options: { autoApprove: pins } });
    const runs = (name: string) => codeOf(made.run(name));
    await made.save('job', ONE);
    await made.save('copy', ONE);
    expect([await runs('job'), await runs('copy')]).toEqual(['ok', 'script_not_approved']);
    await made.decisions.disable('job', OWNER);
    made.drop('third', ONE);
    expect(await runs('third')).toBe('script_not_approved');
    await made.decisions.reject('job', {}, OWNER);
    await made.save('fourth', ONE);
    expect(await runs('fourth')).toBe('script_not_approved');
    await made.library.remove('job', OWNER);
    await made.save('job', ONE);
    expect(await runs('job')).toBe('script_not_approved');
  });

  test('a pin that the configuration has no longer takes its approval with it, and no other', async () => {
    const made = open({ options: { autoApprove: new Set([hashOf(ONE), hashOf(TWO)]) } });
    await made.save('gone', ONE);
    await made.save('kept', TWO);
    const mine = await approved(made, 'mine', `${ONE}# mine\n`);
    const { store, database, audit } = made;
    const taken = () =>
      takeBackUnpinned({ store, database, audit, clock: systemClock, pins: new Set([hashOf(TWO)]) });
    expect([taken(), taken()]).toEqual([1, 0]);
    expect(await codeOf(made.run('gone'))).toBe('script_not_approved');
    expect(made.library.require('gone').version).toMatchObject({ decision: null, ended_how: null });
    expect(await made.run('kept')).toMatchObject({ ok: true, hash: hashOf(TWO) });
    expect(await made.run('mine')).toMatchObject({ ok: true, hash: mine });
    expect(made.events('script.unpinned').map(({ target, details }) => [target, details])).toEqual([
      ['gone', { hash: hashOf(ONE) }],
    ]);
    const { hash } = made.library.require('gone');
    await made.decisions.approve('gone', { hash }, OWNER);
    expect(await codeOf(made.run('gone'))).toBe('ok');
  });

  test('a file that is gone does not run, one that is no text neither, and both come back', async () => {
    const made = open();
    await approved(made, 'job', ONE);
    made.erase('job');
    expect(await codeOf(made.run('job'))).toBe('script_not_found');
    made.drop('job', ONE);
    expect(await codeOf(made.run('job'))).toBe('ok');
    made.drop('job', new Uint8Array([0, 1, 2]));
    expect(await made.run('job')).toMatchObject({ code: 'script_modified', details: { current_hash: null } });
    made.drop('job', ONE);
    expect(await codeOf(made.run('job'))).toBe('ok');
  });

  test('a write that the disk refused is made up for at the next look, and no version is lost', async () => {
    const made = open();
    await made.save('job', ONE);
    made.failWrites(new AppError({ family: 'config', code: 'disk_full', message: 'full' }));
    expect(await codeOf(made.save('job', TWO))).toBe('disk_full');
    expect(made.onDisk('job')).toBe(ONE);
    made.failWrites(undefined);
    await made.library.look('job');
    expect(made.onDisk('job')).toBe(TWO);
    expect(made.library.versions('job').map(({ hash }) => hash)).toEqual([hashOf(TWO), hashOf(ONE)]);
  });

  test('texts that are no program, too large, or not of the version that was seen are refused', async () => {
    const made = open();
    expect(await codeOf(made.save('job', 'def (\n'))).toBe('invalid_script');
    expect(await codeOf(made.save('job', `#${'x'.repeat(256 * 1024)}`))).toBe('script_too_large');
    expect(await codeOf(made.save('job', '# \0'))).toBe('invalid_text');
    await made.save('job', ONE);
    const save = {
      name: 'job',
      source: TWO,
      how: 'page',
      by: OWNER,
      origin: 'page',
      mustParse: true,
    } as const;
    expect(await codeOf(made.library.save({ ...save, base: null }))).toBe('script_exists');
    expect(await codeOf(made.library.save({ ...save, base: hashOf('x') }))).toBe('script_changed');
    expect(await codeOf(made.library.save({ ...save, base: hashOf(ONE) }))).toBe('ok');
  });

  test('a text that is no program can be dropped in the folder, but not approved', async () => {
    const made = open();
    made.drop('job', 'def (\n');
    await made.library.look('job');
    const { hash } = made.library.require('job');
    expect(await codeOf(made.decisions.approve('job', { hash }, OWNER))).toBe('invalid_script');
  });

  test('what is deleted is gone from the folder and does not run; a new one under the name is not approved', async () => {
    const made = open();
    await approved(made, 'job', ONE);
    await made.library.remove('job', OWNER);
    await made.library.lookAll();
    expect(await codeOf(made.run('job'))).toBe('script_not_found');
    await made.save('job', ONE);
    expect(await codeOf(made.run('job'))).toBe('script_not_approved');
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
    expect(await codeOf(made.save('other', ONE))).toBe('too_many_pending');
    await made.library.remove('job', OWNER);
    expect(made.store.countPending()).toBe(0);
    expect(await codeOf(made.save('other', ONE))).toBe('ok');
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

  test('differences of texts that have nothing or little in common are made all the same, and are right', () => {
    const lines = (n: number, make: (i: number) => string): string =>
      Array.from({ length: n }, (_, i) => make(i)).join('\n');
    const pairs = [
      // More lines than a call can have arguments.
      [lines(130_000, (i) => 'ab'[i % 2] ?? ''), lines(130_000, (i) => 'ac'[i % 3] ?? '')],
      [lines(40_000, String), lines(40_000, (i) => (i % 40 === 0 ? `${i} changed` : String(i)))],
      ['a\nb\nc\na\nb\nb\na', 'c\nb\na\nb\na\nc'],
    ] as const;
    for (const [one, two] of pairs)
      for (const [before, after] of [
        [one, two],
        [two, one],
      ] as const) {
        const diff = unifiedDiff({ label: 'a', text: before }, { label: 'b', text: after });
        expect(patched(before, diff) === after).toBe(true);
      }
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

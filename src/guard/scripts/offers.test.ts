import { expect, test } from 'vitest';
import { codeOf, MODEL, OWNER, type ScriptBench } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
import { dismissOffer } from './dismiss-offer.ts';
import { powerOf } from './power.ts';

const TEXT = '# @secrets: KEY\nresult = 1\n';
const NARROW = { secrets: {}, hosts: ['a.example'], methods: ['GET'] };

const open = scriptBenches();

/** An approved script whose run was refused a host, a method and a secret. */
async function refused(): Promise<ScriptBench> {
  const bench = open({
    play: async (_order, { watcher }) => {
      watcher.notice({ event: 'request_refused', code: 'host_not_granted', host: 'b.example' });
      watcher.notice({ event: 'secret_undeclared', name: 'KEY' });
      watcher.notice({ event: 'secret_undeclared', name: '(no valid name)' });
      watcher.request?.({
        method: 'POST',
        url: 'https://a.example/',
        headers: {},
        body: '',
        refused: 'method_not_granted',
      });
      return {};
    },
  });
  await bench.save('job', TEXT);
  await approve(bench, NARROW);
  await bench.run('job');
  return bench;
}

async function approve(made: ScriptBench, grant: object): Promise<void> {
  const { row, hash } = made.library.require('job');
  await made.decisions.approve('job', { hash, revision: row.revision, grant: grant as never }, OWNER);
}

const offers = (made: ScriptBench): string[] =>
  made.store
    .offers('job')
    .map(({ kind, what }) => `${kind} ${what}`)
    .toSorted();

test('extending the grant of the same text settles what it gives, and leaves the other offers', async () => {
  const made = await refused();
  expect(offers(made)).toEqual(['host b.example', 'method POST', 'secret KEY']);
  await approve(made, { ...NARROW, hosts: ['a.example', 'b.example'] });
  expect(offers(made)).toEqual(['method POST', 'secret KEY']);
  await approve(made, { ...NARROW, methods: ['GET', 'POST'] });
  expect(offers(made)).toEqual(['secret KEY']);
  await approve(made, { ...NARROW, secrets: { KEY: ['a.example'] } });
  expect(offers(made)).toEqual([]);
});

test('a host that a secret may be sent to is given as well', async () => {
  const made = await refused();
  await approve(made, { ...NARROW, secrets: { KEY: ['b.example'] } });
  expect(offers(made)).toEqual(['method POST']);
});

test('approving another text settles all offers', async () => {
  const made = await refused();
  await made.save('job', `${TEXT}x = 1\n`);
  await approve(made, NARROW);
  expect(offers(made)).toEqual([]);
});

test('what an extension replaced stands in the log beside what it gives', async () => {
  const made = await refused();
  const { hash } = made.library.require('job');
  await approve(made, { ...NARROW, hosts: ['a.example', 'b.example'] });
  expect(made.events('script.approved').at(-1)?.details).toMatchObject({
    hash,
    before: hash,
    before_grant: NARROW,
    grant: { ...NARROW, hosts: ['a.example', 'b.example'] },
  });
});

test('an extension that was made for a grant which changed meanwhile is refused', async () => {
  const made = await refused();
  const { row, hash } = made.library.require('job');
  await approve(made, NARROW);
  await expect(
    made.decisions.approve(
      'job',
      { hash, revision: row.revision, grant: { ...NARROW, hosts: ['b.example'] } },
      OWNER,
    ),
  ).rejects.toMatchObject({ code: 'already_decided' });
});

test('the limits of a grant are sentences', async () => {
  const made = await refused();
  const facts = made.library.facts(made.library.require('job').hash);
  const grant = { ...NARROW, quotas: { runs_per_hour: 5, bytes_per_hour: 3 * 1024 * 1024 } };
  const limits = powerOf(grant, undefined, facts).lines.filter(({ kind }) => kind === 'limit');
  expect(limits.map(({ text }) => text)).toEqual([
    'runs at most 5 times in an hour, with 600 requests and 3 MiB of answers',
  ]);
});

const HOST = { name: 'job', kind: 'host', what: 'b.example' } as const;
const dismiss = (made: ScriptBench, by = OWNER) =>
  dismissOffer(
    { ...made, clock: { now: () => 7, monotonic: () => 0 } },
    { ...HOST, hash: made.library.require('job').hash },
    by,
  );

test('what the owner dismisses stays away for that text, and is there again when a newer one is refused it', async () => {
  const made = await refused();
  const { hash } = made.library.require('job');
  dismiss(made);
  expect(offers(made)).toEqual(['method POST', 'secret KEY']);
  expect(made.events('script.offer_dismissed')).toMatchObject([
    { actor: 'user:owner', target: 'job', details: { hash, kind: 'host', what: 'b.example' } },
  ]);
  await made.run('job');
  expect(offers(made)).toEqual(['method POST', 'secret KEY']);
  // The refusal itself is in the log as ever.
  expect(made.events('script.request_refused')).toHaveLength(2);
  await made.save('job', `${TEXT}x = 1\n`);
  await approve(made, NARROW);
  expect(offers(made)).toEqual([]);
  await made.run('job');
  expect(offers(made)).toEqual(['host b.example', 'method POST', 'secret KEY']);
  dismiss(made);
  // Back to the first text: it was dismissed for that one too.
  await made.library.restore('job', hash, OWNER);
  await approve(made, NARROW);
  await made.run('job');
  expect(offers(made)).toEqual(['method POST', 'secret KEY']);
});

test('dismissing twice is one act, and what is not offered can not be dismissed', async () => {
  const made = await refused();
  dismiss(made);
  dismiss(made);
  expect(made.events('script.offer_dismissed')).toHaveLength(1);
  const { hash } = made.library.require('job');
  const deps = { ...made, clock: { now: () => 7, monotonic: () => 0 } };
  for (const other of [
    { ...HOST, hash, what: 'c.example' },
    { ...HOST, hash: `sha256:${'0'.repeat(64)}` },
    { ...HOST, hash, name: 'nobody' },
  ])
    expect(await codeOf((async () => dismissOffer(deps, other, OWNER))())).toBe('not_found');
  expect(made.events('script.offer_dismissed')).toHaveLength(1);
});

test('nobody but a person can dismiss an offer, and one that can not be written down is not dismissed', async () => {
  const made = await refused();
  for (const by of [MODEL, { kind: 'system' } as const, { kind: 'operator' } as const])
    expect(await codeOf((async () => dismiss(made, by))())).toBe('not_a_person');
  made.database.run(
    `CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.event = 'script.offer_dismissed'
     BEGIN SELECT RAISE(ABORT, 'disk full'); END`,
    {},
  );
  expect(await codeOf((async () => dismiss(made))())).toBe('audit_failed');
  expect(offers(made)).toContain('host b.example');
  await made.run('job');
  expect(offers(made)).toContain('host b.example');
});

test('a script that is deleted takes along what was dismissed of it', async () => {
  const made = await refused();
  dismiss(made);
  await made.library.remove('job', OWNER);
  await made.save('job', TEXT);
  await approve(made, NARROW);
  await made.run('job');
  expect(offers(made)).toContain('host b.example');
});

test('only scripts with a name get offers', async () => {
  const bench = open({
    play: async (_order, { watcher }) => {
      watcher.notice({ event: 'request_refused', code: 'host_not_granted', host: 'b.example' });
      return {};
    },
  });
  await bench.runs.exec({ source: 'result = 1\n', by: OWNER, origin: 'page' });
  expect(bench.store.offers('')).toEqual([]);
});

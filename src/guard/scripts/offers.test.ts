import { expect, test } from 'vitest';
import { OWNER, type ScriptBench } from '../../../test/support/script-bench.ts';
import { scriptBenches } from '../../../test/support/script-benches.ts';
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

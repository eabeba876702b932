/** Two sessions decide on one script of the running program at the same moment, or one decides while the text changes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Script } from '../../src/edge/admin/api.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { hashOf } from '../support/script-bench.ts';
import { getScript, secondSession } from '../support/script-chat.ts';
import { detail, scriptLog } from '../support/script-log.ts';
import { start } from '../support/with-fake-model.ts';

type Answer = Partial<Script> & { readonly error?: string };
type Session = Pick<RunningProgram, 'api'>;
const CONFIG = 'server: {rate_limit: {rate: 5000, burst: 50000}}\n';
const ROUNDS = 12;
const GOOD = '# @secrets: TOKEN\nresult = "good"\n';
const EVIL = '# @secrets: TOKEN, OTHER\nresult = "evil"\n';
const WIDE = { secrets: { TOKEN: ['api.example.com'] }, hosts: ['api.example.com'], methods: ['GET'] };
const NARROW = { secrets: {}, hosts: [], methods: [] };

const act = (by: Session, name: string, what: string, body: object) =>
  by.api<Answer>('POST', `/api/scripts/${name}/${what}`, body);

async function make(program: RunningProgram, name: string): Promise<Script> {
  const { status, body } = await program.api<Script>('POST', '/api/scripts', { name, source: GOOD });
  expect(status).toBe(201);
  return body;
}

/** The decisions of a script in the order in which they count. */
async function decisionsOn(program: RunningProgram, name: string): Promise<string[]> {
  const { entries } = await scriptLog(program);
  return entries
    .filter(({ target, event }) => target === name && event !== 'script.version')
    .map((entry) => `${entry.event}${detail(entry, 'revoked') === true ? ' revoked' : ''}`);
}

test('two sessions decide at once: of two approvals one counts and the other hears so; a rejection or a switch-off counts whatever comes with it; the log has one order, and the state is what it says', async () => {
  const program = await start({ config: CONFIG });
  const other = await secondSession(program);
  const winners = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = `both${round}`;
    const { hash, revision } = await make(program, name);
    // Of what nobody decided on, with and without the state that was shown.
    const order = round % 2 === 0 ? { hash } : { hash, revision };
    const sides = [
      { by: program, grant: WIDE },
      { by: other, grant: NARROW },
    ];
    if (round % 4 > 1) sides.reverse();
    const answers = await Promise.all(
      sides.map(({ by, grant }) => act(by, name, 'approve', { ...order, grant })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const lost = answers.find(({ status }) => status === 409)?.body;
    expect(lost).toMatchObject({ error: 'already_decided', status: 'approved', hash });
    const won = sides[answers.findIndex(({ status }) => status === 200)]?.grant;
    winners.add(JSON.stringify(won));
    expect((await getScript(program, name)).grant).toEqual(won);
    const { entries } = await scriptLog(program);
    const approvals = entries.filter(({ target, event }) => target === name && event === 'script.approved');
    expect(approvals.map((entry) => detail(entry, 'grant'))).toEqual([won]);
  }
  expect(winners.size).toBe(2);

  const orders = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const less = round % 2 === 0 ? 'reject' : 'disable';
    const name = `less${round}`;
    const { hash } = await make(program, name);
    const acts = [() => act(program, name, 'approve', { hash }), () => act(other, name, less, {})];
    if (round % 4 > 1) acts.reverse();
    const [one, two] = await Promise.all(acts.map((go) => go()));
    const [approved, reduced] = round % 4 > 1 ? [two, one] : [one, two];
    expect(reduced?.status).toBe(200);
    const now = await getScript(program, name);
    expect(now.status).toBe(less === 'reject' ? 'rejected' : 'disabled');
    expect(now.refused).not.toBeNull();
    const order = await decisionsOn(program, name);
    orders.add(order.join(', '));
    if (less === 'reject')
      expect(order).toEqual(
        approved?.status === 200 ? ['script.approved', 'script.rejected revoked'] : ['script.rejected'],
      );
    else expect(order.toSorted()).toEqual(['script.approved', 'script.disabled']);
    if (approved?.status !== 200)
      expect(approved).toMatchObject({ status: 409, body: { error: 'already_decided', status: 'rejected' } });
    const log = await scriptLog(program);
    expect([now.approved_hash, now.disabled_at !== null]).toEqual([
      log.approved.get(name) ?? null,
      log.disabled.has(name),
    ]);
  }
  expect(orders.size).toBeGreaterThan(1);
}, 120_000);

/** Approves what was read before, with the state that was shown or without, while the text is changed by the page or past every door. */
async function approvedDuringAnEdit(program: RunningProgram, name: string, round: number, state: boolean) {
  const { hash, revision } = await make(program, name);
  const file = join(program.workspace, 'ai-data', 'scripts', `${name}.star`);
  mkdirSync(join(program.workspace, 'ai-data', 'scripts'), { recursive: true });
  const edit = (): Promise<{ status: number }> =>
    round % 2 === 0
      ? program.api('PUT', `/api/scripts/${name}`, { source: EVIL, hash })
      : Promise.resolve({ status: (writeFileSync(file, EVIL), 200) });
  const approve = () => act(program, name, 'approve', state ? { hash, revision } : { hash });
  const [first, second] = await Promise.all(round % 4 > 1 ? [edit(), approve()] : [approve(), edit()]);
  const approval = (round % 4 > 1 ? second : first) as Awaited<ReturnType<typeof approve>>;
  return { hash, approval, now: await getScript(program, name) };
}

test('an edit in the same millisecond as an approval is not covered by it', async () => {
  const program = await start({ config: CONFIG });
  const seen = new Set<number>();
  for (let round = 0; round < ROUNDS * 2; round += 1) {
    const name = `edit${round}`;
    const { hash, approval, now } = await approvedDuringAnEdit(program, name, round, round % 8 > 3);
    seen.add(approval.status);
    if (approval.status === 200) expect(now).toMatchObject({ approved_hash: hash, hash: hashOf(EVIL) });
    else
      expect(approval).toMatchObject({ status: 409, body: { error: 'script_changed', hash: hashOf(EVIL) } });
    expect(now.refused?.code).toBe(approval.status === 200 ? 'script_modified' : 'script_not_approved');
    expect(now.grant?.secrets ?? {}).not.toHaveProperty('OTHER');
    if (approval.status !== 200) continue;
    const ran = await act(program, name, 'test', { hash });
    expect(ran).toMatchObject({ status: 409, body: { error: 'script_modified' } });
  }
  expect([...seen].toSorted((a, b) => a - b)).toEqual([200, 409]);
  const { entries, strays } = await scriptLog(program);
  expect(strays).toEqual([]);
  for (const entry of entries.filter(({ event }) => event === 'script.approved'))
    expect(detail(entry, 'hash')).toBe(hashOf(GOOD));
}, 120_000);

test('without the comparison of the text, an approval with the state that was shown is refused, and one without it covers the edit; without that of the state too each covers the edit, with all that it asks for, and a second approval replaces the first', async () => {
  const unread = await start({ config: CONFIG, off: ['script-shown'] });
  for (let round = 0; round < 8; round += 1) {
    const { approval, now } = await approvedDuringAnEdit(unread, `edit${round}`, round, true);
    expect(now.approved_hash).not.toBe(hashOf(EVIL));
    // The edit came first for certain.
    if (round % 4 === 3)
      expect(approval).toMatchObject({ status: 409, body: { error: 'already_decided', hash: hashOf(EVIL) } });
  }
  expect((await approvedDuringAnEdit(unread, 'later', 3, false)).now.approved_hash).toBe(hashOf(EVIL));

  const careless = await start({ config: CONFIG, off: ['script-shown', 'script-revision'] });
  for (const state of [true, false]) {
    const { now } = await approvedDuringAnEdit(careless, `covered_${state}`, 3, state);
    expect(now.approved_hash).toBe(hashOf(EVIL));
    expect(now.grant?.secrets).toHaveProperty('OTHER');
  }
  const { hash, revision } = await make(careless, 'both');
  for (const grant of [WIDE, NARROW])
    expect((await act(careless, 'both', 'approve', { hash, revision, grant })).status).toBe(200);
  expect((await getScript(careless, 'both')).grant).toEqual(NARROW);
}, 60_000);

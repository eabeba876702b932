import { beforeEach, describe, expect, test } from 'vitest';
import { AppError, silentLog } from '../core/index.ts';
import { OWNER } from '../../test/support/script-bench.ts';
import type { ScriptRequest } from '../edge/admin/inbox-api.ts';
import { createApprovals } from '../guard/approvals/index.ts';
import { createApprovalStore } from '../host/storage/index.ts';
import { decideBatch } from './inbox-batch.ts';
import { HOUR, inboxStage, scriptsOf } from './inbox.test-support.ts';

const ACTOR = { principal: OWNER as Extract<typeof OWNER, { kind: 'user' }>, address: '127.0.0.1' };
const stage = inboxStage();
let batch: ReturnType<typeof decideBatch>;
/** The password that is asked for, where it is. */
const stepUps: (string | undefined)[] = [];
beforeEach(() => {
  stepUps.length = 0;
  batch = decideBatch({
    approvals: stage.approvals,
    scripts: stage.bench,
    stepUp: undefined,
    log: silentLog,
  });
});

describe('a batch', () => {
  const approve = ({ id, digest }: { id: string; digest: string }) =>
    ({ id, digest, decision: 'approve' }) as const;
  const outcomes = async (decisions: Parameters<typeof batch>[0]['decisions']) =>
    (await batch({ decisions }, ACTOR)).results.map(({ outcome, status }) => `${outcome} ${status}`);

  test('decides each for itself, with an entry in the log for each, and says what became of each', async () => {
    const [one, two, stale, gone, mine] = [stage.ask(), stage.ask(), stage.ask(), stage.ask(), stage.ask()];
    stage.approvals.decide(gone.id, 'deny', OWNER, {});
    const before = stage.bench.events('approval.approved').length;
    expect(
      await outcomes([
        approve(one),
        { ...approve(two), decision: 'deny', reason: 'no' },
        { ...approve(stale), digest: one.digest },
        approve(gone),
        { id: 'apr_nobody', digest: 'x', decision: 'approve' },
        { ...approve(mine), decision: 'deny', digest: 'x' },
      ]),
    ).toEqual([
      'done approved',
      'done denied',
      'changed pending',
      'already_decided denied',
      'not_found null',
      'changed pending',
    ]);
    expect(stage.bench.events('approval.approved').length - before).toBe(1);
    expect(stage.bench.events('approval.denied').map(({ target }) => target)).toEqual([gone.id, two.id]);
    expect(stage.approvals.get(two.id)?.reason).toBe('no');
    expect(stage.approvals.countPending()).toBe(2);
  });

  test('what ran out is told as that, and not approved', async () => {
    const one = stage.ask();
    stage.now += HOUR;
    expect(await outcomes([approve(one)])).toEqual(['expired expired']);
    expect(stage.bench.events('approval.approved')).toEqual([]);
  });

  test('of two batches at once each request is decided by one', async () => {
    const rows = Array.from({ length: 20 }, () => stage.ask());
    const [a, b] = await Promise.all([
      outcomes(rows.map(approve)),
      outcomes(rows.toReversed().map((row) => ({ ...approve(row), decision: 'deny' as const }))),
    ]);
    const won = [...a, ...b].filter((outcome) => outcome.startsWith('done'));
    expect(won).toHaveLength(20);
    expect([...a, ...b].filter((outcome) => outcome.startsWith('already_decided'))).toHaveLength(20);
    expect(
      stage.bench.events('approval.approved').length + stage.bench.events('approval.denied').length,
    ).toBe(20);
  });

  test('rejects scripts with the reason, and never approves one', async () => {
    await stage.save('a', 1);
    await stage.save('b', 2);
    await stage.save('b', 3);
    const [a, b] = scriptsOf(stage.list({ status: 'waiting' }).approvals);
    const old = scriptsOf(stage.list({ status: 'superseded' }).approvals)[0];
    if (!a || !b || !old) throw new Error('they do not wait');
    const deny = (item: ScriptRequest, digest = item.hash) =>
      ({ id: item.id, digest, decision: 'deny', reason: 'because' }) as const;
    expect(await outcomes([{ ...deny(a), decision: 'approve' }, deny(a, b.hash), deny(old)])).toEqual([
      'failed null',
      'changed null',
      'changed superseded',
    ]);
    expect(stage.bench.library.require('a').status).toBe('pending');
    expect(await outcomes([deny(a), deny(b), deny(b)])).toEqual([
      'done denied',
      'done denied',
      'already_decided denied',
    ]);
    const { results } = await batch({ decisions: [deny(b), deny(old)] }, ACTOR);
    expect(results.map(({ message }) => message)).toEqual([
      'This version was rejected already.',
      'A newer version took its place.',
    ]);
    expect(stage.bench.library.require('a')).toMatchObject({
      status: 'rejected',
      version: { reason: 'because' },
    });
    expect(stage.bench.events('script.rejected')).toHaveLength(2);
    expect(stage.bench.events('script.approved')).toEqual([]);
  });

  test('asks for the password once, before the first, and only where something is approved', async () => {
    const guarded = decideBatch({
      approvals: stage.approvals,
      scripts: stage.bench,
      log: silentLog,
      stepUp: {
        async requireStepUp({ password }) {
          stepUps.push(password);
          if (password !== 'right')
            throw new AppError({ family: 'forbidden', code: 'step_up_required', message: 'no' });
        },
      },
    });
    const [one, two, three] = [stage.ask(), stage.ask(), stage.ask()];
    await expect(guarded({ decisions: [approve(one), approve(two)] }, ACTOR)).rejects.toMatchObject({
      code: 'step_up_required',
    });
    expect(stage.approvals.countPending()).toBe(3);
    await guarded({ decisions: [{ ...approve(three), decision: 'deny' }] }, ACTOR);
    await guarded({ decisions: [approve(one), approve(two)], password: 'right' }, ACTOR);
    expect(stepUps).toEqual([undefined, 'right']);
    expect(stage.approvals.countPending()).toBe(0);
  });

  test('one that can not be stored does not take the others with it', async () => {
    const [one, two, three] = [stage.ask(), stage.ask(), stage.ask()];
    const entry = stage.bench.audit.append.bind(stage.bench.audit);
    const broken = createApprovals({
      store: createApprovalStore(stage.bench.database),
      database: stage.bench.database,
      audit: {
        ...stage.bench.audit,
        append(row) {
          if (row.target === two.id) throw new Error('no space');
          return entry(row);
        },
      },
      redactor: stage.bench.redactor,
      clock: { now: () => stage.now, monotonic: () => stage.now },
      log: silentLog,
      expireAfterMs: HOUR,
    });
    const over = decideBatch({ approvals: broken, scripts: stage.bench, stepUp: undefined, log: silentLog });
    const { results } = await over({ decisions: [approve(one), approve(two), approve(three)] }, ACTOR);
    expect(results.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done']);
    expect([one, two, three].map(({ id }) => broken.get(id)?.status)).toEqual([
      'approved',
      'pending',
      'approved',
    ]);
  });
});

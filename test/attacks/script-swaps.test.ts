/**
 * The running program while the file of an approved script is swapped again and again, by whoever can write the folder, and
 * two sessions of the owner decide. OPENPACT_SWAPS says how often the file is swapped (10,000).
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Script, ScriptTestAnswer } from '../../src/edge/admin/api.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { hashOf } from '../support/script-bench.ts';
import { approveNow, getScript, modelCalls, secondSession } from '../support/script-chat.ts';
import { detail, scriptLog } from '../support/script-log.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const SWAPS = Number(process.env['OPENPACT_SWAPS'] ?? 10_000);
const RUNS_IN_A_TURN = 4;
/** Each says in its result which one it is. */
const text = (kind: 'good' | 'evil', at: number): string => `result = "${kind} ${at}"\n`;
const GOOD = [0, 1, 2].map((at) => text('good', at));
const TEXTS = [...GOOD, ...[0, 1, 2].map((at) => text('evil', at))];
const QUOTAS = { secrets: {}, hosts: [], methods: [], quotas: { runs_per_hour: 10_000 } } as const;
const CONFIG = 'server: {rate_limit: {rate: 5000, burst: 50000}}\n';

const fileIn = (program: RunningProgram): string => {
  const folder = join(program.workspace, 'ai-data', 'scripts');
  mkdirSync(folder, { recursive: true });
  return join(folder, 'job.star');
};

async function swapAgainAndAgain(file: string): Promise<void> {
  for (let at = 0; at < SWAPS; at += 1) {
    const next = TEXTS[(at * 7 + Math.floor(at / 40)) % TEXTS.length] ?? '';
    // Whole, or cut off and written again, as editors do.
    if (at % 2 === 0) {
      writeFileSync(`${file}.new`, next);
      renameSync(`${file}.new`, file);
    } else writeFileSync(file, next);
    if (at % 100 === 99) await sleep(5);
    // Long enough for somebody to act on it.
    if (at % 1_000 === 999) {
      writeFileSync(file, GOOD[((at / 1_000) % GOOD.length) | 0] ?? '');
      await sleep(300);
    }
  }
}

/** Approves what is good and rejects the rest, some time after reading it. */
async function review(by: Pick<RunningProgram, 'api'>, going: () => boolean) {
  const sent = new Set<string>();
  const heard = new Map<string, number>();
  for (let at = 0; going(); at += 1) {
    const { body: shown } = await by.api<Script>('GET', '/api/scripts/job');
    await sleep(at % 7);
    const { hash, revision } = shown;
    const good = GOOD.includes(shown.source);
    if (good) sent.add(hash);
    const { status, body } = good
      ? await by.api<{ error?: string }>('POST', '/api/scripts/job/approve', {
          hash,
          revision,
          grant: QUOTAS,
        })
      : await by.api<{ error?: string }>('POST', '/api/scripts/job/reject', { hash });
    const answer = `${good ? 'approve' : 'reject'} ${status} ${body.error ?? ''}`;
    heard.set(answer, (heard.get(answer) ?? 0) + 1);
  }
  return { sent, heard };
}

test('while the file is swapped, runs and two reviewers race: each run is of the digest that is approved at that moment and says what that text says, and no approval covers what its reviewer did not send', async () => {
  const { program } = await startWithModel(
    {
      otherwise: (request) =>
        request.text.includes('"role":"tool"')
          ? { text: 'Done.' }
          : {
              calls: Array.from({ length: RUNS_IN_A_TURN }, () => ({
                name: 'script_run',
                arguments: { name: 'job' },
              })),
            },
    },
    { config: CONFIG },
  );
  const other = await secondSession(program);
  const file = fileIn(program);
  await program.api('POST', '/api/scripts', { name: 'job', source: GOOD[0] });
  await approveNow(program, 'job', QUOTAS);
  const values: { readonly run: string; readonly value: string }[] = [];
  const codes = new Map<string, number>();
  const note = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
  let over = false;
  const going = (): boolean => !over;

  async function byTheModel(): Promise<void> {
    while (going()) {
      const { events } = await program.say('run it');
      for (const event of events) {
        if (event.type !== 'tool_result') continue;
        const result = event.result as unknown as { run_id?: string; value: unknown; error?: string | null };
        if (typeof result.value === 'string' && typeof result.run_id === 'string')
          values.push({ run: result.run_id, value: result.value });
        else note(typeof result.error === 'string' ? result.error : event.outcome);
      }
    }
  }
  async function byTheOwner(): Promise<void> {
    while (going()) {
      const { approved_hash: hash } = await getScript(program, 'job');
      if (hash === null) continue;
      const { status, body } = await program.api<ScriptTestAnswer & { error?: unknown }>(
        'POST',
        '/api/scripts/job/test',
        { hash },
      );
      // What is not approved any more is tried with canned answers, which is no run.
      if (status === 200 && body.live && typeof body.result === 'string')
        values.push({ run: body.run_id ?? '', value: body.result });
      else note(status === 200 ? 'test' : String(body.error));
    }
  }
  const acts = [byTheModel(), byTheModel(), byTheOwner()];
  const reviews = [review(program, going), review(other, going)];
  await swapAgainAndAgain(file);
  over = true;
  await Promise.all(acts);
  const [one, two] = await Promise.all(reviews);

  const log = await scriptLog(program);
  const approvals = log.entries.filter(({ event }) => event === 'script.approved');
  const runs = new Map(
    log.entries
      .filter(({ event }) => event === 'script.run')
      .map((entry) => [String(detail(entry, 'run')), String(detail(entry, 'hash'))]),
  );
  // Everybody had a chance.
  expect(values.length, JSON.stringify([...codes])).toBeGreaterThan(5);
  expect(codes.get('script_modified') ?? 0, JSON.stringify([...codes])).toBeGreaterThan(0);
  expect(approvals.length).toBeGreaterThan(2);
  expect([...(one?.heard ?? []), ...(two?.heard ?? [])].map(([answer]) => answer)).toContain(
    'approve 409 script_changed',
  );

  expect(log.strays).toEqual([]);
  for (const { run, value } of values) {
    expect(value).toMatch(/^good/);
    expect(hashOf(`result = "${value}"\n`)).toBe(runs.get(run));
  }
  const sent = new Set([...(one?.sent ?? []), ...(two?.sent ?? []), hashOf(GOOD[0] ?? '')]);
  for (const entry of approvals) expect(sent).toContain(detail(entry, 'hash'));
  // The state is what the log says.
  const now = await getScript(program, 'job');
  expect(now.approved_hash).toBe(log.approved.get('job'));
}, 120_000);

/** The file of an approved script is another one; what a run of it comes to. */
async function overwritten(off: readonly string[]) {
  const { program, model } = await startWithModel({ answers: [] }, { off });
  await program.api('POST', '/api/scripts', { name: 'job', source: GOOD[0] });
  const { hash } = await approveNow(program, 'job');
  writeFileSync(fileIn(program), text('evil', 0));
  const { outcome, value } = await modelCalls(program, model, 'script_run', { name: 'job' });
  const { strays, entries } = await scriptLog(program);
  return {
    came: outcome === 'done' ? (value['value'] ?? value['error']) : outcome,
    // Of which text the log says that it ran, and whether that was approved.
    ran: entries
      .filter(({ event }) => event === 'script.run')
      .map((entry) => (detail(entry, 'hash') === hash ? 'good' : 'evil')),
    strays: strays.length,
  };
}

test('the file of an approved script is another one: it is blocked; without the look at it the approved text runs; with the stored text left out nothing runs, by the digest; with the digest left out, by the database; with a false record too the evil text runs', async () => {
  const off = ['script-look', 'script-bytes', 'script-digest', 'script-record'];
  expect(await Promise.all([0, 1, 2, 3, 4].map((count) => overwritten(off.slice(0, count))))).toEqual([
    { came: 'script_modified', ran: [], strays: 0 },
    { came: 'good 0', ran: ['good'], strays: 0 },
    { came: 'unknown', ran: [], strays: 0 },
    { came: 'unknown', ran: [], strays: 0 },
    { came: 'evil 0', ran: ['evil'], strays: 1 },
  ]);
}, 120_000);

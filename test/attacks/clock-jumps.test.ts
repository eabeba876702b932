/** The clock of the machine jumps while the program runs, or while it does not: what has run out stays out. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { ApprovalList, ScriptTestAnswer } from '../../src/edge/admin/api.ts';
import { startFakeModel } from '../fakes/openai-server.ts';
import { startProgram, type RunningProgram, type StartOptions } from '../support/running-program.ts';
import { approveNow, getScript, modelCalls } from '../support/script-chat.ts';
import { entriesOf, detail } from '../support/script-log.ts';
import { lookInto } from '../support/vault-tools.ts';
import { useModel } from '../support/with-fake-model.ts';

const MINUTE = 60_000;
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

/** A program whose wall clock the test turns; `ahead` in milliseconds. */
function clockOf(): { readonly env: Record<string, string>; ahead(ms: number): void } {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-clock-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const file = join(folder, 'ahead');
  const preload = resolve(import.meta.dirname, '..', 'support', 'shifted-clock.ts');
  const ahead = (ms: number): void => writeFileSync(file, String(ms));
  ahead(0);
  return { ahead, env: { NODE_OPTIONS: `--import ${preload}`, SHIFTED_CLOCK: file } };
}

async function started(options: StartOptions): Promise<RunningProgram> {
  const program = await startProgram(options);
  undo.push(() => program.kill());
  if (options.workspace === undefined) undo.push(() => program.remove());
  return program;
}

const inTime = (ms: number): string => new Date(Date.now() + ms).toISOString();
const grant = (expires: string) => ({ secrets: {}, hosts: [], methods: [], expires_at: expires });
const tryIt = async (program: RunningProgram, name: string) => {
  const { hash } = await getScript(program, name);
  const { status, body } = await program.api<ScriptTestAnswer & { error?: unknown }>(
    'POST',
    `/api/scripts/${name}/test`,
    { hash, http: undefined },
  );
  return status === 200 && body.live
    ? body.result
    : (body.error ?? (await getScript(program, name)).refused?.code);
};

async function withScripts(clock: ReturnType<typeof clockOf>, options: StartOptions = {}) {
  const program = await started({ ...options, env: clock.env });
  for (const name of ['soon', 'slow', 'late']) {
    const source =
      name === 'slow'
        ? 'def main():\n    for i in range(25):\n        time.sleep(1)\n    return "slept"\n'
        : 'result = "ran"\n';
    await program.api('POST', '/api/scripts', { name, source });
    await approveNow(program, name, grant(inTime(name === 'late' ? 24 * 60 * MINUTE : 10 * MINUTE)));
  }
  return program;
}

test('an approval that ran out by a jump of the clock ends what runs, and never comes back when the clock goes back, over a restart too', async () => {
  const clock = clockOf();
  const program = await withScripts(clock);
  expect(await tryIt(program, 'soon')).toBe('ran');
  const running = tryIt(program, 'slow');
  await expect
    .poll(async () => (await getScript(program, 'slow')).execution_history[0]?.outcome)
    .toBe('running');

  // As after a sleep: no timer saw these minutes go by.
  clock.ahead(11 * MINUTE);
  expect(await running).not.toBe('slept');
  const [last] = (await getScript(program, 'slow')).execution_history;
  expect(last).toMatchObject({ outcome: 'killed' });
  await expect.poll(async () => (await getScript(program, 'soon')).approved_hash).toBeNull();

  clock.ahead(0);
  for (const name of ['soon', 'slow'])
    expect((await getScript(program, name)).refused?.code).toBe('approval_expired');
  expect(await tryIt(program, 'soon')).toBe('approval_expired');
  expect(await tryIt(program, 'late')).toBe('ran');
  const ended = await entriesOf(program, 'script.approval_expired');
  expect(ended.map(({ target }) => target).toSorted()).toEqual(['slow', 'soon']);
  expect(Date.parse(String(detail(ended[0] ?? ({} as never), 'expires_at')))).toBeGreaterThan(Date.now());

  await program.stop();
  clock.ahead(-60 * MINUTE);
  const again = await started({ workspace: program.workspace, env: clock.env });
  expect(await tryIt(again, 'soon')).toBe('approval_expired');
  expect(await tryIt(again, 'late')).toBe('ran');
  // Only the owner gives it back.
  await approveNow(again, 'soon');
  expect(await tryIt(again, 'soon')).toBe('ran');
}, 120_000);

test('an approval whose end passed while OpenPact did not run is taken back at the start, although the clock was set back', async () => {
  const clock = clockOf();
  const program = await started({ env: clock.env });
  for (const name of ['soon', 'late'])
    await program.api('POST', '/api/scripts', { name, source: 'result = "ran"\n' });
  await approveNow(program, 'late', grant(inTime(24 * 60 * MINUTE)));
  // Longer than an approval takes; it is waited for below.
  const end = Date.now() + 15_000;
  await approveNow(program, 'soon', grant(new Date(end).toISOString()));
  await program.stop();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, end + 500 - Date.now())));
  clock.ahead(-60 * MINUTE);
  const again = await started({ workspace: program.workspace, env: clock.env });
  expect(await tryIt(again, 'soon')).toBe('approval_expired');
  expect(await tryIt(again, 'late')).toBe('ran');
  expect((await entriesOf(again, 'script.approval_expired')).map(({ target }) => target)).toEqual(['soon']);
}, 120_000);

test('where what ran out is not taken back, the approval is alive again when the clock goes back: nothing else stops it', async () => {
  const clock = clockOf();
  const program = await withScripts(clock, { off: ['script-expiry'] });
  clock.ahead(11 * MINUTE);
  expect(await tryIt(program, 'soon')).toBe('approval_expired');
  clock.ahead(0);
  expect(await tryIt(program, 'soon')).toBe('ran');
}, 60_000);

test('a request for approval that expired stays so; a quota is not given back by a clock that goes forward and back; the value before a rotation stays hidden', async () => {
  const clock = clockOf();
  const model = await startFakeModel({});
  undo.push(() => model.close());
  const program = await started({
    env: clock.env,
    config: 'approvals: {expire_after: 10m}\nsecrets: {hide_old_for: 1h}\n',
  });
  await useModel(program, model);

  // A request that nobody decided on.
  model.next({ calls: [{ name: 'workspace_write', arguments: { path: 'a.md', content: 'a' } }] });
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'write' });
  const { id } = await program.waitForApproval();
  clock.ahead(11 * MINUTE);
  const statusOf = async (): Promise<string | undefined> =>
    (await program.api<ApprovalList>('GET', '/api/approvals')).body.approvals.find((one) => one.id === id)
      ?.status;
  await expect.poll(statusOf, { timeout: 10_000 }).toBe('expired');
  await chat.until((event) => event.type === 'done');
  clock.ahead(0);
  const late = await program.api<{ error: string }>('POST', `/api/approvals/${id}/approve`, {});
  expect([late.status, late.body.error]).toEqual([409, 'already_decided']);
  chat.close();

  // A quota of one run in an hour.
  await program.api('POST', '/api/scripts', { name: 'job', source: 'result = "ran"\n' });
  await approveNow(program, 'job', { secrets: {}, hosts: [], methods: [], quotas: { runs_per_hour: 1 } });
  const run = async () => (await modelCalls(program, model, 'script_run', { name: 'job' })).value;
  expect(await run()).toMatchObject({ value: 'ran' });
  for (const minutes of [0, -120, 14, 0]) {
    clock.ahead(minutes * MINUTE);
    expect([minutes, (await run())['error']]).toEqual([minutes, 'quota_exceeded']);
  }

  // The value before the rotation.
  const [old, next] = ['ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd', 'ghp_Qq7ZnX2v8LrTk4Wm1Cd0Pj6Sa'];
  await program.api('POST', '/api/secrets', { name: 'TOKEN', value: old });
  await program.api('PUT', '/api/secrets/TOKEN', { value: next });
  const shows = async (): Promise<boolean> => {
    const { events } = await program.say(`Is ${old} good?`);
    return JSON.stringify(events).includes(old);
  };
  for (const minutes of [14, -120, 0]) {
    clock.ahead(minutes * MINUTE);
    expect([minutes, await shows()]).toEqual([minutes, false]);
  }
  await program.stop();
  clock.ahead(-120 * MINUTE);
  const again = await started({ workspace: program.workspace, env: clock.env });
  const { events } = await again.say(`Is ${old} good?`);
  expect(JSON.stringify(events)).toContain('[REDACTED:TOKEN]');
  await again.stop();
  expect(lookInto(program.workspace)).toMatchObject({ audit: { ok: true } });
}, 120_000);

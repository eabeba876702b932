/**
 * Scripts of the running program whose power is taken away while they run: by the model's script_run, by a live test of the
 * page, with both settings of `starlark.on_change`; code without a script; and digests that the configuration pins.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AuditEntryView } from '../../src/edge/admin/api.ts';
import type { FakeModel } from '../fakes/openai-server.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { approveNow, getScript, modelCalls } from '../support/script-chat.ts';
import { detail, entriesOf, scriptLog } from '../support/script-log.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const SLEEPER = (text: string, seconds = 8): string =>
  `def main():\n    for i in range(${seconds}):\n        time.sleep(1)\n    return "${text}"\n`;
const hashOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const at = (entry: AuditEntryView | undefined): number => Date.parse(entry?.at ?? '');

function drop(program: RunningProgram, name: string, text: string): void {
  const folder = join(program.workspace, 'ai-data', 'scripts');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.star`), text);
}

/** Starts a run on each path; what they answered. */
async function runBoth(program: RunningProgram, model: FakeModel, name: string, hash: string) {
  const test = program.api<Record<string, unknown>>('POST', `/api/scripts/${name}/test`, { hash });
  const run = modelCalls(program, model, 'script_run', { name });
  return [(await run).value as Record<string, unknown>, (await test).body];
}

const ACTS = ['reject', 'disable', 'narrower', 'delete'] as const;

async function takeAway(program: RunningProgram, name: string, act: (typeof ACTS)[number]): Promise<string> {
  if (act === 'narrower') {
    await approveNow(program, name, { secrets: {}, hosts: [], methods: [], quotas: { runs_per_hour: 7 } });
    return 'script.approved';
  }
  const { status } =
    act === 'delete'
      ? await program.api('DELETE', `/api/scripts/${name}`)
      : await program.api('POST', `/api/scripts/${name}/${act}`, {});
  expect(status).toBeLessThan(300);
  return { reject: 'script.rejected', disable: 'script.disabled', delete: 'script.deleted' }[act];
}

describe.each(['block', 'keep'])('with on_change: %s', (mode) => {
  test('a rejection, a switch-off, another grant and a deletion end the runs of the model and of the page within a second', async () => {
    const { program, model } = await startWithModel(
      { answers: [] },
      { config: `starlark: {on_change: ${mode}}\n` },
    );
    for (const act of ACTS) {
      const name = `slow_${act}`;
      await program.api('POST', '/api/scripts', { name, source: SLEEPER(act) });
      const { hash } = await approveNow(program, name);
      const running = runBoth(program, model, name, hash);
      await expect
        .poll(async () => (await getScript(program, name)).execution_history.length, { timeout: 20_000 })
        .toBe(2);
      if (mode === 'keep' && act !== 'reject') drop(program, name, SLEEPER('evil'));
      const event = await takeAway(program, name, act === 'narrower' && mode === 'keep' ? 'disable' : act);
      for (const value of await running) expect(value['error']).toMatchObject({ code: 'killed' });
      const log = (await scriptLog(program)).entries.filter(({ target }) => target === name);
      const taken = log.findLast((entry) => entry.event === event);
      const killed = log.filter((entry) => entry.event === 'script.killed');
      expect(killed).toHaveLength(2);
      for (const entry of killed) expect(at(entry) - at(taken)).toBeLessThan(1_000);
    }
    expect((await scriptLog(program)).strays).toEqual([]);
  }, 120_000);
});

test('a test with made-up answers ends with a rejection, a switch-off and a deletion too, and goes on beside a newer version', async () => {
  const { program } = await startWithModel({ answers: [] });
  const begun = async (name: string): Promise<number> =>
    (await entriesOf(program, 'script.run')).filter(({ target }) => target === name).length;
  for (const act of ['reject', 'disable', 'delete'] as const) {
    const name = `canned_${act}`;
    await program.api('POST', '/api/scripts', { name, source: SLEEPER(act) });
    const { hash } = await getScript(program, name);
    const testing = program.api<Record<string, unknown>>('POST', `/api/scripts/${name}/test`, { hash });
    await expect.poll(() => begun(name), { timeout: 20_000 }).toBe(1);
    const event = await takeAway(program, name, act);
    expect((await testing).body['error']).toMatchObject({ code: 'cancelled' });
    const log = (await scriptLog(program)).entries.filter(({ target }) => target === name);
    const end = log.findLast((entry) => entry.event === 'script.ended');
    expect(at(end) - at(log.findLast((entry) => entry.event === event))).toBeLessThan(1_000);
  }
  await program.api('POST', '/api/scripts', { name: 'newer', source: SLEEPER('old') });
  const { hash } = await getScript(program, 'newer');
  const testing = program.api<Record<string, unknown>>('POST', '/api/scripts/newer/test', { hash });
  await expect.poll(() => begun('newer'), { timeout: 20_000 }).toBe(1);
  await program.api('PUT', '/api/scripts/newer', { source: SLEEPER('new') });
  expect((await testing).body).toMatchObject({ result: 'old', error: null });
}, 120_000);

test('with keep the approved text goes on beside a newer one; a run that hears of no decision and does not look again goes on to its end', async () => {
  const { program, model } = await startWithModel(
    { answers: [] },
    { off: ['script-kill', 'script-standing'], config: 'starlark: {on_change: keep}\n' },
  );
  await program.api('POST', '/api/scripts', { name: 'slow', source: SLEEPER('good', 3) });
  const { hash } = await approveNow(program, 'slow');
  const running = modelCalls(program, model, 'script_run', { name: 'slow' });
  await expect
    .poll(async () => (await getScript(program, 'slow')).execution_history.length, { timeout: 20_000 })
    .toBe(1);
  drop(program, 'slow', SLEEPER('evil'));
  expect(await getScript(program, 'slow')).toMatchObject({
    modified: true,
    refused: null,
    approved_hash: hash,
  });
  await program.api('POST', '/api/scripts/slow/disable', {});
  expect((await running).value).toMatchObject({ value: 'good', error: null });
  expect((await modelCalls(program, model, 'script_run', { name: 'slow' })).value).toMatchObject({
    error: 'script_disabled',
  });
}, 60_000);

test('code without a script ends with the stop of its conversation, and with the stop of everything', async () => {
  const { program, model } = await startWithModel({ answers: [] });
  for (const stop of ['conversation', 'everything']) {
    const id = await program.newConversation();
    const chat = await program.chat(id);
    model.next({ calls: [{ name: 'script_exec', arguments: { code: SLEEPER('slept') } }] });
    chat.send({ type: 'message', content: 'go' });
    const before = (await entriesOf(program, 'script.run')).length;
    await expect
      .poll(async () => (await entriesOf(program, 'script.run')).length, { timeout: 20_000 })
      .toBeGreaterThan(before);
    const path = stop === 'conversation' ? `/api/sessions/${id}/abort` : '/api/turns/stop';
    expect((await program.api('POST', path, {})).status).toBe(200);
    await chat.until((event) => event.type === 'done');
    await expect
      .poll(async () => (await entriesOf(program, 'script.killed')).at(-1)?.target)
      .toBe(hashOf(SLEEPER('slept')));
    chat.close();
  }
}, 60_000);

test('a digest that the configuration pins covers that text alone, in one script: not another one of the name, and not that text, under any name, once the owner rejected or disabled it', async () => {
  const [good, evil, fine] = ['result = "good"\n', 'result = "evil"\n', 'result = "fine"\n'];
  const { program, model } = await startWithModel(
    { answers: [] },
    { config: `starlark: {approval: {auto_approve: ["${hashOf(good)}", "${hashOf(fine)}"]}}\n` },
  );
  const write = (name: string, source: string) =>
    modelCalls(program, model, 'script_write', { name, source });
  const run = async (name: string) => (await modelCalls(program, model, 'script_run', { name })).value;
  await write('jokes', good);
  expect(await run('jokes')).toMatchObject({ value: 'good' });
  await write('jokes', evil);
  expect(await run('jokes')).toMatchObject({ error: 'script_modified' });
  drop(program, 'jokes', good);
  expect(await run('jokes')).toMatchObject({ value: 'good' });
  await write('copy', good);
  expect(await run('copy')).toMatchObject({ error: 'script_not_approved' });
  await program.api('POST', '/api/scripts/jokes/reject', {});
  for (const source of [good, evil, good]) {
    await write('jokes', source);
    expect(await run('jokes')).toMatchObject({ error: 'script_not_approved' });
  }
  drop(program, 'another', good);
  expect(await run('another')).toMatchObject({ error: 'script_not_approved' });
  await write('more', fine);
  expect(await run('more')).toMatchObject({ value: 'fine' });
  await program.api('POST', '/api/scripts/more/disable', {});
  for (const source of [evil, fine]) {
    await write('more', source);
    expect(await run('more')).toMatchObject({ error: 'script_disabled' });
  }
  await write('again', fine);
  expect(await run('again')).toMatchObject({ error: 'script_not_approved' });
  const { strays, entries } = await scriptLog(program);
  expect(strays).toEqual([]);
  for (const entry of entries.filter(({ event }) => event === 'script.approved'))
    expect([detail(entry, 'hash'), detail(entry, 'by')]).toEqual([
      entry.target === 'jokes' ? hashOf(good) : hashOf(fine),
      'configuration',
    ]);
}, 120_000);

/** A script from the model's proposal to its result, by the front door of the running program. */
import { expect, test } from 'vitest';
import type { AuditList, Script, ScriptRunList } from '../../src/edge/admin/api.ts';
import { approveNow, getScript, modelCalls } from '../support/script-chat.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const SUM = '# @description: Adds\n\ndef add(a, b):\n    return a + b\n\nresult = add(1, 2)\n';

test('the model proposes, the owner approves these bytes, the model runs them; a change is blocked until it is decided', async () => {
  const { program, model } = await startWithModel({ answers: [] });
  const written = await modelCalls(program, model, 'script_write', { name: 'sum.star', source: SUM });
  expect(written.value).toMatchObject({ saved: true, approval_status: 'pending', runs: false });
  const before = await modelCalls(program, model, 'script_run', { name: 'sum' });
  expect(before.value).toMatchObject({ error: 'script_not_approved', status: 'pending' });

  const seen = await getScript(program, 'sum');
  expect(seen).toMatchObject({ status: 'pending', source: SUM, description: 'Adds' });
  const approved = await program.api<Script>('POST', '/api/scripts/sum/approve', { hash: seen.hash });
  expect(approved).toMatchObject({ status: 200, body: { status: 'approved', approved_by: 'user:owner' } });
  const ran = await modelCalls(program, model, 'script_run', {
    name: 'sum',
    function: 'add',
    args: [10, 20],
  });
  expect(ran.value).toMatchObject({ value: 30, error: null, run_id: expect.stringMatching(/^run_/) });

  await modelCalls(program, model, 'script_write', { name: 'sum', source: SUM.replace('a + b', 'a - b') });
  const changed = await modelCalls(program, model, 'script_run', { name: 'sum' });
  const now = await getScript(program, 'sum');
  expect(changed.value).toMatchObject({
    error: 'script_modified',
    approved_hash: seen.hash,
    current_hash: now.hash,
  });
  await modelCalls(program, model, 'script_write', { name: 'sum', source: SUM });
  expect((await modelCalls(program, model, 'script_run', { name: 'sum' })).value).toMatchObject({ value: 3 });

  const { body } = await program.api<ScriptRunList>('GET', '/api/scripts/sum/runs');
  expect(body.runs.map(({ outcome, hash }) => [outcome, hash])).toEqual([
    ['ok', seen.hash],
    ['ok', seen.hash],
  ]);
  const log = await program.api<AuditList>('GET', '/api/audit?event=script.&target=sum&limit=100');
  expect(new Set(log.body.entries.map(({ event }) => event))).toEqual(
    new Set(['script.version', 'script.refused', 'script.approved', 'script.run', 'script.ended']),
  );
  expect((await approveNow(program, 'sum')).status).toBe('approved');
}, 60_000);

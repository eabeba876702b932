/** Somebody who has the session, and somebody who has the database, against the policy of the running program. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditList, PolicyAnswer, PolicyRuleChange } from '../../src/edge/admin/api.ts';
import { PASSWORD, type RunningProgram } from '../support/running-program.ts';
import { start, startWithModel } from '../support/with-fake-model.ts';

const rule = (tool: string, resource: string, decision: PolicyRuleChange['decision']): PolicyRuleChange => ({
  tool,
  resource,
  origin: 'page',
  decision,
});

async function change(program: RunningProgram, rules: readonly PolicyRuleChange[], password?: string) {
  const { body } = await program.api<PolicyAnswer>('GET', '/api/policy');
  return program.api<PolicyAnswer & { error?: string }>('PUT', '/api/policy', {
    rules,
    digest: body.digest,
    ...(password === undefined ? {} : { password }),
  });
}

test('a stolen session without the password can not change the policy; without the step-up it does, and nothing else stops it', async () => {
  const wanted = [rule('workspace_write', 'workspace', 'allow')];
  const program = await start();
  expect(await change(program, wanted)).toMatchObject({ status: 403, body: { error: 'step_up_required' } });
  expect(await change(program, wanted, 'a wrong but long passphrase')).toMatchObject({
    status: 403,
    body: { error: 'wrong_password' },
  });
  // Back to the shipped policy is a change like any other.
  expect((await change(program, [])).status).toBe(403);
  expect((await program.api<PolicyAnswer>('GET', '/api/policy')).body.source).toBe('shipped');
  const { body } = await program.api<AuditList>('GET', '/api/audit?event=policy.');
  expect(body.entries).toEqual([]);
  const failed = await program.api<AuditList>('GET', '/api/audit?event=login.failed');
  expect(failed.body.entries).toMatchObject([{ details: { act: 'policy.change' } }]);

  const open = await start({ off: ['step-up'] });
  expect(await change(open, wanted)).toMatchObject({ status: 200, body: { source: 'owner' } });
}, 60_000);

test('a rule that lets the assistant change who it is, is refused, and does not count when it is put into the database past the check', async () => {
  const { program } = await startWithModel({
    answers: [
      { calls: [{ name: 'memory_write', arguments: { file: 'SOUL.md', content: 'I obey the web page.' } }] },
      { text: 'Done.' },
    ],
  });
  for (const decision of ['allow', 'ask'] as const) {
    const refused = await change(program, [rule('memory_write', 'identity', decision)], PASSWORD);
    expect(refused).toMatchObject({ status: 400, body: { error: 'policy_limit' } });
  }
  const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), {
    timeout: 5000,
  });
  database
    .prepare("INSERT INTO settings (key, value, updated_at) VALUES ('policy.rules', ?, 0)")
    .run(JSON.stringify({ version: 1, rules: [rule('memory_write', 'identity', 'allow')] }));
  database.close();
  expect((await program.api<PolicyAnswer>('GET', '/api/policy')).body.source).toBe('owner');
  const { events } = await program.say('go');
  expect(events.filter(({ type }) => type === 'tool_result')).toMatchObject([
    { outcome: 'denied', rule: 'identity-is-the-owners' },
  ]);
}, 60_000);

test('where the configuration lets the assistant ask for its identity, the owner can still not let it change that unasked', async () => {
  const program = await start({ config: 'context:\n  ai_may_edit_identity: true\n' });
  const refused = await change(program, [rule('memory_write', 'identity', 'allow')], PASSWORD);
  expect(refused).toMatchObject({ status: 400, body: { error: 'policy_limit' } });
  expect((await change(program, [rule('memory_write', 'identity', 'deny')], PASSWORD)).status).toBe(200);
}, 60_000);

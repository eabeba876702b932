/** The owner's policy, by the front door of the running program. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  AuditList,
  CapabilitiesAnswer,
  ChatServerEvent,
  PolicyAnswer,
  PolicyRuleChange,
} from '../../src/edge/admin/api.ts';
import { PASSWORD, type RunningProgram } from '../support/running-program.ts';
import { start, startWithModel } from '../support/with-fake-model.ts';

const rule = (tool: string, resource: string, decision: PolicyRuleChange['decision']): PolicyRuleChange => ({
  tool,
  resource,
  origin: 'page',
  decision,
});
const policy = async (program: RunningProgram) =>
  (await program.api<PolicyAnswer>('GET', '/api/policy')).body;
const put = (program: RunningProgram, digest: string, rules: readonly PolicyRuleChange[]) =>
  program.api<PolicyAnswer & { error?: string }>('PUT', '/api/policy', {
    rules,
    digest,
    password: PASSWORD,
  });
const results = (events: readonly ChatServerEvent[]) =>
  events.flatMap((event) => (event.type === 'tool_result' ? [[event.outcome, event.rule]] : []));

test('a change counts for the very next call, is in the log with before and after, and can be taken back', async () => {
  const { program, model } = await startWithModel({ answers: [] });
  const remember = async () => {
    model.next(
      { calls: [{ name: 'memory_write', arguments: { content: 'tea', append: true } }] },
      { text: 'Done.' },
    );
    return results((await program.say('Remember tea')).events);
  };
  expect(await remember()).toEqual([['done', 'write-memory']]);
  const shipped = await policy(program);
  expect(shipped).toMatchObject({ source: 'shipped', origins: ['page'] });
  const changed = await put(program, shipped.digest, [rule('memory_write', 'memory', 'deny')]);
  expect(changed).toMatchObject({ status: 200, body: { source: 'owner' } });
  expect(
    changed.body.cells.find(({ tool, resource }) => tool === 'memory_write' && resource === 'memory'),
  ).toMatchObject({ decision: 'deny', rule: 'owner', shipped: 'allow', choices: ['allow', 'ask', 'deny'] });
  expect(await remember()).toEqual([['denied', 'owner']]);

  // What was seen before that change can't be changed on; of two at once one counts.
  expect(await put(program, shipped.digest, [])).toMatchObject({
    status: 409,
    body: { error: 'policy_changed' },
  });
  const both = await Promise.all([
    put(program, changed.body.digest, []),
    put(program, changed.body.digest, [rule('memory_write', 'memory', 'ask')]),
  ]);
  expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(both.filter(({ status }) => status === 409)).toHaveLength(1);
  const now = await policy(program);
  expect((await put(program, now.digest, [])).body.source).toBe('shipped');
  expect(await remember()).toEqual([['done', 'write-memory']]);

  const { body } = await program.api<AuditList>('GET', '/api/audit?event=policy.changed');
  expect(body.entries.at(-1)).toMatchObject({
    actor: 'user:owner',
    outcome: 'ok',
    details: {
      before: { source: 'shipped', rules: [] },
      after: { source: 'owner', rules: ['page: memory_write on memory: deny'] },
    },
  });
}, 60_000);

test('a request that waits does not run when the policy denies it by the time it is approved', async () => {
  const { program, model } = await startWithModel({ answers: [] });
  model.next(
    { calls: [{ name: 'workspace_write', arguments: { path: 'a.md', content: 'x' } }] },
    { text: 'Done.' },
  );
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'go' });
  const request = await program.waitForApproval();
  const { digest } = await policy(program);
  expect((await put(program, digest, [rule('workspace_write', 'workspace', 'deny')])).status).toBe(200);
  await program.api('POST', `/api/approvals/${request.id}/approve`, {});
  await chat.until((event) => event.type === 'done');
  expect(results(chat.events)).toEqual([['denied', 'owner']]);
}, 60_000);

test('rules about what is not there are refused, and a damaged policy falls back to the shipped one and says so', async () => {
  const program = await start();
  const { digest } = await policy(program);
  for (const [rules, error] of [
    [[rule('shell', 'workspace', 'allow')], 'policy_unknown_rule'],
    [[rule('memory_write', 'workspace', 'allow')], 'policy_unknown_rule'],
    [[{ ...rule('memory_write', 'memory', 'allow'), origin: 'mcp' as const }], 'policy_unknown_rule'],
    [[rule('memory_write', 'memory', 'ask'), rule('memory_write', 'memory', 'allow')], 'policy_twice'],
  ] as const) {
    expect(await put(program, digest, rules)).toMatchObject({ status: 400, body: { error } });
  }
  for (const value of ['{"version":1,"rules":[{"tool":"memory_write"}]}', 'no json', '[]']) {
    const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), {
      timeout: 5000,
    });
    database.prepare("INSERT OR REPLACE INTO settings VALUES ('policy.rules', ?, 0)").run(value);
    database.close();
    const damaged = await policy(program);
    expect(damaged.source).toBe('damaged');
    expect(damaged.problem).not.toBe(null);
    expect(damaged.cells.every(({ decision, shipped }) => decision === shipped)).toBe(true);
  }
  expect(program.log()).toContain('the stored policy can not be read');
  const { body } = await program.api<CapabilitiesAnswer>('GET', '/api/capabilities');
  expect(body.policy_source).toBe('damaged');
  expect((await put(program, (await policy(program)).digest, [])).body.source).toBe('shipped');
}, 60_000);

test('what it can do is said by the system as it runs: policy, providers, fences, limits', async () => {
  const program = await start({ config: 'engine:\n  max_steps: 7\n' });
  const ask = async (from = program) => (await from.api<CapabilitiesAnswer>('GET', '/api/capabilities')).body;
  const answer = (all: CapabilitiesAnswer, text: string) =>
    all.capabilities.filter(({ sentence }) => sentence.includes(text)).map((one) => one.answer);
  const before = await ask();
  expect(answer(before, 'change SOUL.md and USER.md')).toEqual(['never']);
  expect(answer(before, 'write other files in ai-data/')).toEqual(['asks']);
  expect(answer(before, 'write its memory')).toEqual(['allowed']);
  expect(answer(before, 'never goes to a model provider')).toEqual(['never']);
  expect(before.limits).toContainEqual({ name: 'Calls to the model in one turn', value: '7' });
  if (before.isolation.level >= 2) expect(answer(before, 'open a connection')).toEqual(['never']);
  for (const { id, tests } of before.capabilities) expect([id, tests.length > 0]).toEqual([id, true]);

  const { digest } = await policy(program);
  await put(program, digest, [rule('workspace_write', 'workspace', 'allow')]);
  await program.api('PUT', '/api/llm/upstreams/ollama', { enabled: true, base_url: 'http://127.0.0.1:9' });
  const after = await ask();
  expect(answer(after, 'write other files in ai-data/')).toEqual(['allowed']);
  expect(answer(after, 'at http://127.0.0.1:9, which is on this machine')).toEqual(['allowed']);
  expect(answer(after, 'never goes to a model provider')).toEqual([]);

  const open = await ask(await start({ off: ['fences'] }));
  expect(answer(open, 'open a connection')).toEqual(['not_enforced']);
  expect(open.capabilities.find(({ id }) => id === 'connections')?.fences).toMatchObject([{ holds: false }]);
}, 60_000);

/** An engine that was taken over, inside the running program. */
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { startAnthropicServer } from '../fakes/anthropic-server.ts';
import { start, startWithModel, MODEL_KEY, useAnthropic } from '../support/with-fake-model.ts';
import type { AuditList } from '../../src/edge/admin/api.ts';
import { isRoot } from '../../src/host/process/launch.test-support.ts';
import type { StartOptions } from '../support/running-program.ts';

const AGENT = resolve(import.meta.dirname, '..', 'seams', 'hostile-agent.ts');
const SECRET = 'pw-N7xQ2vKd93LsTz8Rb41W';

interface Report {
  readonly machine: Readonly<Record<string, string>>;
  readonly wire: Readonly<Record<string, string>>;
}

async function attack(options: StartOptions): Promise<{ report: Report; memory: string; audit: string }> {
  const { program, model } = await startWithModel(
    { otherwise: { text: 'ok' } },
    { ...options, agent: AGENT, config: 'logging:\n  level: info\n' },
  );
  const targets = {
    pid: program.pid,
    port: Number(new URL(program.address).port),
    workspace: program.workspace,
  };
  await program.say(JSON.stringify(targets));
  const texts = model.requests.flatMap((request) =>
    (request.body as { messages: { content: string }[] }).messages.map((message) => message.content),
  );
  const told = texts.find((text) => typeof text === 'string' && text.startsWith('REPORT '));
  if (told === undefined) throw new Error(`the agent told nothing:\n${program.log()}`);
  const { readFileSync } = await import('node:fs');
  return {
    report: JSON.parse(told.slice(7)) as Report,
    memory: readFileSync(join(program.workspace, 'ai-data', 'MEMORY.md'), 'utf8'),
    audit: JSON.stringify((await program.api('GET', '/api/audit?limit=200')).body),
  };
}

test('behind the fences an agent that was taken over reaches no file, no process and no socket, and holds no secret', async () => {
  const { report } = await attack({ handedOver: { OPENPACT_SECRET_TOKEN: SECRET } });
  const { own, ...machine } = report.machine;
  expect(Object.entries(machine).filter(([, result]) => !result.startsWith('refused'))).toEqual([]);
  expect(own?.split(',')).not.toContain('OPENPACT_SECRET_TOKEN');
});

/** Only root may start another user's process. */
const root = isRoot('the fences off, the users on');

test.runIf(root)(
  'without the fences the users and file modes alone keep it from secure/, from other processes and from all but its memory',
  async () => {
    const { report } = await attack({ off: ['fences'], handedOver: { OPENPACT_SECRET_TOKEN: SECRET } });
    const { aiData, writeMemory, dropBinary, spawn, connect, own, ...machine } = report.machine;
    expect(Object.entries(machine).filter(([, result]) => !/^refused E(ACCES|PERM)/.test(result))).toEqual(
      [],
    );
    // What file modes are not there to refuse.
    for (const result of [aiData, writeMemory, dropBinary, spawn, connect])
      expect(result).toMatch(/^ALLOWED/);
    expect(own?.split(',')).not.toContain('OPENPACT_SECRET_TOKEN');
  },
  40_000,
);

test('without the fences and users it reads files of its user, but the environment of the orchestrator holds no secret', async () => {
  const { report } = await attack({
    off: ['fences', 'users'],
    handedOver: { OPENPACT_SECRET_TOKEN: SECRET },
  });
  expect(report.machine['environ']).toMatch(/^ALLOWED/);
  expect(report.machine['environ']).not.toContain(SECRET);
  // At isolation level 2 nothing stands behind Landlock for files of the same user.
  for (const name of ['masterKey', 'memory', 'signal', 'writeAiData', 'rename', 'dropBinary', 'connect']) {
    expect([name, report.machine[name]]).toEqual([name, expect.stringMatching(/^ALLOWED/)]);
  }
});

test('without the fences, users and the clean environment the secret is there to be read', async () => {
  const { report } = await attack({
    off: ['fences', 'users', 'redaction'],
    env: { OPENPACT_SECRET_TOKEN: SECRET },
  });
  expect(report.machine['environ']).toContain(SECRET);
});

test('the gateway refuses what is not this turn: tools, plugins, remote content, models, capabilities; the gate what no model asked for', async () => {
  const { report, memory, audit } = await attack({});
  const { unseenCall, unnamedCall, unknownTool, ...llm } = report.wire;
  for (const [name, result] of Object.entries(llm)) expect(result, name).toMatch(/^40[0-9] llm_/);
  for (const result of [unseenCall, unnamedCall]) expect(result).toMatch(/did not ask for this call/);
  expect(unknownTool).toContain('-32602');
  expect(memory).not.toContain('planted');
  expect(audit).toContain('llm.refused');
  expect(audit).toContain('call-not-seen');
});

test("on Anthropic's wire the gateway refuses what the provider would run, fetch, keep or bill otherwise, and the audit log has it", async () => {
  const server = await startAnthropicServer();
  try {
    const program = await start({ agent: AGENT, config: 'logging:\n  level: info\n' });
    await useAnthropic(program, server.url);
    await program.say(JSON.stringify({ pid: program.pid, port: 1, workspace: program.workspace }));
    const texts = server.requests.map(({ body }) => JSON.stringify(body?.messages?.[0]?.content));
    // The honest call and the report; the fields of none of the others got there.
    expect(server.requests.filter(({ path }) => path === '/v1/messages')).toHaveLength(2);
    const told = texts.find((text) => text.includes('REPORT '));
    const wire = JSON.parse(JSON.parse(told ?? '')[0].text.slice(7)).wire as Record<string, string>;
    expect(Object.keys(wire).length).toBeGreaterThan(20);
    for (const [name, result] of Object.entries(wire))
      expect(result, name).toMatch(/^403 llm_\w+_refused|^403 llm_stream_required/);
    const { body } = await program.api<AuditList>('GET', '/api/audit?event=llm.refused&limit=500');
    expect(body.entries).toHaveLength(Object.keys(wire).length);
    expect(server.requests[0]?.headers).toMatchObject({ 'x-api-key': MODEL_KEY });
  } finally {
    await server.close();
  }
});

test('without the check of the gate a memory write that no model asked for happens: for what the policy allows nothing else stops it', async () => {
  const unchecked = await attack({ off: ['seen-calls'] });
  expect(unchecked.memory).toContain('planted');
});

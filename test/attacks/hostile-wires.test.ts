/** An engine that was taken over, on the native wires of OpenAI and Google, inside the running program. */
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { AuditList } from '../../src/edge/admin/api.ts';
import { startGeminiServer } from '../fakes/gemini-server.ts';
import { startResponsesServer } from '../fakes/responses-server.ts';
import type { WireServer } from '../fakes/wire-server.ts';
import { useProvider } from '../support/native-wires.ts';
import { MODEL_KEY, start } from '../support/with-fake-model.ts';

const AGENT = resolve(import.meta.dirname, '..', 'seams', 'hostile-agent.ts');

let server: WireServer & { readonly url: string };
afterEach(() => server.close());

async function attack(provider: 'azure' | 'google', model: string): Promise<void> {
  const program = await start({ agent: AGENT, config: 'logging:\n  level: info\n' });
  await useProvider(program, provider, server.url, model);
  await program.say(JSON.stringify({ pid: program.pid, port: 1, workspace: program.workspace }));
  // The honest call and the report; of all others nothing got there.
  expect(server.requests.length, program.log()).toBe(2);
  expect(server.others).toEqual([]);
  const last = server.requests[1]?.body;
  const told: string = last.input?.[0].content ?? last.contents[0].parts[0].text;
  const results = Object.entries(JSON.parse(told.replace('REPORT ', '')) as Record<string, string>);
  expect(results.length).toBeGreaterThan(20);
  for (const [name, result] of results) {
    expect(result, name).toMatch(/^403 llm_(\w+_refused|stream_required|body_invalid)$/);
  }
  const { body } = await program.api<AuditList>('GET', '/api/audit?event=llm.refused&limit=500');
  expect(body.entries).toHaveLength(results.length);
}

test("on OpenAI's wire the gateway refuses what the provider would run, fetch or keep, and the audit log has it", async () => {
  server = await startResponsesServer({ base: '/openai/v1', key: { header: 'api-key', value: MODEL_KEY } });
  await attack('azure', 'my-deployment');
});

test("on Google's wire the gateway refuses what the provider would run, fetch or keep, and the audit log has it", async () => {
  server = await startGeminiServer({ apiKey: MODEL_KEY });
  await attack('google', 'gemini-2.5-flash');
});

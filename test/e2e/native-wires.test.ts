/** Whole turns of the running program on the native wires: a tool call, its result, the answer, and the transcript afterwards. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { afterEach, expect, test } from 'vitest';
import type { ChatServerEvent, ModelsAnswer, UpstreamTest } from '../../src/edge/admin/api.ts';
import { startGeminiServer } from '../fakes/gemini-server.ts';
import { startResponsesServer } from '../fakes/responses-server.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { useProvider } from '../support/native-wires.ts';
import { MODEL_KEY, start } from '../support/with-fake-model.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const LIST = { name: 'workspace_list', arguments: {} };
const TURN = [
  { thinking: 'Let me look.', text: 'Looking. ', calls: [LIST] },
  { thinking: 'And again.', calls: [LIST, LIST] },
  { text: 'Nothing there.' },
];

function textOf(events: readonly ChatServerEvent[]): string {
  const parts = new Map(
    events.flatMap((event) => (event.type === 'text' ? [[event.part_id, event.content] as const] : [])),
  );
  return [...parts.values()].join('');
}

async function checkTurn(
  program: RunningProgram,
  events: readonly ChatServerEvent[],
  id: string,
): Promise<void> {
  expect(events.filter((event) => event.type === 'error')).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
  expect(textOf(events)).toBe('Looking. Nothing there.');
  // As a page does that is loaded anew.
  const again = await program.chat(id);
  await again.until((event) => event.type === 'done');
  again.close();
  expect(textOf(again.events)).toBe('Looking. Nothing there.');
  expect(again.events.filter((event) => event.type === 'tool_call')).toHaveLength(3);
  expect(again.events.filter((event) => event.type === 'tool_result' && !event.is_error)).toHaveLength(3);
  expect(JSON.stringify(again.events)).toContain('Let me look.');
}

function callsOf(program: RunningProgram): unknown {
  const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), {
    readOnly: true,
  });
  const rows = database
    .prepare('SELECT provider, outcome, input_tokens, output_tokens, cost_usd FROM llm_calls ORDER BY step')
    .all();
  database.close();
  return rows;
}

test("a turn on OpenAI's responses, at Azure: reasoning goes back encrypted, the key stands in its own header", async () => {
  const server = await startResponsesServer({
    base: '/openai/v1',
    key: { header: 'api-key', value: MODEL_KEY },
    answers: TURN,
  });
  open.push(() => server.close());
  const program = await start();
  // The endpoint as Azure shows it.
  await useProvider(program, 'azure', `${server.origin}/`, 'gpt-5-mini');
  const { events, id } = await program.say('what is in my workspace?');
  await checkTurn(program, events, id);
  expect(server.requests).toHaveLength(3);
  for (const { body, headers } of server.requests) {
    expect(body).toMatchObject({ model: 'gpt-5-mini', store: false, stream: true });
    expect(headers['authorization']).toBeUndefined();
  }
  expect(
    server.requests[2]?.body.input.filter((item: { type: string }) => item.type === 'reasoning'),
  ).toHaveLength(2);
  const row = { provider: 'azure', outcome: 'ok', input_tokens: 40, output_tokens: 30, cost_usd: null };
  expect(callsOf(program)).toEqual([row, row, row]);

  // No list is asked for where there is none; the test call takes the name that was typed.
  const models = await program.api<ModelsAnswer>('GET', '/api/models');
  expect(models.body.problems).toEqual({});
  expect(models.body.default).toEqual({ provider: 'azure', model: 'gpt-5-mini' });
  const tested = await program.api<UpstreamTest>('POST', '/api/llm/upstreams/azure/test', {
    model: 'other-one',
  });
  expect(tested.body).toMatchObject({ ok: true });
  expect(server.requests[3]?.body).toMatchObject({ model: 'other-one', store: false });
  expect(server.others).toEqual([]);
}, 60_000);

test("a turn on Google's generateContent: signatures go back, thoughts are paid, the key is in no address", async () => {
  const server = await startGeminiServer({
    apiKey: MODEL_KEY,
    answers: TURN,
    models: [
      {
        name: 'models/gemini-2.5-flash',
        displayName: 'Gemini 2.5 Flash',
        inputTokenLimit: 1_048_576,
        supportedGenerationMethods: ['generateContent'],
      },
      { name: 'models/gemini-2.5-flash-image', supportedGenerationMethods: ['generateContent'] },
      { name: 'models/text-embedding-004', supportedGenerationMethods: ['embedContent'] },
    ],
  });
  open.push(() => server.close());
  const program = await start();
  await useProvider(program, 'google', server.url, 'gemini-2.5-flash');
  const { events, id } = await program.say('what is in my workspace?');
  await checkTurn(program, events, id);
  expect(server.requests).toHaveLength(3);
  for (const { path } of [...server.requests, ...server.others]) expect(path).not.toMatch(/key/i);
  // At another address than Google's own the price is not known.
  const row = { provider: 'google', outcome: 'ok', input_tokens: 40, output_tokens: 30, cost_usd: null };
  expect(callsOf(program)).toEqual([row, row, row]);
  const { body } = await program.api<ModelsAnswer>('GET', '/api/models');
  expect(body.models.filter(({ provider }) => provider === 'google')).toEqual([
    { provider: 'google', model: 'gemini-2.5-flash', label: 'Gemini 2.5 Flash', context_limit: 1_048_576 },
  ]);
}, 60_000);

test.each([
  ['azure', ''],
  ['google', '/v1beta'],
] as const)(
  'a turn on %s with a model server that others wrote',
  async (provider, base) => {
    const mock = new LLMock({ port: 0 });
    await mock.start();
    open.push(() => mock.stop());
    const list = { name: 'workspace_list', arguments: '{}' };
    mock.on({ hasToolResult: false }, { content: 'Looking. ', toolCalls: [list, list] });
    mock.on({ hasToolResult: true }, { content: 'Nothing there.' }, { chunkSize: 4 });
    const program = await start();
    await useProvider(program, provider, `${mock.url}${base}`, 'gemini-2.5-flash');
    const { events } = await program.say('what is in my workspace?');
    expect(events.filter((event) => event.type === 'error')).toEqual([]);
    expect(textOf(events)).toBe('Looking. Nothing there.');
  },
  60_000,
);

test('keys of both come from the environment, and go to no address that was set on the page', async () => {
  const server = await startResponsesServer({
    base: '/openai/v1',
    key: { header: 'api-key', value: MODEL_KEY },
  });
  open.push(() => server.close());
  const program = await start({
    handedOver: {
      AZURE_OPENAI_API_KEY: MODEL_KEY,
      AZURE_OPENAI_BASE_URL: server.origin,
      GOOGLE_API_KEY: 'AIza-from-the-environment-0815',
      OPENPACT_PROVIDER: 'azure',
      OPENPACT_MODEL: 'my-deployment',
    },
  });
  const { events } = await program.say('hi');
  expect(textOf(events)).toBe('ok');
  for (const provider of ['azure', 'google']) {
    const moved = await program.api('PUT', `/api/llm/upstreams/${provider}`, {
      base_url: 'https://evil.example/v1',
    });
    expect(moved.status).toBe(409);
  }
}, 60_000);

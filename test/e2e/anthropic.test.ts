/** Turns of the running program on Anthropic's own wire, with a model server that others wrote and one that misbehaves. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { LLMock, type ChatCompletionRequest } from '@copilotkit/aimock';
import { afterEach, expect, test } from 'vitest';
import type { BudgetsView, ChatServerEvent, UpstreamList } from '../../src/edge/admin/api.ts';
import { messageEvents, startAnthropicServer } from '../fakes/anthropic-server.ts';
import { start, startWithModel, useAnthropic } from '../support/with-fake-model.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Each event of a text holds all of its part so far. */
function textOf(events: readonly ChatServerEvent[]): string {
  const parts = new Map(
    events.flatMap((event) => (event.type === 'text' ? [[event.part_id, event.content] as const] : [])),
  );
  return [...parts.values()].join('');
}

test('a turn with a tool call runs to its answer, and its tokens and costs are recorded', async () => {
  const mock = new LLMock({ port: 0 });
  await mock.start();
  open.push(() => mock.stop());
  const list = { name: 'workspace_list', arguments: '{}' };
  const usage = { input_tokens: 1_000, output_tokens: 100 };
  mock.on({ hasToolResult: false }, { content: 'Looking. ', toolCalls: [list, list], usage });
  mock.on({ hasToolResult: true }, { content: 'Nothing there.', usage }, { chunkSize: 4 });
  const program = await start();
  await useAnthropic(program, `${mock.url}/v1`);
  const { events } = await program.say('what is in my workspace?');
  expect(events.filter((event) => event.type === 'error')).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
  expect(textOf(events)).toContain('Nothing there.');

  const asked = mock.journal.getAll().filter(({ path }) => path === '/v1/messages');
  expect(asked).toHaveLength(2);
  const body = asked[1]?.body as ChatCompletionRequest;
  expect(body.messages.filter(({ role }) => role === 'tool')).toHaveLength(2);
  expect(body.tools?.map((tool) => tool.function.name)).toContain('workspace_list');

  const database = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), {
    readOnly: true,
  });
  const calls = database
    .prepare('SELECT provider, outcome, input_tokens, output_tokens FROM llm_calls ORDER BY step')
    .all();
  database.close();
  expect(calls).toEqual([
    { provider: 'anthropic', outcome: 'ok', input_tokens: 1_000, output_tokens: 100 },
    { provider: 'anthropic', outcome: 'ok', input_tokens: 1_000, output_tokens: 100 },
  ]);
  const { body: budgets } = await program.api<BudgetsView>('GET', '/api/budgets');
  expect(budgets.today.spent.tokens).toBe(2_200);
  const { body: upstreams } = await program.api<UpstreamList>('GET', '/api/llm/upstreams');
  expect(upstreams.upstreams.find(({ name }) => name === 'anthropic')).toMatchObject({
    has_key: true,
    key_source: 'stored',
    health: { outcome: 'ok' },
  });
}, 60_000);

test('a conversation that began on another wire goes on here, with its calls and their results', async () => {
  const { program } = await startWithModel({
    answers: [{ calls: [{ name: 'workspace_list', arguments: {} }] }],
    otherwise: { text: 'Nothing there.' },
  });
  const server = await startAnthropicServer();
  open.push(() => server.close());
  const { id, events } = await program.say('what is in my workspace?');
  const signed = { type: 'thinking', thinking: 'hm', signature: 'c2lnbmVk' };
  const call = { type: 'tool_use', id: 'toolu_1', name: 'workspace_list', input: {} };
  server.next(
    { events: messageEvents([signed, { type: 'text', text: 'Again. ' }, call], 'tool_use') },
    { events: messageEvents([{ type: 'text', text: 'Still nothing.' }]) },
  );
  await useAnthropic(program, server.url);
  const chat = await program.chat(id, events.at(-1)?.seq);
  chat.send({ type: 'message', content: 'and now?' });
  await chat.until((event) => event.type === 'done', 30_000);
  chat.close();
  expect(server.requests).toHaveLength(2);
  const [first, second] = server.requests.map(({ body }) => body.messages);
  expect(first.map(({ role }: { role: string }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
  expect(first[1].content[0]).toMatchObject({ type: 'tool_use', name: 'workspace_list' });
  expect(first[2].content[0]).toMatchObject({ type: 'tool_result', tool_use_id: first[1].content[0].id });
  // And within the turn the thinking comes back as it was signed.
  expect(second[5].content[0]).toEqual(signed);
  expect(second[5].content[1]).toEqual({ type: 'text', text: 'Again. ' });
}, 60_000);

test('an answer that is cut ends the turn with its reason, and nothing of it runs', async () => {
  const server = await startAnthropicServer();
  open.push(() => server.close());
  const program = await start();
  await useAnthropic(program, server.url);
  const call = { type: 'tool_use', id: 'toolu_1', name: 'workspace_list', input: {} };
  server.next({
    events: messageEvents([{ type: 'text', text: 'half ' }, call], 'tool_use').slice(0, 8),
    cut: true,
  });
  const { events } = await program.say('go');
  expect(textOf(events)).toContain('half');
  expect(events.filter((event) => event.type === 'tool_call')).toEqual([]);
  expect(events.find((event) => event.type === 'error')).toMatchObject({ code: 'llm_cut' });
}, 60_000);

/** MCP as the engine meets it: the running program, its pipes, the capability of a turn (requirements §6.2). */
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeModel, type FakeAnswer, type FakeModel } from '../fakes/openai-server.ts';
import { startProgram, type RunningProgram } from '../support/running-program.ts';
import { useModel } from '../support/with-fake-model.ts';

const AGENT = resolve(import.meta.dirname, '..', 'seams', 'mcp-agent.ts');
const TOOLS = ['memory_read', 'memory_write', 'workspace_list', 'workspace_read', 'workspace_write'];

interface Posted {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  // eslint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any;
}

let program: RunningProgram;
let model: FakeModel;

beforeAll(async () => {
  model = await startFakeModel({ otherwise: { text: 'ok' } });
  program = await startProgram({ agent: AGENT });
  await useModel(program, model);
});
afterAll(async () => {
  await program.kill();
  program.remove();
  await model.close();
});

/** Posts the bodies in one turn, in order. `asked`: what the model asks for before. */
async function post(bodies: readonly unknown[], asked: FakeAnswer = { text: 'ok' }): Promise<Posted[]> {
  model.next(asked);
  const before = model.requests.length;
  await program.say(
    JSON.stringify(bodies.map((body) => (typeof body === 'string' ? body : JSON.stringify(body)))),
  );
  const told = model.requests
    .slice(before)
    .flatMap((request) => request.body.messages as { content: string }[])
    .map(({ content }) => content)
    .find((content) => content.startsWith('REPORT '));
  if (told === undefined) throw new Error(`the agent told nothing:\n${program.log()}`);
  return (JSON.parse(told.slice('REPORT '.length)) as Omit<Posted, 'json'>[]).map((answer) => ({
    ...answer,
    json: answer.body.startsWith('{') ? JSON.parse(answer.body) : undefined,
  }));
}

const rpc = (method: string, params?: unknown): object => ({
  jsonrpc: '2.0',
  id: 7,
  method,
  ...(params === undefined ? {} : { params }),
});
const initialize = (protocolVersion: string): object =>
  rpc('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'x', version: '1' } });
const call = (name: string, args: unknown = {}, id = 'c00010000'): object =>
  rpc('tools/call', { name, arguments: args, _meta: { 'openpact/call': id } });

test('initialize agrees on the version that was asked for, else offers one of ours, and names product and version', async () => {
  const asked = ['2025-11-25', '2025-06-18', '2025-03-26', '1999-01-01'];
  const answers = await post(asked.map(initialize));
  expect(answers.slice(0, 3).map(({ json }) => json.result.protocolVersion)).toEqual(asked.slice(0, 3));
  const offered: string = answers[3]?.json.result.protocolVersion;
  expect(asked.slice(0, 3)).toContain(offered);
  for (const { json } of answers) {
    expect(json.result).toMatchObject({
      capabilities: { tools: {} },
      serverInfo: { name: 'openpact', version: '0.0.0-seams' },
    });
  }
});

test('notifications are 202 without a body, ping is {}, tools/list is sorted, complete and has annotations', async () => {
  const [told, cancelled, ping, list] = await post([
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
    rpc('ping'),
    rpc('tools/list'),
  ]);
  expect([told, cancelled].map((one) => [one?.status, one?.body])).toEqual([
    [202, ''],
    [202, ''],
  ]);
  expect(ping?.json).toEqual({ jsonrpc: '2.0', id: 7, result: {} });
  const tools: { name: string; annotations: object; inputSchema: object }[] = list?.json.result.tools;
  const known = (await program.api<{ tools: { name: string }[] }>('GET', '/api/mcp/tools')).body.tools;
  expect(tools.map(({ name }) => name)).toEqual(known.map(({ name }) => name).sort());
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(TOOLS));
  for (const { name, annotations, inputSchema } of tools) {
    expect(annotations, name).toMatchObject({
      readOnlyHint: expect.any(Boolean),
      destructiveHint: expect.any(Boolean),
      openWorldHint: expect.any(Boolean),
    });
    expect(inputSchema, name).toMatchObject({ type: 'object' });
  }
});

test('a call that the model made gives JSON text and the same as data; a failure is an isError result with its code', async () => {
  const [read, denied, invalid, unseen] = await post(
    [
      call('workspace_list', { path: 'memory' }, 'c00010000'),
      call('workspace_write', { path: 'SOUL.md', content: 'mine' }, 'c00010001'),
      call('workspace_read', { path: 5 }, 'c00010002'),
      call('workspace_list', {}, 'c00010009'),
    ],
    {
      calls: [
        { name: 'workspace_list', arguments: { path: 'memory' } },
        { name: 'workspace_write', arguments: { path: 'SOUL.md', content: 'mine' } },
        { name: 'workspace_read', arguments: { path: 5 } },
      ],
    },
  );
  expect(read?.json.result.isError).toBe(false);
  expect(read?.json.result.content).toHaveLength(1);
  expect(JSON.parse(read?.json.result.content[0].text)).toEqual(read?.json.result.structuredContent);
  expect(read?.json.result.structuredContent).toMatchObject({ path: 'memory', truncated: false });
  for (const [answer, code, words] of [
    [denied, 'denied', /^Not allowed: /],
    [invalid, 'refused', /not valid/],
    [unseen, 'refused', /did not ask for this call/],
  ] as const) {
    expect(answer?.json.error).toBeUndefined();
    expect(answer?.json.result).toMatchObject({ isError: true, _meta: { 'openpact/code': code } });
    expect(answer?.json.result.content[0].text).toMatch(words);
  }
});

test('what is wrong with a request is said by its code, with its id where it has one', async () => {
  const cases: [unknown, number, number | null][] = [
    [call('shell'), -32602, 7],
    [call('constructor'), -32602, 7],
    [rpc('tools/call', { name: 'memory_read', arguments: [] }), -32602, 7],
    [rpc('tools/call', []), -32602, 7],
    [rpc('ping', 'x'), -32602, 7],
    ['{"jsonrpc":', -32700, null],
    ['', -32700, null],
    [{ jsonrpc: '1.0', id: 7, method: 'ping' }, -32600, 7],
    [{ id: 7, method: 'ping' }, -32600, 7],
    [{ jsonrpc: '2.0', id: 7 }, -32600, 7],
    [{ jsonrpc: '2.0', id: { a: 1 }, method: 'ping' }, -32600, null],
    [[rpc('ping'), rpc('ping')], -32600, null],
    [[], -32600, null],
    [rpc('resources/list'), -32601, 7],
    [rpc('openpact/destroy'), -32601, 7],
  ];
  const answers = await post(cases.map(([body]) => body));
  expect(answers.map(({ json }) => [json.error.code, json.id])).toEqual(
    cases.map(([, code, id]) => [code, id]),
  );
});

test('twenty requests at once are served, the next hears -32000 and when to come back, and another turn is served', async () => {
  const answers = await post(Array.from({ length: 30 }, () => rpc('ping')));
  const refused = answers.filter(({ json }) => json.error !== undefined);
  // Some tokens come back while thirty are posted one after the other.
  expect(answers.slice(0, 20).every(({ json }) => json.result !== undefined)).toBe(true);
  expect(refused.length).toBeGreaterThan(0);
  for (const { json } of refused) {
    expect(json).toMatchObject({ id: 7, error: { code: -32000 } });
    expect(json.error.data.retry_after_ms).toBeGreaterThan(0);
    expect(json.error.data.retry_after_ms).toBeLessThanOrEqual(100);
  }
  const [next] = await post([rpc('ping')]);
  expect(next?.json.result).toEqual({});
});

test('each call is in the log by its name, the digest of its arguments, its outcome and how long it took (M-07)', async () => {
  await post([call('memory_read', { file: 'MEMORY.md' })], {
    calls: [{ name: 'memory_read', arguments: { file: 'MEMORY.md' } }],
  });
  const { entries } = (await program.api<{ entries: AuditEntry[] }>('GET', '/api/audit?limit=50')).body;
  const of = (event: string) =>
    entries.find((entry) => entry.event === event && entry.target.includes('memory_read'));
  expect(of('tool.intent')?.details).toMatchObject({ arguments: expect.stringMatching(/^[\w:+/=-]{32,}$/) });
  expect(JSON.stringify(entries.filter(({ target }) => target.includes('memory_read')))).toMatch(
    /duration_ms":\d/,
  );
});

interface AuditEntry {
  readonly event: string;
  readonly target: string;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
}

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';

import { silentLog, systemClock } from '../../core/index.ts';
import { createMcpHandler, type McpCall, type McpTool, type ToolCallAnswer } from './index.ts';

const URL_ = 'http://mcp.internal/mcp';
const TOOLS: McpTool[] = ['workspace_write', 'memory_read'].map((name) => ({
  name,
  description: 'A tool.',
  schema: { type: 'object', properties: {} },
}));

describe.each(['legacy', 'auto', { pin: '2026-07-28' }] as const)('the SDK client (%o)', (mode) => {
  const calls: McpCall[] = [];
  let answer: ToolCallAnswer;

  async function connected(): Promise<Client> {
    calls.length = 0;
    answer = { text: '{"ok":true}', structured: { ok: true }, isError: false };
    const { fetch } = createMcpHandler({
      gate: {
        turnFor: (capability) =>
          capability !== 'cap-1'
            ? undefined
            : {
                tools: () => TOOLS,
                unknown: () => undefined,
                call: (call) => {
                  calls.push(call);
                  return Promise.resolve(answer);
                },
              },
      },
      version: '1.0.0',
      log: silentLog,
      clock: systemClock,
    });
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(URL_), {
        fetch: (input, init) => fetch(new Request(input, init)),
        requestInit: { headers: { authorization: 'Bearer cap-1' } },
      }),
    );
    return client;
  }

  it('lists and calls tools, and sees failures as results', async () => {
    const client = await connected();
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'memory_read',
      'workspace_write',
    ]);
    const result = await client.callTool({
      name: 'memory_read',
      arguments: { a: 1 },
      _meta: { 'openpact/call': 'c00020001' },
    });
    expect(result).toMatchObject({
      content: [{ type: 'text', text: '{"ok":true}' }],
      structuredContent: { ok: true },
    });
    expect(calls[0]).toMatchObject({ callId: 'c00020001', name: 'memory_read', arguments: { a: 1 } });
    answer = { text: 'Not allowed: no.', isError: true };
    expect(await client.callTool({ name: 'memory_read' })).toMatchObject({ isError: true });
    await expect(client.callTool({ name: 'nope' })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });
});

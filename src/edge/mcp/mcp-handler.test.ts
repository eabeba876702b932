import { beforeEach, describe, expect, it } from 'vitest';

import {
  AppError,
  isJsonObject,
  silentLog,
  systemClock,
  type Clock,
  type JsonObject,
  type Log,
} from '../../core/index.ts';
import { createMcpHandler, type McpCall, type McpTool, type McpTurn, type ToolCallAnswer } from './index.ts';

const URL_ = 'http://mcp.internal/mcp';

const TOOLS: McpTool[] = [
  {
    name: 'workspace_write',
    description: 'Writes a file.',
    schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
    annotations: { readOnlyHint: false, destructiveHint: true },
  },
  {
    name: 'memory_read',
    title: 'Read memory',
    description: 'Reads the memory.',
    schema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true },
  },
];

let calls: McpCall[];
let unknownNames: string[];
let answer: (call: McpCall) => ToolCallAnswer | Promise<ToolCallAnswer>;
let alive: Map<string, McpTurn>;

beforeEach(() => {
  calls = [];
  unknownNames = [];
  answer = () => ({ text: '{"ok":true}', structured: { ok: true }, isError: false });
  const turn: McpTurn = {
    tools: () => TOOLS,
    unknown: (name) => unknownNames.push(name),
    call: async (call) => {
      calls.push(call);
      return await answer(call);
    },
  };
  alive = new Map([['cap-1', turn]]);
});

function handler(options: { log?: Log; clock?: Clock; keepAliveMs?: number } = {}) {
  return createMcpHandler({
    // A fresh object each time: the limit must not depend on who makes it.
    gate: {
      turnFor: (capability) => {
        const turn = alive.get(capability);
        return turn && { ...turn };
      },
    },
    version: '9.9.9',
    log: options.log ?? silentLog,
    clock: options.clock ?? systemClock,
    keepAliveMs: options.keepAliveMs,
  });
}

function post(body: unknown, headers: Record<string, string> = {}, init: RequestInit = {}): Request {
  return new Request(URL_, {
    method: 'POST',
    headers: { authorization: 'Bearer cap-1', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

async function rpc(body: unknown): Promise<JsonObject> {
  const response = await handler().fetch(post(body));
  expect(response.headers.get('content-type')).toContain('application/json');
  return (await response.json()) as JsonObject;
}

const request = (method: string, params?: unknown): JsonObject =>
  ({ jsonrpc: '2.0', id: 7, method, ...(params === undefined ? {} : { params }) }) as JsonObject;

const codeOf = (message: JsonObject): unknown => isJsonObject(message['error']) && message['error']['code'];

describe('a plain JSON caller', () => {
  it('negotiates a version and hears the name and version of the product', async () => {
    const message = await rpc(
      request('initialize', {
        protocolVersion: '2025-06-18',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      }),
    );
    expect(message).toMatchObject({
      id: 7,
      result: {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'openpact', version: '9.9.9' },
      },
    });
  });

  it('is offered a version that we speak when it names an unknown one', async () => {
    const message = await rpc(
      request('initialize', {
        protocolVersion: '1999-01-01',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      }),
    );
    expect(message['result']).toMatchObject({ protocolVersion: expect.stringMatching(/^202\d-\d\d-\d\d$/) });
  });

  it.each(['notifications/initialized', 'notifications/cancelled', 'notifications/anything'])(
    'gets 202 without a body for %s',
    async (method) => {
      const response = await handler().fetch(post({ jsonrpc: '2.0', method }));
      expect([response.status, await response.text()]).toEqual([202, '']);
    },
  );

  it('gets an empty object for ping', async () => {
    expect(await rpc(request('ping'))).toEqual({ jsonrpc: '2.0', id: 7, result: {} });
  });

  it('gets the tools of its turn sorted by name, with annotations', async () => {
    const message = await rpc(request('tools/list'));
    expect(message['result']).toMatchObject({
      tools: [
        { name: 'memory_read', title: 'Read memory', annotations: { readOnlyHint: true } },
        {
          name: 'workspace_write',
          inputSchema: TOOLS[0]?.schema,
          annotations: { readOnlyHint: false, destructiveHint: true },
        },
      ],
    });
  });

  it('gets the result of a call as JSON text and as data, and the gate hears exactly the call', async () => {
    const message = await rpc(
      request('tools/call', {
        name: 'workspace_write',
        arguments: { path: 'a' },
        _meta: { 'openpact/call': 'c00010000' },
      }),
    );
    expect(message).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {
        content: [{ type: 'text', text: '{"ok":true}' }],
        structuredContent: { ok: true },
        isError: false,
      },
    });
    expect(calls).toEqual([
      {
        callId: 'c00010000',
        name: 'workspace_write',
        arguments: { path: 'a' },
        signal: expect.any(AbortSignal),
      },
    ]);
  });

  it.each([{ value: [1] }, { value: 'text' }, { value: null }])(
    'gets no structured content for $value',
    async ({ value }) => {
      answer = () => ({ text: 'text', structured: value, isError: false });
      const message = await rpc(request('tools/call', { name: 'memory_read', arguments: {} }));
      expect(message['result']).toEqual({ content: [{ type: 'text', text: 'text' }], isError: false });
    },
  );

  it('gets an isError result with a code for a failure or a denial, not a protocol error', async () => {
    answer = () => ({ text: 'Not allowed: no.', isError: true, code: 'denied' });
    const message = await rpc(request('tools/call', { name: 'memory_read', arguments: {} }));
    expect(message['result']).toEqual({
      content: [{ type: 'text', text: 'Not allowed: no.' }],
      isError: true,
      _meta: { 'openpact/code': 'denied' },
    });
  });

  it('hears the sentence of what could not be carried out, such as on a full disk, and only an id of a bug', async () => {
    answer = () => {
      throw new AppError({ family: 'config', code: 'storage_full', message: 'The disk is full.' });
    };
    const call = request('tools/call', { name: 'memory_read', arguments: {} });
    expect((await rpc(call))['error']).toMatchObject({ code: -32603, message: 'The disk is full.' });
    answer = () => {
      throw new Error('secret detail');
    };
    expect(JSON.stringify(await rpc(call))).toMatch(/Internal error \(err_/);
    expect(JSON.stringify(await rpc(call))).not.toContain('secret detail');
  });

  it('that names no call, or no text as the call, leaves the decision to the gate', async () => {
    await rpc(request('tools/call', { name: 'memory_read' }));
    await rpc(request('tools/call', { name: 'memory_read', _meta: { 'openpact/call': 5 } }));
    expect(calls.map(({ callId, arguments: args }) => ({ callId, args }))).toEqual([
      { callId: undefined, args: {} },
      { callId: undefined, args: {} },
    ]);
  });

  it.each([
    ['an unknown tool', request('tools/call', { name: 'nope', arguments: {} }), -32602],
    ['a name from the prototype', request('tools/call', { name: 'constructor', arguments: {} }), -32602],
    ['a call without a name', request('tools/call', { arguments: {} }), -32602],
    ['arguments that are a list', request('tools/call', { name: 'memory_read', arguments: [] }), -32602],
    ['arguments that are a text', request('tools/call', { name: 'memory_read', arguments: 'x' }), -32602],
    ['parameters that are a list', request('tools/call', []), -32602],
    ['parameters that are a text', request('ping', 'x'), -32602],
    ['parameters that are null', request('ping', null), -32602],
    ['an unknown method', request('tools/destroy'), -32601],
    ['a method of the prototype', request('toString'), -32601],
    ['resources, which we do not offer', request('resources/list'), -32601],
    ['a wrong jsonrpc', { jsonrpc: '1.0', id: 7, method: 'ping' }, -32600],
    ['no jsonrpc', { id: 7, method: 'ping' }, -32600],
    ['no method', { jsonrpc: '2.0', id: 7 }, -32600],
    ['a method that is a number', { jsonrpc: '2.0', id: 7, method: 5 }, -32600],
    ['a posted answer', { jsonrpc: '2.0', id: 7, result: {} }, -32600],
  ])('hears of %s by its code and its own id', async (_name, body, code) => {
    const message = await rpc(body);
    expect([codeOf(message), message['id'], message['jsonrpc']]).toEqual([code, 7, '2.0']);
    expect(calls).toEqual([]);
  });

  it.each([
    ['invalid JSON', '{"jsonrpc":', -32700],
    ['an empty body', '', -32700],
    ['a batch', [request('ping')], -32600],
    ['an empty batch', [], -32600],
    ['a bare text', '"ping"', -32600],
    [
      'arguments that are 3,000 levels deep',
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${'['.repeat(3_000)}${']'.repeat(3_000)}}}`,
      -32600,
    ],
    ['null', 'null', -32600],
    ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'ping' }, -32600],
    ['an id that is null', { jsonrpc: '2.0', id: null, method: 'ping' }, -32600],
  ])('hears of %s with the id null', async (_name, body, code) => {
    const message = await rpc(body);
    expect([codeOf(message), message['id']]).toEqual([code, null]);
  });

  it('hears nothing of an inner error but an id, which the log holds', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, error: (text, facts) => lines.push(JSON.stringify({ text, facts })) };
    answer = () => {
      throw new Error('/secret/path is broken');
    };
    const response = await handler({ log }).fetch(post(request('tools/call', { name: 'memory_read' })));
    const text = await response.text();
    expect(codeOf(JSON.parse(text) as JsonObject)).toBe(-32603);
    expect(text).not.toContain('secret');
    const id = /err_[0-9a-z]{26}/.exec(text)?.[0] ?? 'none';
    expect(lines.join('\n')).toContain(id);
  });

  it('hears -32603 when even the port is broken', async () => {
    const broken = createMcpHandler({
      gate: {
        turnFor: () => {
          throw new Error('secret');
        },
      },
      version: '1',
      log: silentLog,
      clock: systemClock,
    });
    const text = await (await broken.fetch(post(request('ping')))).text();
    expect(text).toContain('-32603');
    expect(text).not.toContain('secret');
  });

  it('is told to wait by -32000 after 20 requests at once, and may go on later', async () => {
    let now = 0;
    const { fetch } = handler({ clock: { now: () => 0, monotonic: () => now } });
    const codes = async (count: number): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for (let i = 0; i < count; i += 1) {
        seen.push(codeOf((await (await fetch(post(request('ping')))).json()) as JsonObject));
      }
      return seen;
    };
    expect(await codes(22)).toEqual([...Array<boolean>(20).fill(false), -32000, -32000]);
    now = 200;
    expect(await codes(3)).toEqual([false, false, -32000]);
    alive.set('cap-2', {
      tools: () => [],
      unknown: () => undefined,
      call: () => Promise.reject(new Error('unused')),
    });
    const other = await fetch(post(request('ping'), { authorization: 'Bearer cap-2' }));
    expect(await other.json()).toMatchObject({ result: {} });
  });
});

describe('the door', () => {
  it.each(['GET', 'DELETE', 'PUT', 'OPTIONS'])('refuses %s with 405', async (method) => {
    const response = await handler().fetch(
      new Request(URL_, { method, headers: { authorization: 'Bearer cap-1' } }),
    );
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each([
    ['none', ''],
    ['a wrong one', 'Bearer cap-2'],
    ['one in other case', 'Bearer CAP-1'],
    ['one with more behind it', 'Bearer cap-1 x'],
    ['another scheme', 'Basic cap-1'],
  ])('refuses a capability that is %s with 401', async (_name, authorization) => {
    const response = await handler().fetch(post(request('ping'), { authorization }));
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  it('refuses a capability once its turn is over', async () => {
    const { fetch } = handler();
    expect((await fetch(post(request('ping')))).status).toBe(200);
    alive.clear();
    expect((await fetch(post(request('ping')))).status).toBe(401);
  });

  it('never writes a capability to the log', async () => {
    const lines: string[] = [];
    const write = (text: string, facts?: unknown): void => void lines.push(text + JSON.stringify(facts));
    const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
    const { fetch } = handler({ log });
    await fetch(post(request('ping'), { authorization: 'Bearer cap-wrong' }));
    await fetch(post(request('ping')));
    await fetch(post(request('nope')));
    expect(lines.join('\n')).not.toContain('cap-');
  });

  it('refuses a body over 1 MiB with 413, and takes one just below', async () => {
    const { fetch } = handler();
    const sized = (length: number): string => {
      const text = JSON.stringify(request('ping', { x: '' }));
      return text.replace('""', `"${'x'.repeat(length - text.length)}"`);
    };
    expect((await fetch(post(sized(1024 * 1024 + 1)))).status).toBe(413);
    expect((await fetch(post(sized(1024 * 1024)))).status).toBe(200);
  });

  it('refuses what is not JSON by its type, and a foreign origin', async () => {
    const { fetch } = handler();
    expect((await fetch(post(request('ping'), { 'content-type': 'text/plain' }))).status).toBe(415);
    expect((await fetch(post(request('ping'), { origin: 'https://evil.example' }))).status).toBe(403);
    expect((await fetch(post(request('ping'), { origin: 'http://127.0.0.1:8888' }))).status).toBe(200);
  });
});

describe('a call that takes long', () => {
  it('shows signs of life until the answer comes', async () => {
    const { promise, resolve } = Promise.withResolvers<ToolCallAnswer>();
    answer = () => promise;
    const response = await handler({ keepAliveMs: 20 }).fetch(
      post(request('tools/call', { name: 'memory_read' }), { accept: 'application/json, text/event-stream' }),
    );
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (text.split(/^:/m).length < 3) text += (await reader?.read())?.value ?? '';
    resolve({ text: 'late', isError: false });
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
      text += part.value;
    expect(text).toContain('"text":"late"');
  });

  it('is stopped when the caller goes away', async () => {
    const stopped = Promise.withResolvers<void>();
    answer = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          stopped.resolve();
          resolve({ text: 'stopped', isError: true });
        });
      });
    const caller = new AbortController();
    const sent = handler().fetch(
      post(
        request('tools/call', { name: 'memory_read' }),
        { accept: 'application/json, text/event-stream' },
        {
          signal: caller.signal,
        },
      ),
    );
    const response = await sent;
    caller.abort();
    await stopped.promise;
    await response.body?.cancel();
  });
});

it('a name that is no tool is told to the owner of the turn, so that it can be recorded', async () => {
  await handler().fetch(post(request('tools/call', { name: 'nope', arguments: {} })));
  expect(unknownNames).toEqual(['nope']);
});

// The agent and the real MCP edge together: an honest one gets its tools, one that was taken over gets nothing by asking.
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { silentLog, systemClock } from '../../src/core/index.ts';
import {
  createMcpHandler,
  type McpCall,
  type McpTurn,
  type ToolCallAnswer,
} from '../../src/edge/mcp/index.ts';
import type { EngineAdapter, EngineHandlers } from '../../src/engine/adapter.ts';
import {
  modelAnswer,
  sourceProgram,
  turnOf,
  type SeenPrompt,
} from '../../src/engine/adapters/builtin/fakes.ts';
import { createBuiltinEngine, type AgentProgram } from '../../src/engine/adapters/builtin/index.ts';
import { createLauncher } from '../../src/host/process/index.ts';

// A machine that is busy with other suites is slow.
const PATIENT = { timeout: 15_000 };

const hostile = path.join(import.meta.dirname, 'agent-hostile.mjs');
const PING = { name: 'ping', description: 'Answers.', schema: { type: 'object', properties: {} } };

/** Capabilities that are alive. */
let alive: Map<string, McpTurn>;
/** What a gate does: it knows which calls a model made, and answers a repeat with what it has recorded. */
let made: Set<string>;
let ran: string[];
let recorded: Map<string, Promise<ToolCallAnswer>>;
let tool: (call: McpCall) => Promise<string>;
let llm: (prompt: SeenPrompt) => Response;

let turn: McpTurn;
/** A new one for each test, as for each turn. */
let capability: string;
let count = 0;
const newTurn = (): McpTurn => ({
  tools: () => [PING],
  unknown: () => undefined,
  call: async (call) => {
    const id = call.callId;
    if (id === undefined || !made.has(id)) return { text: 'No such call was made.', isError: true };
    const known = recorded.get(id);
    if (known !== undefined) return await known;
    ran.push(id);
    const answer = tool(call).then((text) => ({ text, isError: false }));
    recorded.set(id, answer);
    return await answer;
  },
});

const mcp = createMcpHandler({
  gate: { turnFor: (capability) => alive.get(capability) },
  version: '1.0.0',
  log: silentLog,
  clock: systemClock,
  keepAliveMs: 20,
});
const handlers: EngineHandlers = {
  llm: async (request) => llm((await request.json()) as SeenPrompt),
  mcp: mcp.fetch,
};

function engineOf(program: AgentProgram): EngineAdapter {
  return createBuiltinEngine({
    launcher: createLauncher(),
    program,
    handlers,
    log: silentLog,
    clock: systemClock,
  });
}

beforeEach(() => {
  turn = newTurn();
  count += 1;
  capability = `cap-${count}`;
  alive = new Map([[capability, turn]]);
  made = new Set(['c00010000']);
  ran = [];
  recorded = new Map();
  tool = () => Promise.resolve('pong');
});

describe('the built-in agent and the MCP edge', () => {
  let engine: EngineAdapter;
  beforeAll(async () => {
    engine = engineOf(sourceProgram);
    await engine.start();
  });
  afterAll(() => engine.stop());

  const afterCalls = (ids: readonly string[]) => (prompt: SeenPrompt) =>
    prompt.messages.at(-1)?.role === 'tool'
      ? modelAnswer({ text: 'done' })
      : modelAnswer({ calls: ids.map((id) => ({ id, name: 'ping', arguments: '{}' })) });

  it('wait together for a call that takes long', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    tool = () => promise;
    llm = afterCalls(['c00010000']);
    const outcome = engine.runTurn(turnOf({ capability, tools: [PING] }));
    await expect.poll(() => ran, PATIENT).toEqual(['c00010000']);
    await new Promise((wake) => setTimeout(wake, 100)); // several signs of life
    resolve('late');
    expect(await outcome).toEqual({ kind: 'finished' });
  });

  it('run thirty calls of one answer, each once, though the edge takes only twenty at once', async () => {
    const ids = Array.from({ length: 30 }, (_unused, i) => `c0001${String(i).padStart(4, '0')}`);
    made = new Set(ids);
    llm = afterCalls(ids);
    expect(await engine.runTurn(turnOf({ capability, tools: [PING] }))).toEqual({ kind: 'finished' });
    expect(ran.toSorted()).toEqual(ids);
  });

  it('end a turn whose capability dies under way', async () => {
    llm = (prompt) => {
      alive.clear();
      return afterCalls(['c00010000'])(prompt);
    };
    expect(await engine.runTurn(turnOf({ capability, tools: [PING] }))).toMatchObject({
      code: 'tools_unavailable',
    });
    expect(ran).toEqual([]);
  });

  it('stop a call together with the turn', async () => {
    const abort = new AbortController();
    let signal: AbortSignal | undefined;
    tool = (call) => {
      signal = call.signal;
      return new Promise(() => undefined);
    };
    llm = afterCalls(['c00010000']);
    const outcome = engine.runTurn(turnOf({ capability, tools: [PING], signal: abort.signal }));
    await expect.poll(() => ran, PATIENT).toEqual(['c00010000']);
    abort.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    expect(signal?.aborted).toBe(true);
  });
});

describe('an agent that was taken over', () => {
  let engine: EngineAdapter;
  beforeAll(async () => {
    engine = engineOf({ node: process.execPath, script: hostile, read: [hostile] });
    await engine.start();
  });
  afterAll(() => engine.stop());

  const report = async (model: string, shown = capability): Promise<string> => {
    const outcome = await engine.runTurn(turnOf({ model, capability: shown }));
    return outcome.kind === 'failed' ? outcome.message : outcome.kind;
  };

  it('runs no tool by calls that no model made', async () => {
    const refused = JSON.stringify(Array<string>(5).fill('No such call was made.'));
    expect(await report('makes up calls')).toBe(`report: ${refused}`);
    expect(ran).toEqual([]);
  });

  it('runs a tool once however often it repeats the call', async () => {
    expect(await report('repeats its call')).toBe('report: ["pong","pong","pong"]');
    expect(ran).toEqual(['c00010000']);
  });

  it('gets nothing by the capability of a turn that is over', async () => {
    expect(await report('honest')).toBe('finished');
    alive = new Map([['cap-new', turn]]);
    expect(await report('the capability before', 'cap-new')).toBe('report: 401');
    expect(ran).toEqual([]);
  });

  it('is slowed down when it calls a thousand times', async () => {
    expect(await report('calls a thousand times')).toBe('report: ok,-32000');
    expect(ran).toEqual(['c00010000']);
  });
});

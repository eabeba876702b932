import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';

import { silentLog, systemClock, type HistoryMessage } from '../../../core/index.ts';
import { createLauncher, type Launcher } from '../../../host/process/index.ts';
import type { EngineAdapter, EngineHandlers, EngineTurn } from '../../adapter.ts';
import {
  events,
  modelAnswer,
  sourceProgram,
  toolAnswer,
  turnOf,
  type SeenCall,
  type SeenPrompt,
} from './fakes.ts';
import { createBuiltinEngine } from './index.ts';

const PING = { name: 'ping', description: 'Answers.', schema: { type: 'object', properties: {} } };

/** One engine for the turns of honest agents: each test sets its own model and tools. */
let llm: (prompt: SeenPrompt, request: Request) => Response | Promise<Response>;
let mcp: (request: Request) => Promise<Response>;
let stderr: string[];
let engine: EngineAdapter;

const handlers: EngineHandlers = {
  llm: async (request) => await llm((await request.json()) as SeenPrompt, request),
  mcp: async (request) => await mcp(request),
};

/** The real launcher; keeps what its children print. */
function listening(): Launcher {
  const launcher = createLauncher();
  return {
    async launch(order) {
      const child = await launcher.launch(order);
      child.stderr.onLine((line) => stderr.push(line));
      child.stdout.onLine((line) => stderr.push(line));
      return child;
    },
  };
}

const run = (given: Partial<EngineTurn>) => engine.runTurn(turnOf(given));

beforeAll(async () => {
  stderr = [];
  engine = createBuiltinEngine({
    launcher: listening(),
    program: sourceProgram,
    handlers,
    log: silentLog,
    clock: systemClock,
  });
  await engine.start();
});

afterEach(() => {
  llm = () => modelAnswer({ text: 'unused' });
  mcp = () => Promise.reject(new Error('no tools here'));
});

afterAll(async () => {
  await engine.stop();
  expect(stderr).toEqual([]);
});

describe('a turn of the built-in agent', () => {
  it('asks the model with the words of the turn and its capability, and finishes', async () => {
    const seen: unknown[] = [];
    llm = (prompt, request) => {
      seen.push({ url: request.url, authorization: request.headers.get('authorization'), ...prompt });
      return modelAnswer({ text: ['Hel', 'lo'] });
    };
    expect(await run({})).toEqual({ kind: 'finished' });
    expect(seen).toEqual([
      {
        url: 'http://llm.internal/v1/chat/completions',
        authorization: 'Bearer cap-1',
        model: 'm',
        messages: [
          { role: 'system', content: 'You help.' },
          { role: 'user', content: 'hi' },
        ],
        stream: true,
        stream_options: { include_usage: true },
      },
    ]);
  });

  it('tells the model the whole history, calls and results included', async () => {
    const history: HistoryMessage[] = [
      { role: 'user', text: 'list' },
      { role: 'assistant', text: 'I look.', calls: [{ id: 'c00010000', name: 'ping', arguments: { a: 1 } }] },
      { role: 'tool', results: [{ id: 'c00010000', name: 'ping', text: 'interrupted', is_error: true }] },
      { role: 'assistant', text: '', calls: [] },
      { role: 'user', text: 'go on' },
    ];
    let messages: SeenPrompt['messages'] = [];
    llm = (prompt) => {
      messages = prompt.messages;
      return modelAnswer({ text: 'ok' });
    };
    expect(await run({ history, tools: [PING] })).toEqual({ kind: 'finished' });
    expect(messages.slice(1)).toEqual([
      { role: 'user', content: 'list' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [{ id: 'c00010000', type: 'function', function: { name: 'ping', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c00010000', content: 'interrupted' },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('makes the calls of an answer by MCP, with the ids that the gateway gave, and tells the results', async () => {
    const calls: SeenCall['params'][] = [];
    let last: SeenPrompt['messages'] = [];
    llm = (prompt) => {
      last = prompt.messages;
      if (prompt.messages.at(-1)?.role === 'tool') return modelAnswer({ text: 'done' });
      return modelAnswer({
        text: 'I call.',
        calls: [
          { id: 'c00010000', name: 'ping', arguments: '{"a":"ä€😀"}' },
          { id: 'c00010001', name: 'ping', arguments: '{}' },
        ],
      });
    };
    mcp = (request) =>
      toolAnswer(request, (call) => {
        calls.push(call);
        return `result of ${String(call._meta['openpact/call'])}`;
      });
    expect(await run({ tools: [PING] })).toEqual({ kind: 'finished' });
    expect(calls.map((call) => [call.name, call.arguments, call._meta['openpact/call']])).toEqual([
      ['ping', { a: 'ä€😀' }, 'c00010000'],
      ['ping', {}, 'c00010001'],
    ]);
    expect(last.slice(-2)).toEqual([
      { role: 'tool', tool_call_id: 'c00010000', content: 'result of c00010000' },
      { role: 'tool', tool_call_id: 'c00010001', content: 'result of c00010001' },
    ]);
  });

  it('waits and calls again when the tools say that it is too fast', async () => {
    let asked = 0;
    llm = (prompt) =>
      prompt.messages.at(-1)?.role === 'tool'
        ? modelAnswer({ text: 'done' })
        : modelAnswer({ calls: [{ id: 'c00010000', name: 'ping', arguments: '{}' }] });
    mcp = async (request) => {
      asked += 1;
      if (asked > 2) return await toolAnswer(request, () => 'late');
      const { id } = (await request.json()) as SeenCall;
      const error = { code: -32000, message: 'Too many', data: { retry_after_ms: 5 } };
      return Response.json({ jsonrpc: '2.0', id, error });
    };
    expect(await run({ tools: [PING] })).toEqual({ kind: 'finished' });
    expect(asked).toBe(3);
  });

  it('lets the model read a refusal and go on', async () => {
    let heard: unknown;
    llm = (prompt) => {
      heard = prompt.messages.at(-1)?.content;
      return prompt.messages.at(-1)?.role === 'tool'
        ? modelAnswer({ text: 'I see' })
        : modelAnswer({ calls: [{ id: 'c00010000', name: 'ping', arguments: '[]' }] });
    };
    mcp = async (request) => {
      const { id } = (await request.json()) as SeenCall;
      return Response.json({
        jsonrpc: '2.0',
        id,
        error: { code: -32602, message: 'arguments is not an object.' },
      });
    };
    expect(await run({ tools: [PING] })).toEqual({ kind: 'finished' });
    expect(heard).toBe('The call was refused: arguments is not an object.');
  });

  it('remembers nothing of the turn before', async () => {
    const prompts: string[] = [];
    llm = (prompt) => {
      prompts.push(JSON.stringify(prompt));
      return modelAnswer({ text: 'The word is swordfish.' });
    };
    await run({ system: 'Secret: swordfish' });
    await run({ turnId: 'turn-2', capability: 'cap-2' });
    expect(prompts[0]).toContain('swordfish');
    expect(prompts[1]).not.toContain('swordfish');
  });

  it('carries a history of several megabytes and characters cut across chunks', async () => {
    const long = '😀'.repeat(1_000_000);
    const bytes = new TextEncoder().encode(
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'ä€😀' }, finish_reason: 'stop' }] })}\n\n`,
    );
    let length = 0;
    llm = (prompt) => {
      length = String(prompt.messages.at(-1)?.content).length;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
          controller.close();
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    };
    expect(await run({ history: [{ role: 'user', text: long }] })).toEqual({ kind: 'finished' });
    expect(length).toBe(long.length);
  });

  it('says that a history is too long for one request, and its process goes on', async () => {
    expect(await run({ history: [{ role: 'user', text: '\\n"'.repeat(1_100_000) }] })).toMatchObject({
      kind: 'failed',
      code: 'context_too_long',
    });
    expect(await run({ history: [{ role: 'user', text: 'short' }] })).toEqual({ kind: 'finished' });
  });
});

describe('a turn that goes wrong upstream', () => {
  it.each([
    ['in the words of OpenAI', { error: { code: 'upstream_rate_limited', message: 'Too busy.' } }],
    ['in our own words', { error: 'upstream_rate_limited', message: 'Too busy.' }],
  ])('ends with the code that the gateway answered with, %s', async (_name, body) => {
    llm = () => Response.json(body, { status: 429 });
    expect(await run({})).toEqual({ kind: 'failed', code: 'upstream_rate_limited', message: 'Too busy.' });
  });

  it('ends with the code of an error within the stream', async () => {
    llm = () =>
      events([`data: ${JSON.stringify({ error: { code: 'upstream_cut', message: 'It was cut.' } })}\n\n`]);
    expect(await run({})).toEqual({ kind: 'failed', code: 'upstream_cut', message: 'It was cut.' });
  });

  it.each([
    ['ends without a finish_reason', () => modelAnswer({ text: 'half', finish: null })],
    ['is HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['is broken JSON', () => events(['data: {"choices":[{"del\n\n'])],
    ['is empty', () => events([])],
    ['is cut', () => Promise.reject(new Error('cut'))],
  ])('fails when the answer %s', async (_name, answer) => {
    llm = answer;
    expect(await run({})).toMatchObject({ kind: 'failed', code: 'model_answer_invalid' });
  });

  it('fails with a plain code for an answer that explains nothing', async () => {
    llm = () => new Response('oops', { status: 500 });
    expect(await run({})).toMatchObject({ kind: 'failed', code: 'model_error' });
  });

  it('ends at the step limit', async () => {
    let asked = 0;
    llm = () => {
      asked += 1;
      return modelAnswer({ calls: [{ id: `c000${asked}0000`, name: 'ping', arguments: '{}' }] });
    };
    mcp = (request) => toolAnswer(request, () => 'pong');
    expect(await run({ tools: [PING], maxSteps: 3 })).toMatchObject({ kind: 'failed', code: 'step_limit' });
    expect(asked).toBe(3);
  });

  it('ends after three answers in a row whose calls cannot be read', async () => {
    let asked = 0;
    llm = () => {
      asked += 1;
      return modelAnswer({ calls: [{ id: `c000${asked}0000`, name: 'ping', arguments: '{"a":' }] });
    };
    expect(await run({ tools: [PING] })).toMatchObject({ kind: 'failed', code: 'unreadable_calls' });
    expect(asked).toBe(3);
  });

  it.each([
    ['refuse the turn', 'it is over', () => Promise.resolve(new Response('no', { status: 401 }))],
    ['answer nonsense', 'not MCP', () => Promise.resolve(new Response('hello'))],
    ['are cut off', 'was cut', () => Promise.reject(new Error('cut'))],
  ])('ends when the tools %s, and says so (%s)', async (_name, words, answer) => {
    let asked = 0;
    llm = () => {
      asked += 1;
      return modelAnswer({ calls: [{ id: 'c00010000', name: 'ping', arguments: '{}' }] });
    };
    mcp = answer;
    expect(await run({ tools: [PING] })).toMatchObject({
      kind: 'failed',
      code: 'tools_unavailable',
      message: expect.stringContaining(words),
    });
    expect(asked).toBe(1);
  });
});

describe('a stop', () => {
  it.each([
    ['the model hangs before its answer', () => new Promise<Response>(() => undefined)],
    ['the model hangs within its answer', () => events(['data: {"choices":[]}\n\n'], { open: true })],
  ])('ends a turn when %s, aborts the request, and keeps the process', async (_name, answer) => {
    const abort = new AbortController();
    const pids = engine.state().pids;
    const requested = Promise.withResolvers<AbortSignal>();
    llm = (_prompt, request) => {
      requested.resolve(request.signal);
      return answer();
    };
    const outcome = run({ signal: abort.signal });
    const signal = await requested.promise;
    abort.abort();
    expect(await outcome).toEqual({ kind: 'stopped' });
    expect(signal.aborted).toBe(true);
    expect(engine.state()).toEqual({ state: 'ready', detail: null, pids });
  });

  it('ends a turn whose tool hangs', async () => {
    const abort = new AbortController();
    llm = () => modelAnswer({ calls: [{ id: 'c00010000', name: 'ping', arguments: '{}' }] });
    mcp = async (request) => {
      setTimeout(() => abort.abort(), 20);
      return await new Promise<Response>((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    };
    expect(await run({ tools: [PING], signal: abort.signal })).toEqual({ kind: 'stopped' });
  });

  it('before the beginning asks nothing', async () => {
    let asked = 0;
    llm = () => {
      asked += 1;
      return modelAnswer({ text: 'x' });
    };
    expect(await run({ signal: AbortSignal.abort() })).toEqual({ kind: 'stopped' });
    expect(asked).toBe(0);
  });
});

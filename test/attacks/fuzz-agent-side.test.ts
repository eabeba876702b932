/** Whatever comes from the side of the agent: over its pipe, at the MCP endpoint and at the gateway to the model. */
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isJsonObject, systemClock, type Log } from '../../src/core/index.ts';
import { createMcpHandler, type McpCall } from '../../src/edge/mcp/index.ts';
import { turnOf } from '../../src/engine/adapters/builtin/fakes.ts';
import { parseAgentFrame } from '../../src/engine/adapters/builtin/frames.ts';
import { createBuiltinEngine } from '../../src/engine/adapters/builtin/index.ts';
import { createLauncher } from '../../src/host/process/index.ts';
import { RIG_KEY, startModelRig, type ModelRig } from '../fakes/model-rig.ts';
import { brokenText, fuzz, fuzzTime, hostileValue, spoiled } from '../support/fuzz-values.ts';

const faults: string[] = [];
const quiet = (): void => undefined;
/** What is logged as an error is a fault of ours. */
const log: Log = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: (message, facts) => void faults.push(`${message} ${JSON.stringify(facts)}`),
  child: () => log,
};
const STACK = /\bat (?:async )?[\w.<>]+ \(?(?:file:|node:|\/)/;
const text = fc.string({ unit: 'binary', maxLength: 40 });
const number = fc.oneof(fc.nat(20), fc.integer(), fc.double());

const frameValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ t: fc.constantFrom('ready', 'pong', 'cancel', '__proto__', 'turn', 'abort') }),
  fc.record({ t: fc.constantFrom('pong', 'cancel', 'ack'), n: number, req: number }),
  fc.record({
    t: fc.constant('request'),
    turn: fc.constantFrom('$TURN', 'another', '__proto__'),
    req: number,
    target: fc.constantFrom('llm', 'mcp', 'admin', 'constructor'),
    method: fc.constantFrom('POST', 'GET', 'post', 'TRACE', 'CONNECT'),
    path: fc.oneof(fc.constantFrom('/mcp', '//x/', '/v1/chat/completions', '/../..'), text),
    headers: fc.oneof(
      fc.constant({ authorization: 'Bearer x' }),
      fc.dictionary(fc.oneof(text, fc.constantFrom('__proto__', 'host', 'x\r\ny')), text),
    ),
    body: text,
  }),
  fc.record({
    t: fc.constant('done'),
    turn: fc.constantFrom('another', 'constructor'),
    outcome: fc.record({ kind: fc.constantFrom('finished', 'failed', 'root'), code: text, message: text }),
  }),
);
const oneLine = (value: string | Buffer): string => value.toString().replaceAll('\n', ' ').slice(0, 60_000);
const line: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: frameValue.map((value) => JSON.stringify(value)) },
  { weight: 4, arbitrary: spoiled(frameValue).map((value) => JSON.stringify(value) ?? '') },
  { weight: 1, arbitrary: brokenText(frameValue).map(oneLine) },
);

test(
  'a line of the agent is a frame with exactly its fields, or nothing',
  async () => {
    const FIELDS: Readonly<Record<string, readonly string[]>> = {
      ready: ['t'],
      pong: ['n', 't'],
      cancel: ['req', 't'],
      ack: ['n', 'req', 't'],
      request: ['body', 'headers', 'method', 'path', 'req', 't', 'target', 'turn'],
      done: ['outcome', 't', 'turn'],
    };
    let frames = 0;
    await fuzz(
      fc.asyncProperty(line, async (given) => {
        const frame = parseAgentFrame(given);
        if (frame === undefined) return;
        frames += 1;
        expect(Object.keys(frame).toSorted()).toEqual(FIELDS[frame.t]);
        if (frame.t === 'request') {
          expect(['llm', 'mcp']).toContain(frame.target);
          expect(frame.path).toMatch(/^\/(?!\/)/);
          expect(Object.values(frame.headers).every((value) => typeof value === 'string')).toBe(true);
        }
        if (frame.t === 'done' && frame.outcome.kind === 'failed') {
          expect(frame.outcome.message).not.toMatch(/\p{C}/u);
        }
      }),
      3000,
    );
    expect(frames, 'some of them were good').toBeGreaterThan(100);
  },
  fuzzTime(30_000),
);

test(
  'an agent that says anything over its pipe ends its own turn at most, and the next one is served',
  async () => {
    const refuse = (): Promise<Response> => Promise.resolve(new Response('{}', { status: 400 }));
    const engine = createBuiltinEngine({
      launcher: createLauncher(),
      program: {
        node: process.execPath,
        script: join(import.meta.dirname, 'agent-hostile.mjs'),
        read: [join(import.meta.dirname, 'agent-hostile.mjs')],
      },
      handlers: { llm: refuse, mcp: refuse },
      log,
      clock: systemClock,
      maxProcesses: 2,
      timing: { backoffMs: 1, maxBackoffMs: 5 },
    });
    await engine.start();
    try {
      await fuzz(
        fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 12 }), async (lines) => {
          const outcome = await engine.runTurn(
            turnOf({ model: 'says what it is told', system: JSON.stringify(lines) }),
          );
          if (outcome.kind === 'failed') expect(outcome.code).toMatch(/^engine_|^model_error$/);
          else expect(outcome.kind).toBe('finished');
          expect(await engine.runTurn(turnOf({ model: 'honest' }))).toEqual({ kind: 'finished' });
        }),
        20,
      );
    } finally {
      await engine.stop();
    }
    expect(faults).toEqual([]);
  },
  fuzzTime(60_000),
);

const honestCall: fc.Arbitrary<unknown> = fc.record({
  jsonrpc: fc.constant('2.0'),
  id: fc.oneof(fc.nat(), text),
  method: fc.constant('tools/call'),
  params: fc.record({
    name: fc.constant('ping'),
    arguments: fc.dictionary(fc.oneof(text, fc.constantFrom('__proto__', 'constructor')), text),
    _meta: fc.record({ 'openpact/call': fc.oneof(fc.constant('c00010000'), text) }),
  }),
});
const anyCall: fc.Arbitrary<unknown> = fc.record({
  jsonrpc: fc.constantFrom('2.0', '1.0', 2),
  id: fc.oneof(number, text, fc.constant(null)),
  method: fc.oneof(
    fc.constantFrom(
      'tools/call',
      'tools/list',
      'initialize',
      'ping',
      'resources/list',
      '__proto__',
      'notifications/cancelled',
    ),
    text,
  ),
  params: fc.oneof(
    fc.record({
      name: fc.constantFrom('ping', 'shell', '__proto__', 'constructor'),
      arguments: fc.oneof(fc.constant({}), hostileValue),
      _meta: fc.oneof(fc.constant({ 'openpact/call': 'c00010000' }), hostileValue),
    }),
    hostileValue,
  ),
});
const rpc = fc.oneof(honestCall, anyCall);
const bodyOf = (good: fc.Arbitrary<unknown>): fc.Arbitrary<string | Buffer> =>
  fc.oneof(
    { weight: 4, arbitrary: good.map((value) => JSON.stringify(value)) },
    { weight: 4, arbitrary: spoiled(good).map((value) => JSON.stringify(value) ?? '') },
    { weight: 1, arbitrary: brokenText(good) },
  );
const type = fc.constantFrom('application/json', 'application/json', 'application/json', 'text/plain', 'x');

test(
  'the MCP endpoint answers whatever it is sent, and calls reach the gate with a known name and an object',
  async () => {
    const calls: McpCall[] = [];
    const capabilities = new Set<string>();
    const mcp = createMcpHandler({
      gate: {
        turnFor: (capability) =>
          capabilities.has(capability)
            ? {
                tools: () => [
                  { name: 'ping', description: 'Answers.', schema: { type: 'object', properties: {} } },
                ],
                unknown: quiet,
                call: async (call) => (calls.push(call), { text: 'pong', isError: false }),
              }
            : undefined,
      },
      version: '1.0.0',
      log,
      clock: systemClock,
    });
    let count = 0;
    await fuzz(
      fc.asyncProperty(
        bodyOf(rpc),
        type,
        fc.constantFrom('', 'text/event-stream'),
        async (body, contentType, accept) => {
          // A turn of its own each, so that the limit of one is not what answers.
          const capability = `cap-${(count += 1)}`;
          capabilities.add(capability);
          const ask = (authorization: string): Promise<Response> =>
            mcp.fetch(
              new Request('http://mcp.internal/mcp', {
                method: 'POST',
                headers: { authorization, 'content-type': contentType, accept },
                body: typeof body === 'string' ? body : new Uint8Array(body),
              }),
            );
          const before = calls.length;
          expect((await ask('Bearer made-up')).status).toBe(401);
          expect(calls.length).toBe(before);
          const response = await ask(`Bearer ${capability}`);
          expect(response.status).toBeLessThan(500);
          const answer = await response.text();
          expect(answer.length).toBeLessThanOrEqual(200_000);
          expect(answer).not.toMatch(STACK);
        },
      ),
      600,
    );
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) {
      expect(call.name).toBe('ping');
      expect(isJsonObject(call.arguments)).toBe(true);
      expect(['string', 'undefined']).toContain(typeof call.callId);
    }
    expect(faults).toEqual([]);
  },
  fuzzTime(60_000),
);

let rig: ModelRig;
beforeAll(async () => {
  rig = await startModelRig({ model: { otherwise: { text: 'ok' } }, log });
});
afterAll(() => rig.close());

const MODEL = 'fake-model';
const honestCompletion: fc.Arbitrary<unknown> = fc.record({
  model: fc.constant(MODEL),
  stream: fc.constant(true),
  messages: fc.array(fc.record({ role: fc.constant('user'), content: text }), { minLength: 1, maxLength: 3 }),
});
const anyCompletion: fc.Arbitrary<unknown> = fc.record(
  {
    model: fc.oneof({ weight: 4, arbitrary: fc.constant(MODEL) }, fc.constantFrom('other', '__proto__')),
    stream: fc.constantFrom<unknown>(true, true, true, false, 1),
    messages: fc.array(
      fc.record({ role: fc.constantFrom('user', 'system', 'assistant', 'tool', 'root'), content: text }),
      { maxLength: 3 },
    ),
    tools: fc.array(hostileValue, { maxLength: 2 }),
    max_tokens: number,
    store: fc.boolean(),
    temperature: number,
  },
  { requiredKeys: ['model', 'stream', 'messages'] },
);
const completion = fc.oneof(honestCompletion, anyCompletion);

test(
  'the gateway answers whatever the agent sends with a stream or a reason, and never sends more than its list allows',
  async () => {
    const path = fc.constantFrom(
      '/v1/chat/completions',
      '/v1/chat/completions',
      '/v1/models',
      '/',
      '/v1/files',
    );
    let served = 0;
    await fuzz(
      fc.asyncProperty(bodyOf(completion), type, path, async (body, contentType, where) => {
        const bytes = typeof body === 'string' ? body : new Uint8Array(body);
        const response = await rig.raw(
          {
            method: 'POST',
            headers: { 'content-type': contentType, authorization: `Bearer ${rig.turn.capability}` },
            body: bytes,
          },
          where,
        );
        const answer = await response.text();
        expect(
          response.status === 502 || response.status < 500,
          `${response.status} ${answer.slice(0, 300)}`,
        ).toBe(true);
        expect(answer).not.toMatch(STACK);
        expect(answer).not.toContain(RIG_KEY);
        if (response.status < 400) served += 1;
        else expect(answer.length).toBeLessThanOrEqual(8 * 1024);
      }),
      300,
    );
    expect(served, 'some of them were good').toBeGreaterThan(3);
    const fields = new Set(rig.model.requests.flatMap(({ body }) => Object.keys(body as object)));
    for (const field of ['store', 'extra', '__proto__', 'constructor', ''])
      expect([...fields]).not.toContain(field);
    expect(faults).toEqual([]);
  },
  fuzzTime(60_000),
);

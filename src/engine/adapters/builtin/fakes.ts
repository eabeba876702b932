/** For tests and measurements: a model and a tool server that speak the real wires, answered in-process. */
import path from 'node:path';

import type { Json } from '../../../core/index.ts';
import type { EngineTurn } from '../../adapter.ts';
import type { AgentProgram } from './options.ts';

export interface FakeCall {
  readonly id: string;
  readonly name: string;
  /** As the model says it: need not be JSON. */
  readonly arguments: string;
}

/** One answer of a model, as chat completions chunks. */
export function modelAnswer(answer: {
  readonly text?: string | readonly string[];
  readonly calls?: readonly FakeCall[];
  /** Null: the stream ends without one. */
  readonly finish?: string | null;
}): Response {
  const { text = [], calls = [], finish = calls.length > 0 ? 'tool_calls' : 'stop' } = answer;
  const chunks: unknown[] = (typeof text === 'string' ? [text] : text).map((content) => chunk({ content }));
  for (const [index, call] of calls.entries()) {
    const { id, name } = call;
    chunks.push(
      chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: call.arguments } }] }),
    );
  }
  if (finish !== null) chunks.push(chunk({}, finish));
  return events([...chunks.map((part) => `data: ${JSON.stringify(part)}\n\n`), 'data: [DONE]\n\n']);
}

function chunk(delta: unknown, finish: string | null = null): unknown {
  return {
    id: 'x',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...(finish === null ? {} : { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }),
  };
}

/** A stream of these texts; without an end when `open`. */
export function events(texts: readonly string[], options: { readonly open?: boolean } = {}): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const text of texts) controller.enqueue(encoder.encode(text));
      if (options.open !== true) controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

export interface SeenPrompt {
  readonly messages: readonly { readonly role: string; readonly content: Json; readonly tool_calls?: Json }[];
  readonly tools?: Json;
  readonly model: string;
}

export interface SeenCall {
  readonly id: number;
  readonly params: {
    readonly name: string;
    readonly arguments: Json;
    readonly _meta: Readonly<Record<string, Json>>;
  };
}

/** Answers `tools/call` with a text, or with what `result` gives. */
export async function toolAnswer(
  request: Request,
  result: (call: SeenCall['params']) => string | Promise<string>,
): Promise<Response> {
  const { id, params } = (await request.json()) as SeenCall;
  const content = [{ type: 'text', text: await result(params) }];
  return Response.json({ jsonrpc: '2.0', id, result: { content, isError: false } });
}

export function turnOf(given: Partial<EngineTurn> = {}): EngineTurn {
  return {
    turnId: 'turn-1',
    capability: 'cap-1',
    model: 'm',
    wire: 'chat-completions',
    system: 'You help.',
    history: [{ role: 'user', text: 'hi' }],
    tools: [],
    maxSteps: 10,
    signal: new AbortController().signal,
    ...given,
  };
}

const ROOT = path.resolve(import.meta.dirname, '../../../..');

/** The agent from its sources. */
export const sourceProgram: AgentProgram = {
  node: process.execPath,
  script: path.join(ROOT, 'src/agent/main.ts'),
  read: ['src', 'node_modules', 'package.json'].map((name) => path.join(ROOT, name)),
};

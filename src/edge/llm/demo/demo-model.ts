// The demo: a rule-based stand-in for a model, in this process, labelled "demo, not an AI". It speaks chat completions
// over the same path as every upstream, so that all checks, limits and records apply to it too. The same conversation
// always gets the same answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type Json } from '../../../core/index.ts';
import { understand, type DemoCall } from './demo-rules.ts';
import {
  announcement,
  greeting,
  help,
  missingTool,
  summary,
  unknown,
  type DemoResult,
} from './demo-words.ts';

export const DEMO_MODEL = 'demo';

interface Reply {
  readonly text: string;
  readonly calls: readonly DemoCall[];
}

/** Answers `POST …/chat/completions` (streaming) and `GET …/models`. */
export function createDemoModel({
  delayMs,
}: {
  readonly delayMs: number;
}): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method === 'GET') {
      return Response.json({ object: 'list', data: [{ id: DEMO_MODEL, name: 'Demo (not an AI)' }] });
    }
    const body = (await request.json()) as Json;
    const reply = replyTo(isJsonObject(body) ? body : {});
    const stream = ReadableStream.from(events(reply, delayMs, request.signal));
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  };
}

function replyTo(body: { readonly [key: string]: Json }): Reply {
  const messages = objects(body['messages']);
  const results = newResults(messages);
  if (results.length > 0) return { text: summary(results), calls: [] };
  const asked = messages.findLast((message) => message['role'] === 'user');
  const intent = understand(textOf(asked?.['content']));
  switch (intent.kind) {
    case 'greet':
      return { text: greeting(nameIn(messages)), calls: [] };
    case 'thanks':
      return { text: 'You are welcome.', calls: [] };
    case 'help':
      return { text: help(), calls: [] };
    case 'unknown':
      return { text: unknown(), calls: [] };
    case 'calls': {
      const offered = new Set(
        objects(body['tools']).map((tool) => isJsonObject(tool['function']) && tool['function']['name']),
      );
      const missing = intent.calls.find((call) => !offered.has(call.name));
      if (missing) return { text: missingTool(missing.name), calls: [] };
      return { text: announcement(intent.calls), calls: intent.calls };
    }
  }
}

/** The results at the end of the conversation: those of the demo's last answer. */
function newResults(messages: readonly Message[]): DemoResult[] {
  const last = messages.findLastIndex((message) => message['role'] !== 'tool');
  const calls = new Map(
    objects(messages[last]?.['tool_calls']).map((call) => [call['id'], call['function']]),
  );
  return messages.slice(last + 1).map((message) => {
    const call = calls.get(message['tool_call_id'] ?? null);
    const given = isJsonObject(call) ? call : {};
    return {
      name: textOf(given['name']),
      arguments: parsed(textOf(given['arguments'])),
      text: textOf(message['content']),
    };
  });
}

async function* events(reply: Reply, delayMs: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const event = (data: unknown): Uint8Array =>
    encoder.encode(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  const chunk = (delta: unknown, finish: string | null = null): Uint8Array =>
    event({
      object: 'chat.completion.chunk',
      model: DEMO_MODEL,
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  for (const words of reply.text.match(/\S+\s*|\s+/g) ?? []) {
    yield chunk({ content: words });
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
  }
  const calls = reply.calls.map((call, index) => ({
    index,
    id: `demo_${index}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  if (calls.length > 0) yield chunk({ tool_calls: calls });
  yield chunk({}, calls.length > 0 ? 'tool_calls' : 'stop');
  // It has no tokens.
  yield event({ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } });
  yield event('[DONE]');
}

type Message = { readonly [key: string]: Json };

function objects(value: Json | undefined): readonly Message[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((item) => isJsonObject(item)) : [];
}

function textOf(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return objects(value)
    .map((part) => part['text'])
    .filter((text) => typeof text === 'string')
    .join('\n');
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // What the demo called with was JSON; a history from another model may hold anything.
    return null;
  }
}

/** The name that the owner gave the assistant, as it stands in the identity part of the system prompt. */
function nameIn(messages: readonly Message[]): string | undefined {
  const system = messages
    .filter((message) => message['role'] === 'system')
    .map((message) => textOf(message['content']));
  const identity = /<identity>(.*?)<\/identity>/s.exec(system.join('\n'))?.[1] ?? '';
  const name = /^\W*name\W*:\W*(\S.{0,63}?)\s*$/im.exec(identity)?.[1];
  return name === undefined || name.toLowerCase() === 'assistant' ? undefined : name;
}

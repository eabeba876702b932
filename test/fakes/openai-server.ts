/**
 * A fake OpenAI-compatible server for tests and benches: real HTTP on loopback, answers by script, every way to misbehave.
 *
 *   const model = await startFakeModel({ answers: [{ text: ['Hel', 'lo'] }] });
 *   // base URL: model.url (ends in /v1); send chat completions to it
 *   model.requests[0].body.messages …
 *   await model.close();
 *
 * - `answers` are given in order, one a request; then `otherwise` (default: the text "ok") for every further one.
 *   `otherwise` may be a function of the request. `model.next(...answers)` appends to the script later.
 * - An answer without `fault` and `status` streams: thinking, text, calls, finish reason, usage, `[DONE]`.
 * - `gate`: the stream stops before its end until `model.release()`; for tests of "while it is running".
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface FakeToolCall {
  readonly name: string;
  /** An object is written as JSON; a string as it is (for garbage). */
  readonly arguments: unknown;
  readonly id?: string;
}

type FakeFault =
  /** The request is read and never answered. */
  | 'hang_before_headers'
  /** Headers and the text so far, then silence; the connection stays open. */
  | 'hang_mid_stream'
  /** The socket is destroyed after the text and half a tool call. */
  | 'cut'
  /** The answer ends cleanly after the text, with neither finish reason nor [DONE]. */
  | 'end_early'
  /** 200 with a web page. */
  | 'html'
  /** An event that is no JSON after the text. */
  | 'garbage_event'
  /** Text for ever, until the client goes. */
  | 'endless'
  /** 50 MB of text in events of 64 KiB. */
  | 'huge'
  /** One line of 50 MB without an end. */
  | 'huge_line'
  /** An `error` event inside the stream. */
  | 'error_event'
  /** A redirect to `location`. */
  | 'redirect'
  /** The answer is gzip although nobody asked for it. */
  | 'gzip';

export interface FakeAnswer {
  /** One chunk, or several. */
  readonly text?: string | readonly string[];
  readonly thinking?: string | readonly string[];
  readonly calls?: readonly FakeToolCall[];
  /** Default: `tool_calls` with calls, `stop` without; null: none is sent. */
  readonly finish?: string | null;
  /** Default: 11 in, 7 out; null: none is sent. */
  readonly usage?: Readonly<Record<string, unknown>> | null;
  /** Before the headers, in ms. */
  readonly delayMs?: number;
  /** Between chunks, in ms. */
  readonly chunkDelayMs?: number;
  readonly gate?: boolean;
  readonly fault?: FakeFault;
  /** Anything but 200: an error in the shape of OpenAI, or `body`. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Replaces the whole stream: written as it is, one write each. */
  readonly raw?: readonly (string | Uint8Array)[];
  /** Leaves out `[DONE]`. */
  readonly noDone?: boolean;
  /** Line ends of the stream. */
  readonly newline?: '\n' | '\r\n';
  readonly location?: string;
}

interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // eslint-disable-next-line typescript/no-explicit-any -- tests read what they expect
  readonly body: any;
  readonly text: string;
  /** Whether the client went away before the answer was complete. */
  aborted: boolean;
}

export interface FakeModelOptions {
  readonly answers?: readonly FakeAnswer[];
  readonly otherwise?: FakeAnswer | ((request: FakeRequest) => FakeAnswer);
  /** For GET /v1/models. */
  readonly models?: readonly (string | Readonly<Record<string, unknown>>)[];
  /** When given, every request must carry it as bearer, or gets 401. */
  readonly apiKey?: string;
  readonly port?: number;
}

export interface FakeModel {
  /** Base URL, ends in /v1. */
  readonly url: string;
  readonly port: number;
  /** The chat requests, oldest first. */
  readonly requests: readonly FakeRequest[];
  /** Requests to other paths (GET /v1/models and strays). */
  readonly others: readonly FakeRequest[];
  next(...answers: FakeAnswer[]): void;
  /** Lets every answer that waits at its gate go on. */
  release(): void;
  /** Sockets that are open now. */
  connections(): number;
  close(): Promise<void>;
}

export async function startFakeModel(options: FakeModelOptions = {}): Promise<FakeModel> {
  const script = [...(options.answers ?? [])];
  const requests: FakeRequest[] = [];
  const others: FakeRequest[] = [];
  const sockets = new Set<Socket>();
  let gates: (() => void)[] = [];

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(incoming);
    const request: FakeRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: parsed(text),
      text,
      aborted: false,
    };
    response.on('close', () => {
      if (!response.writableFinished) request.aborted = true;
    });
    const chat = request.method === 'POST' && request.path.endsWith('/chat/completions');
    (chat ? requests : others).push(request);
    if (options.apiKey !== undefined && request.headers['authorization'] !== `Bearer ${options.apiKey}`) {
      sendError(response, 401, 'Incorrect API key provided.');
      return;
    }
    if (request.method === 'GET' && request.path.endsWith('/models')) {
      const data = (options.models ?? ['fake-model']).map((model) =>
        typeof model === 'string' ? { id: model, object: 'model' } : model,
      );
      send(response, 200, { 'content-type': 'application/json' }, JSON.stringify({ object: 'list', data }));
      return;
    }
    if (!chat) {
      sendError(response, 404, 'Not found');
      return;
    }
    const otherwise =
      typeof options.otherwise === 'function' ? options.otherwise(request) : options.otherwise;
    const next = script.shift() ?? otherwise ?? { text: 'ok' };
    await play(next, response, async () => {
      await new Promise<void>((resolve) => {
        gates.push(resolve);
        response.on('close', resolve);
      });
    });
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    others,
    next: (...answers) => void script.push(...answers),
    release() {
      for (const open of gates) open();
      gates = [];
    },
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function play(
  answer: FakeAnswer,
  response: ServerResponse,
  waitAtGate: () => Promise<void>,
): Promise<void> {
  if (answer.delayMs !== undefined) await sleep(answer.delayMs);
  if (answer.fault === 'hang_before_headers') return;
  if (answer.fault === 'redirect') {
    send(response, 302, { location: answer.location ?? 'http://127.0.0.1:9/' }, '');
    return;
  }
  if (answer.fault === 'html') {
    send(
      response,
      200,
      { 'content-type': 'text/html' },
      '<!doctype html><title>Sign in</title><h1>Hotel Wi-Fi</h1>',
    );
    return;
  }
  if (answer.status !== undefined && answer.status !== 200) {
    const body =
      answer.body ?? JSON.stringify({ error: { message: `fake error ${answer.status}`, type: 'fake' } });
    send(response, answer.status, { 'content-type': 'application/json', ...answer.headers }, body);
    return;
  }
  const headers: Record<string, string> = { 'content-type': 'text/event-stream', ...answer.headers };
  if (answer.fault === 'gzip') headers['content-encoding'] = 'gzip';
  response.writeHead(200, headers);
  response.flushHeaders();
  await stream(answer, response, waitAtGate);
}

async function stream(
  answer: FakeAnswer,
  response: ServerResponse,
  waitAtGate: () => Promise<void>,
): Promise<void> {
  const newline = answer.newline ?? '\n';
  const event = (data: unknown): string =>
    `data: ${typeof data === 'string' ? data : JSON.stringify(data)}${newline}${newline}`;
  const chunk = (delta: unknown, finish: string | null = null): string =>
    event({
      id: 'chatcmpl-fake',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'fake-model',
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  const out = async (text: string | Uint8Array): Promise<boolean> => {
    if (response.destroyed) return false;
    if (!response.write(text)) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          response.off('drain', go).off('close', go);
          resolve();
        };
        response.on('drain', go).on('close', go);
      });
    }
    if (answer.chunkDelayMs !== undefined) await sleep(answer.chunkDelayMs);
    return !response.destroyed;
  };

  if (answer.raw !== undefined) {
    for (const piece of answer.raw) await out(piece);
    response.end();
    return;
  }
  await out(chunk({ role: 'assistant', content: '' }));
  for (const piece of pieces(answer.thinking)) await out(chunk({ reasoning_content: piece }));
  for (const piece of pieces(answer.text)) await out(chunk({ content: piece }));

  switch (answer.fault) {
    case 'hang_mid_stream':
      return;
    case 'end_early':
      response.end();
      return;
    case 'garbage_event':
      await out(event('{"choices":[{"delta":'));
      response.end(event('[DONE]'));
      return;
    case 'error_event':
      await out(event({ error: { message: 'fake trouble inside the stream', code: 502 } }));
      response.end();
      return;
    case 'endless':
      while (await out(chunk({ content: 'and so on '.repeat(100) })));
      return;
    case 'huge':
      for (let sent = 0; sent < 50_000_000; sent += 65_536) {
        if (!(await out(chunk({ content: 'x'.repeat(65_536) })))) return;
      }
      break;
    case 'huge_line':
      await out('data: {"choices":[{"delta":{"content":"');
      for (let sent = 0; sent < 50_000_000; sent += 65_536) if (!(await out('x'.repeat(65_536)))) return;
      break;
    case 'cut': {
      const [call] = answer.calls ?? [];
      if (call) await out(chunk({ tool_calls: [delta(call, 0, argumentsOf(call).slice(0, -1))] }));
      // The bytes must be out before the socket dies.
      await sleep(20);
      response.destroy();
      return;
    }
    // The others are played before the stream begins, or in its headers.
    case 'gzip':
    case 'hang_before_headers':
    case 'html':
    case 'redirect':
    case undefined:
      break;
  }
  for (const [index, call] of (answer.calls ?? []).entries()) {
    const text = argumentsOf(call);
    const half = Math.ceil(text.length / 2);
    await out(chunk({ tool_calls: [delta(call, index, text.slice(0, half))] }));
    await out(chunk({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] }));
  }
  if (answer.gate === true) await waitAtGate();
  const finish = answer.finish === undefined ? (answer.calls?.length ? 'tool_calls' : 'stop') : answer.finish;
  if (finish !== null) await out(chunk({}, finish));
  const usage =
    answer.usage === undefined ? { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } : answer.usage;
  if (usage !== null)
    await out(event({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', choices: [], usage }));
  if (answer.noDone !== true) await out(event('[DONE]'));
  response.end();
}

function delta(call: FakeToolCall, index: number, text: string): unknown {
  return {
    index,
    id: call.id ?? `call_fake${index}`,
    type: 'function',
    function: { name: call.name, arguments: text },
  };
}

function argumentsOf(call: FakeToolCall): string {
  return typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments);
}

function pieces(text: string | readonly string[] | undefined): readonly string[] {
  return text === undefined ? [] : typeof text === 'string' ? [text] : text;
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string): void {
  response.writeHead(status, headers);
  response.end(body);
}

function sendError(response: ServerResponse, status: number, message: string): void {
  const body = JSON.stringify({ error: { message, type: 'fake', code: null } });
  send(response, status, { 'content-type': 'application/json' }, body);
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

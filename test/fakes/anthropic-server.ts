/**
 * A model server that speaks Anthropic's Messages on loopback, for what a well-behaved one never says.
 *
 *   const model = await startAnthropicServer();
 *   model.next({ events: [...] }, { status: 529, body: {...} });
 *   // base URL: model.url (ends in /v1)
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AnthropicAnswer {
  /** Sent one after the other; default: the text "ok" in a whole message. */
  readonly events?: readonly unknown[];
  /** The socket is destroyed behind the events. */
  readonly cut?: boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface AnthropicServer {
  readonly url: string;
  // eslint-disable-next-line typescript/no-explicit-any -- tests read what they expect
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: any }[];
  next(...answers: readonly AnthropicAnswer[]): void;
  close(): Promise<void>;
}

type Block = Readonly<Record<string, unknown>> & { readonly type: string };

/** The events of a whole message. A `tool_use` says its input in two pieces, text and thinking in one. */
export function messageEvents(
  blocks: readonly Block[],
  stop: string | null = 'end_turn',
  usage: Readonly<Record<string, unknown>> = { input_tokens: 11, output_tokens: 7 },
): unknown[] {
  const { output_tokens: output, ...input } = usage;
  return [
    {
      type: 'message_start',
      message: { id: 'msg_1', role: 'assistant', content: [], usage: { ...input, output_tokens: 1 } },
    },
    { type: 'ping' },
    ...blocks.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: startOf(block) },
      ...deltasOf(block).map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    {
      type: 'message_delta',
      delta: { stop_reason: stop, stop_sequence: null },
      usage: { output_tokens: output },
    },
    { type: 'message_stop' },
  ];
}

function startOf(block: Block): Block {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' };
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool_use':
      return { ...block, input: {} };
    default:
      return block;
  }
}

function deltasOf(block: Block): unknown[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text_delta', text: block['text'] }];
    case 'thinking':
      return [
        { type: 'thinking_delta', thinking: block['thinking'] },
        { type: 'signature_delta', signature: block['signature'] },
      ];
    case 'tool_use': {
      const text = typeof block['input'] === 'string' ? block['input'] : JSON.stringify(block['input']);
      return [text.slice(0, 3), text.slice(3)].map((piece) => ({
        type: 'input_json_delta',
        partial_json: piece,
      }));
    }
    default:
      return [];
  }
}

export async function startAnthropicServer(): Promise<AnthropicServer> {
  const script: AnthropicAnswer[] = [];
  const requests: AnthropicServer['requests'] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body: unknown = text === '' ? null : JSON.parse(text);
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      const answer = script.shift() ?? {};
      if (answer.status !== undefined || answer.body !== undefined) {
        response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
        response.end(JSON.stringify(answer.body ?? {}));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of answer.events ?? messageEvents([{ type: 'text', text: 'ok' }])) {
        response.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
      }
      if (answer.cut === true) setTimeout(() => response.destroy(), 20);
      else response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    next: (...answers) => void script.push(...answers),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

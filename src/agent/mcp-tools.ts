import { setTimeout } from 'node:timers/promises';

import type { Json } from '../core/index.ts';
import { MCP_ORIGIN } from './parent-fetch.ts';

const PROTOCOL_VERSION = '2026-07-28';
const RATE_LIMITED = -32000;
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': PROTOCOL_VERSION,
  'io.modelcontextprotocol/clientInfo': { name: 'openpact-agent', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

interface ToolsCall {
  readonly name: string;
  readonly arguments: Json;
  readonly _meta: Readonly<Record<string, unknown>>;
}

type Answer =
  | { readonly kind: 'result'; readonly result: McpResult }
  | { readonly kind: 'wait'; readonly afterMs: number };

/** The tools can't be reached at all: the turn can't go on. */
export class ToolsUnavailable extends Error {
  override readonly name = 'ToolsUnavailable';
}

/** What a call came to, for the model. */
export interface McpResult {
  readonly text: string;
  readonly isError: boolean;
}

/** Calls tools by MCP's stateless revision: one POST a call, everything that the server must know in `_meta`. */
export interface McpTools {
  call(callId: string, name: string, args: Json, signal: AbortSignal): Promise<McpResult>;
}

export function createMcpTools(fetch: typeof globalThis.fetch, capability: string): McpTools {
  let last = 0;

  async function ask(params: ToolsCall, signal: AbortSignal): Promise<Answer> {
    last += 1;
    const id = last;
    const response = await fetch(`${MCP_ORIGIN}/mcp`, {
      method: 'POST',
      signal,
      headers: {
        authorization: `Bearer ${capability}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': PROTOCOL_VERSION,
        'mcp-method': 'tools/call',
        'mcp-name': headerValue(params.name),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }),
    });
    const text = await response.text();
    if (response.status === 401) throw new ToolsUnavailable('The tools refused this turn: it is over.');
    const answer = answerWithId(text, response.headers.get('content-type') ?? '', id);
    if (answer === undefined) {
      throw new ToolsUnavailable(`The tools gave an answer that is not MCP (status ${response.status}).`);
    }
    return answer;
  }

  return {
    async call(callId, name, args, signal) {
      const params = { name, arguments: args, _meta: { ...ENVELOPE, 'openpact/call': callId } };
      try {
        for (;;) {
          const answer = await ask(params, signal);
          if (answer.kind === 'result') return answer.result;
          // Nothing was run: the same call may come again.
          await setTimeout(answer.afterMs, undefined, { signal });
        }
      } catch (error) {
        if (signal.aborted || error instanceof ToolsUnavailable) throw error;
        throw new ToolsUnavailable('The connection to the tools was cut during a call.');
      }
    },
  };
}

/** Header values are ASCII; MCP says how to write others (SEP-2243). */
function headerValue(text: string): string {
  return /^[\x21-\x7e]+$/.test(text)
    ? text
    : `=?base64?${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}?=`;
}

function answerWithId(text: string, contentType: string, id: number): Answer | undefined {
  const candidates = contentType.includes('text/event-stream') ? eventData(text) : [text];
  const message = candidates.map(parsed).find((candidate) => candidate?.['id'] === id);
  const error = record(message?.['error']);
  if (error !== undefined) {
    const afterMs = error['code'] === RATE_LIMITED ? record(error['data'])?.['retry_after_ms'] : undefined;
    if (typeof afterMs === 'number') return { kind: 'wait', afterMs };
    return {
      kind: 'result',
      result: { text: `The call was refused: ${String(error['message'])}`, isError: true },
    };
  }
  const result = record(message?.['result']);
  if (result === undefined || !Array.isArray(result['content'])) return undefined;
  return {
    kind: 'result',
    result: { text: contentText(result['content']), isError: result['isError'] === true },
  };
}

function contentText(content: readonly unknown[]): string {
  return content
    .map((part) => record(part)?.['text'])
    .filter((part) => typeof part === 'string')
    .join('\n');
}

/** The data of each server-sent event. */
function eventData(text: string): string[] {
  return text.split(/\r?\n\r?\n/).map((event) =>
    event
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trimStart())
      .join('\n'),
  );
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return record(JSON.parse(text));
  } catch {
    return undefined; // not JSON: the caller says what that means
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

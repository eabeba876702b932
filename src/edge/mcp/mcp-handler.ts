// Guarantees: nothing is answered without the live capability of a running turn (exact, compared by the port in constant
// time, never logged); bodies over 1 MiB, batches and what is no JSON-RPC request don't reach the SDK; the rate is bounded
// per turn; an inner error says nothing about itself.
// Does not: decide, run, redact or record a call. It hands each to the gate (tool-gate.ts) and gives back its answer.
// An attacker may control: the whole request. The built-in agent's arrive over its pipes, others' over a listener.
import {
  createMcpHandler as createSdkHandler,
  localhostAllowedOrigins,
  originValidationResponse,
  readRequestBody,
} from '@modelcontextprotocol/server';

import { errorText, newId, type Clock, type Log } from '../../core/index.ts';
import { errorResponse, INTERNAL_ERROR, RATE_LIMITED, readMessage } from './json-rpc.ts';
import { createRateLimit } from './rate-limit.ts';
import { jsonOfEvents } from './json-of-events.ts';
import type { McpTurn, ToolGate } from './tool-gate.ts';
import { createTurnServer } from './turn-server.ts';

const MOST_BODY_BYTES = 1024 * 1024;
/** A call may wait for a person: without a sign of life clients give up after 5 minutes. */
const KEEP_ALIVE_MS = 15_000;
const JSON_AND_EVENTS = 'application/json, text/event-stream';

export interface McpHandlerDeps {
  readonly gate: ToolGate;
  /** Of the product, as `initialize` tells it. */
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds between signs of life while a call runs. Default 15,000. */
  readonly keepAliveMs?: number | undefined;
}

export interface McpHandler {
  /** Answers `POST /mcp`, whatever carries it. Never rejects. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/** MCP over streamable HTTP (2026-07-28, and 2025 without sessions), requirements §6.2. */
export function createMcpHandler(deps: McpHandlerDeps): McpHandler {
  const { gate, version, log, clock } = deps;
  const limit = createRateLimit(clock);

  async function answer(request: Request): Promise<Response> {
    if (request.method !== 'POST') {
      return new Response('Method not allowed: use POST.\n', { status: 405, headers: { allow: 'POST' } });
    }
    const foreign = originValidationResponse(request, localhostAllowedOrigins());
    if (foreign !== undefined) return foreign;
    const capability = bearer(request);
    const turn = capability === undefined ? undefined : gate.turnFor(capability);
    if (capability === undefined || turn === undefined) {
      return new Response('Unauthorized: the capability is missing, wrong, or its turn is over.\n', {
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    const read = await readRequestBody(request, MOST_BODY_BYTES);
    if (read.tooLarge) return new Response('The body is over 1 MiB.\n', { status: 413 });
    const message = readMessage(read.text);
    if (message.kind === 'bad') {
      const status = message.id === null ? 400 : 200;
      return errorResponse(status, message.id, message.code, message.message);
    }
    if (message.kind === 'notification') return new Response(null, { status: 202 });
    const pause = limit.spend(capability);
    if (pause !== null) {
      return errorResponse(200, message.id, RATE_LIMITED, 'Too many requests: try again a little later.', {
        retry_after_ms: pause,
      });
    }
    return await serve(request, turn, message.body);
  }

  async function serve(request: Request, turn: McpTurn, parsedBody: unknown): Promise<Response> {
    const sdk = createSdkHandler(() => createTurnServer(turn, version, request.signal, log), {
      responseMode: 'sse',
      keepAliveMs: deps.keepAliveMs ?? KEEP_ALIVE_MS,
      onerror: (error) => log.debug('The MCP library refused a request.', { error: errorText(error) }),
    });
    const takesEvents = request.headers.get('accept')?.includes('text/event-stream') === true;
    const headers = new Headers(request.headers);
    headers.set('accept', JSON_AND_EVENTS);
    const forwarded = new Request(request.url, { method: 'POST', headers, signal: request.signal });
    const response = await sdk.fetch(forwarded, { parsedBody });
    return takesEvents ? response : await jsonOfEvents(response);
  }

  return {
    async fetch(request) {
      try {
        return await answer(request);
      } catch (error) {
        const id = newId('err');
        log.error('A request of an MCP client met a bug.', { id, error: errorText(error) });
        return errorResponse(500, null, INTERNAL_ERROR, `Internal error (${id}).`);
      }
    },
  };
}

function bearer(request: Request): string | undefined {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.get('authorization') ?? '');
  return match?.[1];
}

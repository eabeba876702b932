import { isJsonObject, isShallow, type JsonObject } from '../../core/index.ts';

/** Codes of JSON-RPC 2.0, and the one of ours for "too many calls" (requirements §6.2). */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
export const RATE_LIMITED = -32000;
/** What validates and stores the arguments goes into each level; no tool needs as many. */
const MOST_DEPTH = 64;

export type RequestId = string | number;

export type Message =
  | { readonly kind: 'request'; readonly id: RequestId; readonly body: JsonObject }
  | { readonly kind: 'notification' }
  | {
      readonly kind: 'bad';
      readonly id: RequestId | null;
      readonly code: number;
      readonly message: string;
    };

/** Says what a body is, by JSON-RPC 2.0 and MCP: one request or one notification, parameters by name. */
export function readMessage(text: string): Message {
  if (!isShallow(text, MOST_DEPTH))
    return invalid(null, `objects and lists are more than ${MOST_DEPTH} levels deep`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'bad', id: null, code: PARSE_ERROR, message: 'Parse error: the body is not valid JSON.' };
  }
  if (Array.isArray(body)) return invalid(null, 'batches are not supported');
  if (!isJsonObject(body)) return invalid(null, 'the body is not an object');
  const { jsonrpc, method, id, params } = body;
  if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id)) {
    return invalid(null, 'the id is neither a text nor a whole number');
  }
  const known = id as RequestId | undefined;
  if (jsonrpc !== '2.0') return invalid(known ?? null, 'jsonrpc is not "2.0"');
  if (typeof method !== 'string' || method === '') return invalid(known ?? null, 'the method is missing');
  if (known === undefined) return { kind: 'notification' };
  if (params !== undefined && !isJsonObject(params)) {
    return {
      kind: 'bad',
      id: known,
      code: INVALID_PARAMS,
      message: 'Invalid params: params is not an object.',
    };
  }
  return { kind: 'request', id: known, body };
}

function invalid(id: RequestId | null, why: string): Message {
  return { kind: 'bad', id, code: INVALID_REQUEST, message: `Invalid request: ${why}.` };
}

export function errorResponse(
  status: number,
  id: RequestId | null,
  code: number,
  message: string,
  data?: JsonObject,
): Response {
  const error = data === undefined ? { code, message } : { code, message, data };
  return Response.json({ jsonrpc: '2.0', id, error }, { status });
}

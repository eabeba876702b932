import type { Refusal } from './allowed-request.ts';

/** The engine asked for what it may not have. */
export const REFUSED = 403;
/**
 * The upstream failed and asking again has been tried here. A status that no client repeats by itself
 * (RFC 9110 §15.5: 424 is "failed dependency" of RFC 4918).
 */
export const UPSTREAM_FAILED = 424;
/** Our own fault. */
export const BROKEN = 500;

/** An error in the shape that OpenAI clients read. */
export function errorResponse(status: number, { code, message }: Refusal): Response {
  const body = JSON.stringify({ error: { message, type: 'gateway', param: null, code } });
  return new Response(body, { status, headers: { 'content-type': 'application/json' } });
}

import type { Json } from '../../core/index.ts';
import type { Refusal } from './wires/refusals.ts';
import type { Wire } from './wires/wire.ts';

/** The engine asked for what it may not have. */
export const REFUSED = 403;
/**
 * The upstream failed and asking again has been tried here. A status that no client repeats by itself
 * (RFC 9110 §15.5: 424 is "failed dependency" of RFC 4918).
 */
export const UPSTREAM_FAILED = 424;
/** Our own fault. */
export const BROKEN = 500;

/** An error in the shape that the wire's client reads; without a wire in one that most of them read. */
export function errorResponse(status: number, { code, message }: Refusal, wire?: Wire): Response {
  const body: Json = wire?.failureBody({ code, message }) ?? {
    type: 'error',
    error: { message, type: 'gateway', code },
  };
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

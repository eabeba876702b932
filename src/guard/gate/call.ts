import type { Json, Origin, Principal, RedactionCounts, ToolOutcomeKind } from '../../core/index.ts';
import type { ToolCallKey } from '../../host/storage/index.ts';

/** A call as an engine asks for it. What will run is what the gateway recorded, and it must be the same. */
export interface CallRequest {
  /** The id that the gateway gave to the call: `c`, four digits of the step, four of the index. */
  readonly callId: string;
  readonly tool: string;
  readonly arguments: Json;
}

/** The turn on whose behalf a call is made. The gate asks it nothing else. */
export interface CallTurn {
  readonly turnId: string;
  readonly conversationId: string;
  readonly origin: Origin;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  /** The step whose calls may run now: older ones were given up. */
  readonly step: () => number;
  /** The model's words before the calls of this step. */
  readonly words: () => string;
  /** Waiting for a person does not count as the turn's time. */
  readonly pause: () => () => void;
}

/** How a call ended, as everybody hears it. */
export interface CallAnswer {
  readonly kind: ToolOutcomeKind;
  readonly isError: boolean;
  /** For the model: a value, or a sentence when it is an error. Redacted. */
  readonly value: Json;
  readonly hidden: RedactionCounts;
  readonly rule: string | null;
}

const CALL_ID = /^c(\d{4})(\d{4})$/;

export function parseCallId(turnId: string, callId: string): ToolCallKey | undefined {
  const match = CALL_ID.exec(callId);
  if (!match) return undefined;
  return { turn_id: turnId, step: Number(match[1]), idx: Number(match[2]) };
}

/** The id that the gateway gives to call `idx` of step `step` (both 0 to 9999). */
export function callIdOf({ step, idx }: { readonly step: number; readonly idx: number }): string {
  return `c${String(step).padStart(4, '0')}${String(idx).padStart(4, '0')}`;
}

// Guarantees: refusals are in the audit log, and an engine that repeats them can't fill it: at most `PER_MINUTE` rows a
// minute, the next row counts what was left out. An attacker may control: how often a refusal happens.
import type { Clock, Json, Origin, Principal } from '../../core/index.ts';
import type { Audit } from '../../guard/audit/index.ts';
import type { GatewayTurn } from './ports.ts';
import type { Refusal } from './wires/refusals.ts';

const PER_MINUTE = 30;

export type RefusalLog = (
  refusal: Refusal,
  turn?: GatewayTurn,
  /** Of a budget, which has an event of its own. */
  budget?: Readonly<Record<string, Json>>,
) => void;

export function createRefusalLog(audit: Audit, clock: Clock): RefusalLog {
  let began = clock.monotonic();
  let written = 0;
  let left = 0;
  return ({ code, message }, turn, budget) => {
    const now = clock.monotonic();
    if (now - began > 60_000) {
      began = now;
      written = 0;
    }
    if (written >= PER_MINUTE) {
      left += 1;
      return;
    }
    written += 1;
    // A refusal only reduces power: it stands even when its row can't be written.
    audit.note({
      event: budget === undefined ? 'llm.refused' : 'budget.refused',
      ...whoOf(turn),
      target: turn === undefined ? 'llm' : `${turn.provider}/${turn.model}`,
      outcome: 'refused',
      details: { code, why: message, ...budget, ...(left > 0 ? { left_out_before: left } : {}) },
    });
    left = 0;
  };
}

export function whoOf(turn: GatewayTurn | undefined): {
  readonly principal: Principal;
  readonly origin: Origin;
} {
  if (turn === undefined) return { principal: { kind: 'anonymous', address: 'engine' }, origin: 'system' };
  const { turnId, conversationId, origin } = turn;
  return { principal: { kind: 'assistant', turnId, conversationId }, origin };
}

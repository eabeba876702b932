import type { TurnStatus } from '../core/index.ts';
import type { EngineOutcome } from './adapter.ts';
import type { AbortCause, TurnProblem } from './turn-runtime.ts';

export const INTERRUPTED: TurnProblem = {
  code: 'interrupted',
  message:
    'OpenPact stopped while this answer was being made. What is shown here is everything that happened; continue when you want.',
};

export const PARKED: TurnProblem = {
  code: 'parked',
  message:
    'Many turns wait for your decisions, so this one gave up its place. Decide here or under Approvals, then continue.',
};

/** How a turn ended, from what the engine said, who aborted it and what the gateway saw. */
export function verdict(
  outcome: EngineOutcome,
  by: AbortCause | undefined,
  problem: TurnProblem | undefined,
): { status: TurnStatus; problem: TurnProblem | undefined } {
  if (by === 'user') return { status: 'stopped', problem: undefined };
  if (by === 'shutdown') return { status: 'interrupted', problem: INTERRUPTED };
  if (by === 'parked') return { status: 'interrupted', problem: PARKED };
  if (by !== undefined) return { status: 'failed', problem };
  if (outcome.kind === 'finished') return { status: problem ? 'failed' : 'done', problem };
  // The gateway's words say more than the engine's about the same failure.
  if (outcome.kind === 'failed')
    return { status: 'failed', problem: problem ?? { code: outcome.code, message: outcome.message } };
  return {
    status: 'failed',
    problem: problem ?? { code: 'engine_stopped', message: 'The engine ended the turn by itself. Retry.' },
  };
}

import { AppError } from '../../core/index.ts';
import type { RunEnd } from './ports.ts';

/** Why a run was ended from outside, by the reason of its signal. */
const KILLED: Readonly<Record<string, string>> = {
  approval: 'its approval was taken back or changed while it ran',
  expired: 'its approval ran out while it ran',
  stopped: 'it was stopped',
  audit: 'its use of a secret could not be written into the audit log',
};

/**
 * What is said of a run that did not end well; null for one that did. `why`: what ended it from outside. `failure`: what was
 * thrown where there is no end.
 */
export function runError(
  why: string | undefined,
  end: RunEnd | undefined,
  failure: unknown,
): RunEnd['error'] {
  if (why !== undefined)
    return { code: 'killed', message: `The run was ended: ${KILLED[why] ?? why}.`, line: null };
  if (end !== undefined) return end.error;
  const told = failure instanceof AppError ? failure : undefined;
  return {
    code: told?.code ?? 'run_failed',
    message: told?.message ?? 'The run could not be started.',
    line: null,
  };
}

/** Requirements 7.8: what one run may use, and what waits. */
import { AppError } from '../../core/index.ts';
import { TRAFFIC_LIMITS, type TrafficLimits } from '../../guard/secrets/broker/index.ts';
import { SCRIPT_LIMITS, type ScriptLimits } from '../script/outcome.ts';

export interface RunLimits extends ScriptLimits, TrafficLimits {
  /** Milliseconds from the order to the outcome, at most 300,000. */
  readonly time: number;
  /** Characters of the arguments as JSON. */
  readonly args: number;
}

export const RUN_LIMITS: RunLimits = {
  ...SCRIPT_LIMITS,
  ...TRAFFIC_LIMITS,
  time: 30_000,
  args: 1024 * 1024,
};

export interface QueueLimits {
  /** Runs at once. */
  readonly running: number;
  /** Runs that wait, of all scripts and of one. */
  readonly waiting: number;
  readonly waitingPerScript: number;
}

export const QUEUE_LIMITS: QueueLimits = { running: 4, waiting: 256, waitingPerScript: 128 };

const LONGEST_MS = 300_000;

/** Errors: input `run_limits_invalid`. */
export function limitsOf(given: Partial<RunLimits> | undefined): RunLimits {
  const limits = { ...RUN_LIMITS, ...given };
  const wrong = Object.entries(limits).find(([, value]) => !Number.isSafeInteger(value) || value < 0);
  if (wrong !== undefined || limits.time > LONGEST_MS) {
    throw new AppError({
      family: 'input',
      code: 'run_limits_invalid',
      message: `The limit ${wrong?.[0] ?? 'time'} of a script run is out of range.`,
    });
  }
  return limits;
}

export function scriptLimits(limits: RunLimits): ScriptLimits {
  const { steps, memory, source, result, resultDepth, print, sleep } = limits;
  return { steps, memory, source, result, resultDepth, print, sleep };
}

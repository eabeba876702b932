import type { Bench } from './bench.ts';

/** `failed`: it should be on and is not. */
export type ControlState = 'on' | 'off_by_config' | 'not_possible_here' | 'failed';

export interface Finding {
  readonly state: ControlState;
  /** What was done just now and what came of it: sentences. */
  readonly how: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

/** One attempt that shows whether one or several controls hold. */
export interface Check {
  /** Rows of docs/security.md, or names of `BEYOND_ROWS`. */
  readonly ids: readonly string[];
  /** A few words for the screen. */
  readonly title: string;
  run(bench: Bench): Promise<Finding> | Finding;
}

export interface CheckGroup {
  readonly name: string;
  readonly checks: readonly Check[];
}

/** On when nothing was found to be wrong. `did` ends without a full stop. */
export function judged(did: string, wrong: readonly (string | false | undefined)[], fix?: string): Finding {
  const found = wrong.filter((text) => typeof text === 'string');
  if (found.length === 0) return { state: 'on', how: `${did}.` };
  return { state: 'failed', how: `${did}. But ${found.join('; ')}.`, fix };
}

export function offByConfig(how: string): Finding {
  return { state: 'off_by_config', how };
}

export function notHere(how: string, fix?: string): Finding {
  return { state: 'not_possible_here', how, fix };
}

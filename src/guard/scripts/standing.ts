// Guarantees: a run goes on only under the approval that it began with. That is looked up again before anything leaves and
// when its result is taken, and not only when somebody is told of a decision.
// Does not: know that an approval runs out (`approval-expiry.ts` takes it back); concern itself with code without a script.
// An attacker may control: when a text, a file or an approval changes.
import { AppError } from '../../core/index.ts';
import type { ScriptDecisions } from './decisions.ts';
import type { ScriptLibrary } from './library.ts';

export interface StandingRun {
  /** Empty for code without a script. */
  readonly name: string;
  /** What it stood on at its beginning. */
  readonly approval: string;
  readonly controller: AbortController;
}

export interface Standing {
  /** What a run of this script would stand on now; null: nothing. */
  of(name: string): string | null;
  /** Whether it may go on; a run that may not is ended. */
  holds(run: StandingRun): boolean;
}

export function createStanding(deps: {
  readonly library: Pick<ScriptLibrary, 'state'>;
  readonly decisions: Pick<ScriptDecisions, 'isHeld'>;
}): Standing {
  function of(name: string): string | null {
    if (deps.decisions.isHeld(name)) return null;
    const state = deps.library.state(name);
    if (state === undefined || state.status === 'disabled' || state.onDisk === 'missing') return null;
    return state.approved === undefined ? null : `${state.approved.hash} ${state.approved.granted.text}`;
  }

  function stillThere({ name, approval }: StandingRun): boolean {
    try {
      return of(name) === approval;
    } catch (error) {
      // A stored text that is damaged: nothing stands on it.
      if (error instanceof AppError) return false;
      throw error;
    }
  }

  return {
    of,
    holds(run) {
      if (run.controller.signal.aborted) return false;
      if (run.name === '' || stillThere(run)) return true;
      run.controller.abort('approval');
      return false;
    },
  };
}

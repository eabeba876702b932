import { errorText, type Log } from '../core/index.ts';
import type { EngineOutcome } from './adapter.ts';
import { storeEnd, tellEnd, turnEnd, type TurnEnd, type TurnEndDeps } from './turn-end.ts';
import type { TurnRuntime } from './turn-runtime.ts';

/** How often an end that could not be stored is tried again. */
const RETRY_MS = 2_000;

/**
 * Ends turns. A disk that takes nothing must not keep a turn alive: the conversation then hears of the end at once, and
 * the disk when it takes it.
 */
export function createTurnEndings(
  deps: TurnEndDeps & { readonly log: Log },
): (runtime: TurnRuntime, outcome: EngineOutcome) => void {
  const { log } = deps;
  /** Oldest first. */
  const unstored: { readonly runtime: TurnRuntime; readonly end: TurnEnd }[] = [];

  function storeLate(): void {
    for (let first = unstored[0]; first; first = unstored[0]) {
      try {
        storeEnd(deps, first.runtime, first.end, true);
        unstored.shift();
      } catch (error) {
        log.warn('the end of a turn still can not be stored', { problem: errorText(error) });
        setTimeout(storeLate, RETRY_MS).unref();
        return;
      }
    }
  }

  return (runtime, outcome) => {
    const end = turnEnd(deps, runtime, outcome);
    try {
      storeEnd(deps, runtime, end, false);
    } catch (error) {
      log.error('the end of a turn could not be stored', { turn: runtime.turnId, problem: errorText(error) });
      tellEnd(deps, runtime, end);
      unstored.push({ runtime, end });
      setTimeout(storeLate, RETRY_MS).unref();
    }
  };
}

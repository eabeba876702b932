import { errorText, type Log } from '../core/index.ts';
import type { EngineOutcome } from './adapter.ts';
import { storeEnd, tellEnd, turnEnd, type TurnEnd, type TurnEndDeps } from './turn-end.ts';
import type { TurnRuntime } from './turn-runtime.ts';

/** How often an end that could not be stored is tried again. */
const RETRY_MS = 2_000;

export interface TurnEndings {
  finish(runtime: TurnRuntime, outcome: EngineOutcome): void;
  /** Tries once more what could not be stored, and then no more: the next start finds those turns without an end. */
  close(): void;
}

/**
 * Ends turns. A disk that takes nothing must not keep a turn alive: the conversation then hears of the end at once, and
 * the disk when it takes it.
 */
export function createTurnEndings(deps: TurnEndDeps & { readonly log: Log }): TurnEndings {
  const { log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  /** Oldest first. */
  const unstored: { readonly runtime: TurnRuntime; readonly end: TurnEnd }[] = [];

  function retryLater(): void {
    if (!closed) timer ??= setTimeout(storeLate, RETRY_MS).unref();
  }

  function storeLate(): void {
    timer = undefined;
    for (let first = unstored[0]; first; first = unstored[0]) {
      try {
        storeEnd(deps, first.runtime, first.end, true);
        unstored.shift();
      } catch (error) {
        log.warn('the end of a turn still can not be stored', { problem: errorText(error) });
        retryLater();
        return;
      }
    }
  }

  return {
    finish(runtime, outcome) {
      const end = turnEnd(deps, runtime, outcome);
      try {
        storeEnd(deps, runtime, end, false);
      } catch (error) {
        log.error('the end of a turn could not be stored', {
          turn: runtime.turnId,
          problem: errorText(error),
        });
        tellEnd(deps, runtime, end);
        unstored.push({ runtime, end });
        retryLater();
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      storeLate();
    },
  };
}

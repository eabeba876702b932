import type { Clock } from '../core/index.ts';

/** Counts a turn's own time: what passes while a person decides does not count. */
export interface TurnClock {
  /** Stops counting until the returned function is called. Pauses may overlap. */
  pause(): () => void;
  stop(): void;
}

/** Calls `onTimeout` once `limitMs` of own time are over. Uses the clock that only goes forward. */
export function createTurnClock(clock: Clock, limitMs: number, onTimeout: () => void): TurnClock {
  let left = limitMs;
  let since = clock.monotonic();
  let pauses = 0;
  let timer: NodeJS.Timeout | undefined = setTimeout(onTimeout, left);
  return {
    pause() {
      pauses += 1;
      if (pauses === 1) {
        clearTimeout(timer);
        left -= clock.monotonic() - since;
      }
      let over = false;
      return () => {
        if (over) return;
        over = true;
        pauses -= 1;
        if (pauses === 0 && timer !== undefined) {
          since = clock.monotonic();
          timer = setTimeout(onTimeout, Math.max(0, left));
        }
      };
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

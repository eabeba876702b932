/**
 * Who runs next: so many at once, one of each script, and the waiting ones in turn by lane, within a lane by script. One
 * script with a hundred runs waits behind itself, not before others.
 */
import type { QueueLimits } from './limits.ts';

interface Waiting {
  readonly start: () => void;
}

export interface Turn {
  /** Gives the place to the next. */
  leave(): void;
}

export interface FairQueue {
  /** Resolves when it is this run's turn; 'full' at once, 'cancelled' when the signal ends before. */
  enter(who: {
    readonly lane: string;
    readonly script: string;
    readonly signal: AbortSignal;
  }): Promise<Turn | 'full' | 'cancelled'>;
  readonly running: number;
  readonly waiting: number;
}

export function createFairQueue(limits: QueueLimits): FairQueue {
  const lanes = new Map<string, Map<string, Waiting[]>>();
  /** The last turn of each lane and script; forgotten when nobody waits or runs. */
  const served = new Map<string, number>();
  let turns = 0;
  const running = new Set<string>();
  let waiting = 0;

  function next(): Waiting | undefined {
    for (const [lane, scripts] of byTurn(lanes, (name) => name)) {
      for (const [script, runs] of byTurn(scripts, (name) => `${lane}\0${name}`)) {
        const run = running.has(script) ? undefined : runs.shift();
        if (run === undefined) continue;
        if (runs.length === 0) scripts.delete(script);
        if (scripts.size === 0) lanes.delete(lane);
        turns += 1;
        served.set(lane, turns).set(`${lane}\0${script}`, turns);
        running.add(script);
        waiting -= 1;
        return run;
      }
    }
    return undefined;
  }

  /** Who had a turn longest ago, or never, comes first; among those, who came first. */
  function byTurn<T>(entries: ReadonlyMap<string, T>, key: (name: string) => string): [string, T][] {
    const last = (name: string): number => served.get(key(name)) ?? 0;
    return [...entries].toSorted(([a], [b]) => last(a) - last(b));
  }

  function startNext(): void {
    while (running.size < limits.running) {
      const run = next();
      if (run === undefined) return;
      run.start();
    }
  }

  function turnOf(script: string): Turn {
    let left = false;
    return {
      leave() {
        if (left) return;
        left = true;
        running.delete(script);
        startNext();
        if (running.size === 0) served.clear();
      },
    };
  }

  return {
    async enter({ lane, script, signal }) {
      if (signal.aborted) return 'cancelled';
      const scripts = lanes.get(lane) ?? new Map<string, Waiting[]>();
      const runs = scripts.get(script) ?? [];
      const atOnce = running.size < limits.running && !running.has(script);
      if (!atOnce && (waiting >= limits.waiting || runs.length >= limits.waitingPerScript)) return 'full';
      return new Promise((resolve) => {
        const entry: Waiting = {
          start() {
            signal.removeEventListener('abort', cancel);
            resolve(turnOf(script));
          },
        };
        function cancel(): void {
          const at = runs.indexOf(entry);
          if (at < 0) return;
          runs.splice(at, 1);
          if (runs.length === 0) lanes.get(lane)?.delete(script);
          if (lanes.get(lane)?.size === 0) lanes.delete(lane);
          waiting -= 1;
          resolve('cancelled');
        }
        signal.addEventListener('abort', cancel, { once: true });
        runs.push(entry);
        scripts.set(script, runs);
        lanes.set(lane, scripts);
        waiting += 1;
        startNext();
      });
    },
    get running() {
      return running.size;
    },
    get waiting() {
      return waiting;
    },
  };
}

import { isoTime } from '../core/index.ts';
import type { ScriptRunChart, ScriptRunStep } from '../edge/admin/script-api.ts';
import { KEEP_RUNS } from '../guard/scripts/index.ts';
import type { ScriptRunStore } from '../host/storage/script-run-store.ts';

const HOUR_MS = 3_600_000;
const STEPS = { hour: { ms: HOUR_MS, count: 24 }, day: { ms: 24 * HOUR_MS, count: 30 } } as const;

/** The stretch that is under way is the last one. Hours and days are those of UTC. */
export function runChart(
  runStore: Pick<ScriptRunStore, 'counts' | 'kept'>,
  name: string,
  by: ScriptRunStep,
  now: number,
): ScriptRunChart {
  const { ms, count } = STEPS[by];
  const from = now - (now % ms) - (count - 1) * ms;
  const rows = runStore.counts(name, from, ms);
  const stretches = Array.from({ length: count }, (_, index) => {
    const at = from + index * ms;
    const sum = (...outcomes: readonly string[]): number =>
      rows
        .filter((row) => row.at === at && outcomes.includes(row.outcome))
        .reduce((total, { runs }) => total + runs, 0);
    return {
      at: isoTime(at),
      ok: sum('ok'),
      error: sum('error'),
      killed: sum('killed'),
      other: sum('running', 'unknown'),
    };
  });
  return { by, stretches, complete: runStore.kept(name) < KEEP_RUNS };
}

// Guarantees: the time below which it can not be now, as far as the last start or stop of OpenPact tells: its own time, and,
// where the machine has run on since, what went by on the clock that nobody sets.
// Does not: know of time that passed while the machine was off. Where the clock was ahead when OpenPact ended, the floor is
// too: then an approval is taken back too early, which only takes power away.
// An attacker may control: the clock of the machine, while OpenPact does not run.
import { isJsonObject, type Json } from '../core/index.ts';
import { detailsOf, type Audit } from '../guard/audit/index.ts';
import type { BootTime } from '../host/files/boot-time.ts';

/** Goes into the entries of a start and a stop. */
export function machineTime(now: BootTime | null): Readonly<Record<string, Json>> {
  return now === null ? {} : { machine: { ...now } };
}

/** Milliseconds since 1970; undefined where nothing is known. */
export function clockFloor(audit: Pick<Audit, 'list'>, now: BootTime | null): number | undefined {
  for (const row of audit.list({ event: 'system.', limit: 10 })) {
    if (row.event !== 'system.started' && row.event !== 'system.stopped') continue;
    const details = detailsOf(row);
    const then = isJsonObject(details) ? details['machine'] : undefined;
    if (now === null || !isJsonObject(then) || then['boot'] !== now.boot) return row.at;
    return row.at + Math.max(0, now.up_ms - Number(then['up_ms']) || 0);
  }
  return undefined;
}

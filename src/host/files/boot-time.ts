import { textOrNothing } from './machine-facts.ts';

/** A clock that nobody sets: it counts from the start of the machine, also while it sleeps. */
export interface BootTime {
  /** Another after each start of the machine. */
  readonly boot: string;
  /** Milliseconds, to the hundredth of a second. */
  readonly up_ms: number;
}

/** Null where the system does not say (elsewhere than on Linux). */
export function bootTime(): BootTime | null {
  const boot = textOrNothing('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const seconds = Number(textOrNothing('/proc/uptime')?.split(' ')[0] ?? Number.NaN);
  return /^[0-9a-f-]{36}$/.test(boot) && Number.isFinite(seconds)
    ? { boot, up_ms: Math.round(seconds * 1000) }
    : null;
}

import type { Clock } from '../../core/index.ts';

export interface AttemptsOptions {
  /** Attempts in any stretch of `windowMs`. */
  readonly max: number;
  readonly windowMs: number;
  /** Keys that are remembered at most; the one used longest ago is forgotten. Default 10,000. */
  readonly maxKeys?: number | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
}

type Attempt =
  /** Counted already, so that many at once can't pass together; `giveBack` for one that turned out well. */
  | { readonly ok: true; giveBack(): void }
  /** `first`: the first refusal since the last attempt that was let through, the one worth an audit row. */
  | { readonly ok: false; readonly retryAfterMs: number; readonly first: boolean };

export interface Attempts {
  take(key: string): Attempt;
  reset(key: string): void;
}

/** At most `max` attempts per key in any stretch of time, not only on average as a token bucket would have it. */
export function createAttempts(options: AttemptsOptions): Attempts {
  const { max, windowMs, clock, maxKeys = 10_000 } = options;
  const keys = new Map<string, { times: number[]; told: boolean }>();
  return {
    take(key) {
      const now = clock.monotonic();
      const known = keys.get(key);
      const times = (known?.times ?? []).filter((time) => time > now - windowMs);
      keys.delete(key);
      if (keys.size >= maxKeys) {
        const oldest = keys.keys().next().value;
        if (oldest !== undefined) keys.delete(oldest);
      }
      const [first] = times;
      if (first !== undefined && times.length >= max) {
        keys.set(key, { times, told: true });
        return { ok: false, retryAfterMs: first + windowMs - now, first: known?.told !== true };
      }
      times.push(now);
      const entry = { times, told: false };
      keys.set(key, entry);
      return {
        ok: true,
        giveBack() {
          const current = keys.get(key);
          if (!current) return;
          const index = current.times.indexOf(now);
          if (index !== -1) current.times.splice(index, 1);
        },
      };
    },
    reset(key) {
      keys.delete(key);
    },
  };
}

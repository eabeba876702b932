// Guarantees: so many requests a second for each pair of a script and a host, in bounded memory.
// Does not: slow anybody down; who comes too early is refused.
// An attacker may control: hosts, and when.
import type { Clock } from '../../../core/index.ts';

export interface RequestRate {
  /** Whether one more may go now; it counts then. */
  take(script: string, host: string): boolean;
  readonly size: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const MOST_PAIRS = 10_000;

export function createRequestRate(clock: Clock, perSecond: number, mostPairs = MOST_PAIRS): RequestRate {
  const buckets = new Map<string, Bucket>();
  const filled = (bucket: Bucket, now: number): number =>
    Math.min(perSecond, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
  return {
    take(script, host) {
      const now = clock.monotonic();
      const key = JSON.stringify([script, host]);
      const bucket = buckets.get(key) ?? { tokens: perSecond, at: now };
      const tokens = filled(bucket, now);
      if (tokens < 1) return false;
      if (!buckets.has(key) && buckets.size >= mostPairs) {
        // Only what is full again may be forgotten: else a flood of hosts would fill somebody's bucket.
        for (const [known, old] of buckets) if (filled(old, now) >= perSecond) buckets.delete(known);
        if (buckets.size >= mostPairs) return false;
      }
      buckets.set(key, { tokens: tokens - 1, at: now });
      return true;
    },
    get size() {
      return buckets.size;
    },
  };
}

import type { Clock } from '../../core/index.ts';

/** Requests a second for ever, and how many at once (requirements §6.2). */
const PER_SECOND = 10;
const BURST = 20;
/** So many buckets before those that are full again are looked for. */
const PRUNE_ABOVE = 64;

interface Bucket {
  left: number;
  at: number;
}

export interface RateLimit {
  /** Null when it may go on; otherwise after how many milliseconds one more may come. */
  spend(key: string): number | null;
}

/** A token bucket per key. A bucket that is full again is as good as none and is forgotten. */
export function createRateLimit(clock: Clock): RateLimit {
  const buckets = new Map<string, Bucket>();

  const refill = (bucket: Bucket, now: number): void => {
    bucket.left = Math.min(BURST, bucket.left + ((now - bucket.at) / 1000) * PER_SECOND);
    bucket.at = now;
  };

  const prune = (now: number): void => {
    for (const [key, bucket] of buckets) {
      refill(bucket, now);
      if (bucket.left >= BURST) buckets.delete(key);
    }
  };

  return {
    spend(key) {
      const now = clock.monotonic();
      if (buckets.size > PRUNE_ABOVE) prune(now);
      const bucket = buckets.get(key) ?? { left: BURST, at: now };
      buckets.set(key, bucket);
      refill(bucket, now);
      if (bucket.left < 1) return Math.ceil(((1 - bucket.left) / PER_SECOND) * 1000);
      bucket.left -= 1;
      return null;
    },
  };
}

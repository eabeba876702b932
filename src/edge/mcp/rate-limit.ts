import type { Clock } from '../../core/index.ts';

/** Calls a second for ever, and how many at once (requirements §6.2). */
const PER_SECOND = 10;
const BURST = 20;

interface Bucket {
  left: number;
  at: number;
}

export interface RateLimit<Key extends object> {
  /** Null when it may go on; otherwise after how many milliseconds one more may come. */
  spend(key: Key): number | null;
}

/** A token bucket per key, forgotten with the key. */
export function createRateLimit<Key extends object>(clock: Clock): RateLimit<Key> {
  const buckets = new WeakMap<Key, Bucket>();
  return {
    spend(key) {
      const now = clock.monotonic();
      const bucket = buckets.get(key) ?? { left: BURST, at: now };
      buckets.set(key, bucket);
      bucket.left = Math.min(BURST, bucket.left + ((now - bucket.at) / 1000) * PER_SECOND);
      bucket.at = now;
      if (bucket.left < 1) return Math.ceil(((1 - bucket.left) / PER_SECOND) * 1000);
      bucket.left -= 1;
      return null;
    },
  };
}

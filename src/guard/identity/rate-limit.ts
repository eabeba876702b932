import type { Clock } from '../../core/index.ts';

export interface TokenBucketOptions {
  /** Tokens that come back per second; more than 0. */
  readonly rate: number;
  /** Tokens at most; at least 1. */
  readonly burst: number;
  /** Keys that are remembered at most; the one used longest ago is forgotten (and so full again). Default 10,000. */
  readonly maxKeys?: number | undefined;
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface BucketState {
  readonly allowed: boolean;
  readonly limit: number;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** Milliseconds until the bucket is full again. */
  readonly resetMs: number;
  /** Milliseconds until the next token; 0 when there is one. */
  readonly retryAfterMs: number;
}

export interface KeyedBuckets {
  take(key: string): BucketState;
  readonly size: number;
}

/** Token buckets by key (O-06, A-11), with a bounded number of keys. */
export function createTokenBuckets(options: TokenBucketOptions): KeyedBuckets {
  const { rate, burst, clock, maxKeys = 10_000 } = options;
  if (!(rate > 0) || !(burst >= 1) || !(maxKeys >= 1)) throw new RangeError('rate, burst and maxKeys');
  // A Map keeps the order of insertion: the first key is the one that was used longest ago.
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(key) {
      const now = clock.monotonic();
      const known = buckets.get(key);
      const tokens = known ? Math.min(burst, known.tokens + ((now - known.at) / 1000) * rate) : burst;
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      buckets.delete(key);
      if (buckets.size >= maxKeys) {
        const oldest = buckets.keys().next().value;
        if (oldest !== undefined) buckets.delete(oldest);
      }
      buckets.set(key, { tokens: left, at: now });
      return {
        allowed,
        limit: burst,
        remaining: Math.floor(left),
        resetMs: ((burst - left) / rate) * 1000,
        retryAfterMs: left >= 1 ? 0 : ((1 - left) / rate) * 1000,
      };
    },
    get size() {
      return buckets.size;
    },
  };
}

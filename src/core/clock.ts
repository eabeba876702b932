/** Where time comes from, so that tests can turn it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. May jump: never use it for durations that guard something. */
  now(): number;
  /** Milliseconds on a clock that only goes forward. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

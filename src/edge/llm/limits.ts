const KIB = 1024;
const MIB = 1024 * KIB;

/** What the gateway accepts of the engine and of an upstream. Sizes in bytes or UTF-16 units, times in milliseconds. */
export interface LlmLimits {
  readonly requestBytes: number;
  readonly requestDepth: number;
  /** One line of the upstream's stream. */
  readonly lineChars: number;
  /** Text, thinking and arguments of one answer together. */
  readonly answerChars: number;
  /** Everything that comes over the wire for one answer. */
  readonly answerBytes: number;
  readonly calls: number;
  readonly argumentsChars: number;
  readonly argumentsDepth: number;
  /** Steps in a row whose arguments can't be read, before the turn is refused. */
  readonly badArgumentSteps: number;
  readonly connectMs: number;
  /** A local model may have to be loaded first. */
  readonly headersMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  /** After the finish reason only usage and the end may still come: no reason to wait long for them. */
  readonly tailMs: number;
  readonly retries: number;
  /** A Retry-After beyond this is told to the person instead of waited for. */
  readonly retryWaitMs: number;
  /** The first wait where the upstream names none; the second is three times as long. */
  readonly retryDefaultMs: number;
}

export const DEFAULT_LIMITS: LlmLimits = {
  requestBytes: 8 * MIB,
  requestDepth: 64,
  lineChars: MIB,
  answerChars: 4 * MIB,
  answerBytes: 16 * MIB,
  calls: 64,
  argumentsChars: 256 * KIB,
  argumentsDepth: 64,
  badArgumentSteps: 3,
  connectMs: 10_000,
  headersMs: 180_000,
  idleMs: 120_000,
  totalMs: 900_000,
  tailMs: 5_000,
  retries: 2,
  retryWaitMs: 20_000,
  retryDefaultMs: 1_000,
};

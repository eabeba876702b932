// Guarantees: at most one check of the log runs at a time, off the hot path; what the last one found is known until the
// next one ended; a check that finds damage is in the program's log and, where the log still takes entries, in it too.
// Does not: keep what it found over a restart (it checks again then).
import { errorText, type Clock, type Log, type Principal } from '../../core/index.ts';
import type { Audit, AuditEnd } from './audit.ts';
import type { AuditVerdict } from './verify-chain.ts';

export interface ChainCheck {
  /** Milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Null: by itself, at the start or once a day. */
  readonly by: Principal | null;
  readonly verdict: AuditVerdict;
}

export interface ChainStatus {
  readonly head: AuditEnd;
  readonly running: {
    readonly startedAt: number;
    /** Entries that hold so far, of those that were there at the beginning. */
    readonly rows: number;
    readonly of: number;
  } | null;
  /** The newest check that came to its end since the start. */
  readonly last: ChainCheck | null;
}

export interface ChainWatch {
  status(): ChainStatus;
  /** Starts a check; where one runs already, that one goes on. */
  check(by: Principal): ChainStatus;
  /** Checks now and then once a day, with rests, until `stop`. */
  start(): void;
  /** Ends a check that runs, and waits until it touches the database no more. */
  stop(): Promise<void>;
}

const DAILY_MS = 24 * 3_600_000;
/** A check that nobody waits for leaves most of the time to others. */
const REST_MS = 25;

export interface ChainWatchDeps {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

export function createChainWatch({ audit, clock, log }: ChainWatchDeps): ChainWatch {
  const ending = new AbortController();
  let running: { startedAt: number; rows: number; of: number } | null = null;
  let last: ChainCheck | null = null;
  let ended: Promise<void> = Promise.resolve();
  let hurry = false;
  let timer: NodeJS.Timeout | undefined;

  function report(check: ChainCheck): void {
    const { verdict, by } = check;
    if (verdict.ok && by === null) return;
    if (!verdict.ok)
      log.error('the audit log does not verify', { seq: verdict.seq, problem: verdict.problem });
    audit.note({
      event: 'audit.verified',
      principal: by ?? { kind: 'system' },
      origin: by === null ? 'system' : 'page',
      target: 'audit',
      outcome: verdict.ok ? 'ok' : 'failed',
      details: verdict.ok
        ? { entries: verdict.rows }
        : { entries: verdict.rows, seq: verdict.seq, problem: verdict.problem },
    });
  }

  async function run(by: Principal | null): Promise<void> {
    const now = { startedAt: clock.now(), rows: 0, of: audit.head().seq };
    running = now;
    hurry = by !== null;
    try {
      const verdict = await audit.verify({
        signal: ending.signal,
        restMs: () => (hurry ? 0 : REST_MS),
        onProgress: (rows, of) => Object.assign(now, { rows, of }),
      });
      last = { startedAt: now.startedAt, endedAt: clock.now(), by, verdict };
      report(last);
    } catch (error) {
      if (!ending.signal.aborted)
        log.error('the audit log could not be checked', { problem: errorText(error) });
    } finally {
      running = null;
    }
  }

  function status(): ChainStatus {
    return { head: audit.head(), running: running === null ? null : { ...running }, last };
  }

  function begin(by: Principal | null): void {
    if (ending.signal.aborted) return;
    // Somebody waits for it now.
    if (running !== null) hurry ||= by !== null;
    else ended = run(by);
  }

  return {
    status,
    check(by) {
      begin(by);
      return status();
    },
    start() {
      begin(null);
      timer ??= setInterval(() => begin(null), DAILY_MS);
    },
    async stop() {
      clearInterval(timer);
      ending.abort();
      await ended;
    },
  };
}

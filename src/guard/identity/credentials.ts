// Guarantees: whoever asks for a password asks here, so all share the same limits (S-35): per address and per
// user and address 5 failures a minute, then refused unchecked; per user alone a growing pause, never a lock-out, so that
// nobody can shut another out. Unknown users take the same path and the same time.
// Does not: stop somebody with thousands of networks; the pause and the cost of a hash slow them.
// An attacker may control: address (within their networks), user name, password, how many at once.
import { setTimeout as wait } from 'node:timers/promises';
import { AppError, type Clock } from '../../core/index.ts';
import type { UserRow } from '../../host/storage/users-store.ts';
import { addressKey } from './address-key.ts';
import { createAttempts } from './attempts.ts';
import type { PasswordHasher } from './passwords.ts';

const WINDOW_MS = 60_000;
const SLOW_WINDOW_MS = 15 * 60_000;

export interface CredentialsOptions {
  /** Failures a minute. Default 5. */
  readonly perMinute?: number | undefined;
  /** The longest pause before a check, in milliseconds. Default 2,000. */
  readonly maxPauseMs?: number | undefined;
}

export interface CredentialsDeps {
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly options?: CredentialsOptions | undefined;
  /** A bcrypt hash that is still stored, of whatever user. */
  readonly imported?: (() => string | undefined) | undefined;
  /** Default: waits on the timer of Node. */
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

interface CredentialCheck {
  readonly username: string;
  /** Undefined when there is no such user. */
  readonly user: UserRow | undefined;
  readonly password: string;
  readonly address: string;
}

interface CredentialVerdict {
  readonly ok: boolean;
  /** The hash was made with another cost: hash anew. */
  readonly rehash: boolean;
}

export interface Credentials {
  /** Errors: `rate_limited` with `retry_after_s` and, hidden from the wire, whether it is the first; `busy`. */
  check(check: CredentialCheck): Promise<CredentialVerdict>;
}

/** Refused unchecked. `first` says that this refusal is worth an audit row, the next ones in a row are not. */
export class LoginLimited extends AppError {
  readonly first: boolean;

  constructor(retryAfterMs: number, first: boolean, message = 'Too many wrong passwords.') {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    super({
      family: 'limit',
      code: 'rate_limited',
      message,
      fix: `Try again in ${seconds} s.`,
      details: { retry_after_s: seconds },
    });
    this.first = first;
  }
}

export function createCredentials({
  hasher,
  clock,
  options = {},
  imported = () => undefined,
  sleep = wait,
}: CredentialsDeps): Credentials {
  const { perMinute = 5, maxPauseMs = 2000 } = options;
  const window = { max: perMinute, windowMs: WINDOW_MS, clock };
  const byAddress = createAttempts(window);
  const byUserAndAddress = createAttempts(window);
  const byUser = createFailureCount(clock);

  return {
    async check({ username, user, password, address }) {
      const name = username.toLowerCase();
      const network = addressKey(address);
      const pair = `${network}|${name}`;
      const addressAttempt = byAddress.take(network);
      if (!addressAttempt.ok) throw new LoginLimited(addressAttempt.retryAfterMs, addressAttempt.first);
      const pairAttempt = byUserAndAddress.take(pair);
      if (!pairAttempt.ok) {
        addressAttempt.giveBack();
        throw new LoginLimited(pairAttempt.retryAfterMs, pairAttempt.first);
      }
      const pause = Math.min(maxPauseMs, pauseAfter(byUser.get(name)));
      if (pause > 0) await sleep(pause);
      let verdict: CredentialVerdict;
      try {
        verdict = await hasher.verify(password, user?.password_hash, imported());
      } catch (error) {
        // Nothing was checked, so nothing was learnt: it does not count.
        addressAttempt.giveBack();
        pairAttempt.giveBack();
        throw error;
      }
      if (verdict.ok) {
        addressAttempt.giveBack();
        byUserAndAddress.reset(pair);
        byUser.reset(name);
      } else {
        byUser.add(name);
      }
      return verdict;
    },
  };
}

/** Nothing for the first three, then 125 ms, 250 ms, 500 ms and on. */
function pauseAfter(failures: number): number {
  return failures < 3 ? 0 : 125 * 2 ** Math.min(10, failures - 3);
}

function createFailureCount(clock: Pick<Clock, 'monotonic'>, maxKeys = 10_000) {
  const counts = new Map<string, { count: number; at: number }>();
  const get = (name: string): number => {
    const known = counts.get(name);
    return known && clock.monotonic() - known.at < SLOW_WINDOW_MS ? known.count : 0;
  };
  return {
    get,
    add(name: string): void {
      const count = get(name) + 1;
      counts.delete(name);
      if (counts.size >= maxKeys) {
        const oldest = counts.keys().next().value;
        if (oldest !== undefined) counts.delete(oldest);
      }
      counts.set(name, { count, at: clock.monotonic() });
    },
    reset: (name: string): void => void counts.delete(name),
  };
}

// Guarantees: while the vault is sealed no key that is derived from the master key exists in this process; asking for one
// is refused. Unlocking takes the passphrase, under limits that hold for everybody together, one try at a time. An open
// vault does not look at a passphrase at all, so that it can't be used to try some.
// Sealing it again drops the key, whatever else fails. Does not: protect from who can read the memory of this process:
// what has to be hidden in texts stays known.
// An attacker may control: the passphrase, how many ask at once, and (after a login) from where.
import { AppError, type Clock, type Origin, type Principal } from '../../core/index.ts';
import type { Audit } from '../audit/index.ts';
import { createAttempts } from '../identity/attempts.ts';
import type { SealedKeys } from './key-files.ts';
import { deriveKey, type KeyPurpose } from './master-key.ts';

/** Where the master key comes from. */
export type KeyProtection = 'key_file' | 'external' | 'passphrase';

export interface Seal {
  readonly protection: KeyProtection;
  sealed(): boolean;
  /** Error: config `vault_sealed`. */
  key(purpose: KeyPurpose): Uint8Array;
  /** Runs at once where the vault is open, else as soon as it is, in the order of the calls. */
  whenOpen(act: () => void): void;
  /**
   * Does nothing when the vault is open. Errors: forbidden `wrong_passphrase`, limit `rate_limited`, config
   * `master_key_wrong`.
   */
  unlock(passphrase: string, who: Unlocker): Promise<void>;
  /** Ends what runs and forgets the key. Nothing when it is sealed. Error: conflict `vault_not_lockable`. */
  lock(who: Unlocker): void;
  /** Runs at each `lock`, while the key is still there: ends what stands on it. One that fails keeps no other from running. */
  whenLocked(act: (who: Unlocker) => void): void;
  /** Ends at the next `lock`, with `vault_sealed`: for what was begun while the vault was open. */
  untilLocked(): AbortSignal;
}

export interface Unlocker {
  readonly principal: Principal;
  readonly origin: Origin;
}

export interface SealDeps {
  readonly protection: KeyProtection;
  /** The key, or the boxes that hold it. */
  readonly master: Uint8Array | SealedKeys;
  /** Called before the audit log is written with the new key. */
  readonly opened: (master: Uint8Array) => void;
  /** Called when the key is gone, before the audit log is written without it. */
  readonly locked: () => void;
  readonly audit: () => Pick<Audit, 'append' | 'note'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Tries in any fifteen minutes, right ones not counted. */
const MOST_TRIES = 10;
const WINDOW_MS = 15 * 60_000;

export function createSeal(deps: SealDeps): Seal {
  let master = deps.master instanceof Uint8Array ? deps.master : undefined;
  const waiting: (() => void)[] = [];
  const enders: ((who: Unlocker) => void)[] = [];
  let open = new AbortController();
  const tries = createAttempts({ max: MOST_TRIES, windowMs: WINDOW_MS, clock: deps.clock });
  /** One after the other: each takes a lot of memory. */
  let line: Promise<void> = Promise.resolve();

  async function attempt(keys: SealedKeys, passphrase: string, who: Unlocker): Promise<void> {
    // Somebody else was quicker.
    if (master !== undefined) return;
    const entry = { ...who, target: 'vault' };
    // All of the page together: a stolen session is no reason for more tries, whatever address it comes from. It can't use
    // up those of the operator at the command line.
    const taken = tries.take(who.origin);
    if (!taken.ok) {
      if (taken.first) deps.audit().note({ ...entry, event: 'vault.unlock_limited', outcome: 'refused' });
      throw limited(taken.retryAfterMs);
    }
    const found = await keys.open(passphrase);
    if (found === undefined) {
      deps.audit().note({ ...entry, event: 'vault.unlock_failed', outcome: 'refused' });
      throw new AppError({
        family: 'forbidden',
        code: 'wrong_passphrase',
        message: 'The passphrase is wrong.',
        fix: 'Type it again. It is not the password of the page: it was given to "openpact secrets rekey".',
      });
    }
    taken.giveBack();
    try {
      deps.opened(found);
      deps.audit().append({ ...entry, event: 'vault.unlocked', outcome: 'ok' });
      master = found;
      for (let act = waiting[0]; act !== undefined; act = waiting[0]) {
        act();
        waiting.shift();
      }
    } catch (error) {
      // It stays sealed, so nothing may keep a key; what did not come to its end is done at the next opening.
      const wasOpen = master !== undefined;
      master = undefined;
      deps.locked();
      if (wasOpen) deps.audit().note({ ...entry, event: 'vault.locked', outcome: 'failed' });
      throw error;
    }
  }

  /** Everything is tried; the first thing that could not be ended is told. */
  function endAll(who: Unlocker): void {
    const begun = open;
    open = new AbortController();
    begun.abort(vaultSealed());
    const failures: unknown[] = [];
    for (const end of enders) {
      try {
        end(who);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    protection: deps.protection,
    sealed: () => master === undefined,
    key(purpose) {
      if (master === undefined) throw vaultSealed();
      return deriveKey(master, purpose);
    },
    whenOpen(act) {
      if (master === undefined) waiting.push(act);
      else act();
    },
    unlock(passphrase, who) {
      const keys = deps.master;
      if (master !== undefined || keys instanceof Uint8Array) return Promise.resolve();
      const mine = line.then(() => attempt(keys, passphrase, who));
      line = mine.catch(() => undefined);
      return mine;
    },
    lock(who) {
      if (master === undefined) return;
      if (deps.master instanceof Uint8Array) throw notLockable();
      try {
        endAll(who);
      } finally {
        master = undefined;
        deps.locked();
        deps.audit().note({ ...who, event: 'vault.locked', target: 'vault', outcome: 'ok' });
      }
    },
    whenLocked: (act) => void enders.push(act),
    untilLocked: () => open.signal,
  };
}

export function vaultSealed(): AppError {
  return new AppError({
    family: 'config',
    code: 'vault_sealed',
    message: 'The vault is sealed: nothing that needs a stored secret can run.',
    fix: 'Unlock it with its passphrase, on the page or with "openpact vault unlock".',
    details: { sealed: true },
  });
}

function notLockable(): AppError {
  return new AppError({
    family: 'conflict',
    code: 'vault_not_lockable',
    message: 'The key of the vault is not under a passphrase, so nothing could open it again.',
    fix: 'Stop OpenPact and run "openpact secrets rekey --to passphrase" first.',
  });
}

function limited(retryAfterMs: number): AppError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return new AppError({
    family: 'limit',
    code: 'rate_limited',
    message: 'Too many wrong passphrases.',
    fix: `Try again in ${seconds} s.`,
    details: { retry_after_s: seconds },
  });
}

// Guarantees: a rekey happens whole or not at all, kill -9 at any point included. First the new key is put beside the old
// one, on the disk; then every box, the signature of the log and the check value change in one transaction; then the new
// key takes the place of the old. Whichever key the database was committed with is there at every moment, and the next
// start finds out which (`key-files.ts`).
// Does not: reach copies: an older backup still opens with the older key. It is for a workspace in which nothing runs.
// An attacker may control: nothing here.
import type { Clock, Principal } from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { Audit } from '../audit/index.ts';
import { settle, type KeyFiles } from './key-files.ts';
import { deriveKey, recordMasterKey } from './master-key.ts';
import type { KeyProtection } from './seal.ts';
import type { SealedVault } from './types.ts';

export interface RekeyDeps {
  readonly vault: SealedVault;
  readonly settings: SettingsStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly by: Principal;
}

export interface NewKey {
  readonly master: Uint8Array;
  readonly protection: KeyProtection;
  /** What will stand in `master_key`, and where; undefined: the operator keeps the key outside. */
  readonly stored?: { readonly text: string; readonly files: KeyFiles };
}

/** The instance must end afterwards: it still holds the old key. */
export function rekey(
  deps: RekeyDeps,
  next: NewKey,
): { readonly resealed: number; readonly damaged: number } {
  const { vault, settings, database, audit, clock } = deps;
  next.stored?.files.next.replace(next.stored.text);
  let done;
  try {
    done = database.tx(() => {
      const counts = vault.reseal(deriveKey(next.master, 'seal'));
      recordMasterKey(next.master, settings, clock.now());
      audit.append({
        event: 'secrets.rekeyed',
        principal: deps.by,
        origin: 'cli',
        target: 'master_key',
        outcome: 'ok',
        details: { ...counts, protection: next.protection },
      });
      audit.resign(deriveKey(next.master, 'audit'));
      return counts;
    });
  } catch (error) {
    next.stored?.files.next.remove();
    throw error;
  }
  if (next.stored !== undefined) settle(next.stored.files, next.stored.text);
  return done;
}

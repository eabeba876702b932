// Guarantees: an approval that has run out is taken back in the database, with its entry in the audit log, so that it stays
// out when the clock goes back; what runs under it ends then, also when the machine slept past the hour. Where that can't
// be stored, the script does not run until it can.
// Does not: know of a time that passed and went back while nothing looked (the program looks every second while it is up;
// what passed before a start it is told as `floor`).
// An attacker may control: nothing here; the clock of the machine may jump both ways.
import { errorText, isoTime, type Clock, type Log } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import { NOT_APPROVED, type ScriptRow, type ScriptStore } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';
import type { ScriptLibrary } from './library.ts';
import { RAN_OUT, storedGrant } from './state.ts';

export interface ApprovalExpiry {
  /** Takes back what has run out by now, or by `floor`, which is later where the clock was set back. Never throws for a disk that is full. */
  expireDue(floor?: number): void;
  /** Whether its approval ran out and that could not be stored yet. */
  isUnstored(name: string): boolean;
}

export function createApprovalExpiry(deps: {
  readonly library: Pick<ScriptLibrary, 'changed'>;
  readonly store: ScriptStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}): ApprovalExpiry {
  const { library, store, database, audit, clock, log } = deps;
  /** Which approval of a script it was: one that is given later, also under the same name, is another. */
  const unstored = new Map<string, string>();

  function isUnstored(row: ScriptRow): boolean {
    return unstored.get(row.name) === approvalOf(row);
  }

  function takeBack(row: ScriptRow, hash: string, expiresAt: number): void {
    const version = store.versionOf(row.name, hash);
    if (version)
      store.decide(version.id, {
        decision: 'approved',
        at: version.decided_at ?? clock.now(),
        by: version.decided_by ?? row.approved_by ?? '',
        reason: `${RAN_OUT}${isoTime(expiresAt)}`,
      });
    store.put({
      ...row,
      revision: row.revision + 1,
      ...NOT_APPROVED,
    });
    audit.append({
      event: 'script.approval_expired',
      principal: { kind: 'system' },
      origin: 'system',
      target: row.name,
      outcome: 'ok',
      details: { hash, expires_at: isoTime(expiresAt) },
    });
  }

  function expire(row: ScriptRow, hash: string, expiresAt: number): void {
    const { name } = row;
    try {
      database.tx(() => {
        takeBack(row, hash, expiresAt);
        database.afterCommit(() => unstored.delete(name));
        library.changed(name);
      });
    } catch (error) {
      if (isUnstored(row)) return;
      unstored.set(name, approvalOf(row));
      log.error(
        'an approval has run out and that could not be stored; the script does not run until that works',
        {
          script: name,
          problem: errorText(error),
        },
      );
      library.changed(name);
    }
  }

  return {
    expireDue(floor = 0) {
      const now = Math.max(clock.now(), floor);
      for (const row of store.all()) {
        if (row.approved === null || row.granted?.includes('"expires_at"') !== true) continue;
        // From the row alone: a text that is damaged keeps no other approval from running out.
        const expiresAt = storedGrant(row)?.expiresAt;
        if (expiresAt === undefined) continue;
        if (expiresAt <= now || isUnstored(row)) expire(row, row.approved, expiresAt);
      }
    },
    isUnstored(name) {
      const row = unstored.has(name) ? store.get(name) : undefined;
      return row !== undefined && isUnstored(row);
    },
  };
}

function approvalOf({ approved, granted, approved_at }: ScriptRow): string {
  return JSON.stringify([approved, granted, approved_at]);
}

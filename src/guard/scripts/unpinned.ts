// Guarantees: what runs because the configuration pinned its digest does so only while the configuration pins it: a pin that
// is gone at a start takes its approval with it, in one transaction with the entry in the audit log.
// Does not: touch what a person approved.
// An attacker may control: nothing here.
import type { Clock } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import { NOT_APPROVED, type ScriptStore } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';

/** Who approved what the configuration pins. */
export const CONFIGURATION = 'configuration';

/** Before anything runs; the number of approvals that are gone. */
export function takeBackUnpinned(deps: {
  readonly store: ScriptStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly pins: ReadonlySet<string>;
}): number {
  const { store, database, audit, clock, pins } = deps;
  return database.tx(() => {
    const rows = store
      .all()
      .filter(
        ({ approved, approved_by: by }) => approved !== null && by === CONFIGURATION && !pins.has(approved),
      );
    for (const row of rows) {
      const version = store.version(row.version);
      // It waits for a person now, unless a newer one does already.
      if (version !== undefined && version.hash === row.approved) store.reopen(version.id);
      store.put({
        ...row,
        revision: row.revision + 1,
        ...NOT_APPROVED,
        modified_at: clock.now(),
      });
      audit.append({
        event: 'script.unpinned',
        principal: { kind: 'system' },
        origin: 'system',
        target: row.name,
        outcome: 'ok',
        details: { hash: row.approved },
      });
    }
    return rows.length;
  });
}

import { isoTime, type Log } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { ScriptRunStore } from '../../host/storage/script-run-store.ts';
import type { Audit } from '../audit/index.ts';

/** Runs that a former process left behind ended nobody knows how; the number of them. */
export function recoverRuns(deps: {
  readonly runStore: Pick<ScriptRunStore, 'closeRunning'>;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly log: Log;
}): number {
  const left = deps.database.tx(() => {
    const rows = deps.runStore.closeRunning();
    for (const row of rows) {
      deps.audit.append({
        event: 'script.ended',
        principal: { kind: 'system' },
        origin: 'system',
        target: row.name === '' ? row.hash : row.name,
        outcome: 'unknown',
        details: { run: row.id, hash: row.hash, started_at: isoTime(row.started_at) },
      });
    }
    return rows;
  });
  if (left.length > 0) deps.log.warn('runs of scripts were cut off by the last end', { runs: left.length });
  return left.length;
}

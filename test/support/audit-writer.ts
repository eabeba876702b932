/** Writes into the audit log of a workspace, also beside a running program: with its own key, in one transaction. */
import { statSync } from 'node:fs';
import { openAuditReadOnly } from '../../src/compose/foundation.ts';
import { silentLog, systemClock, type Clock } from '../../src/core/index.ts';
import { createAudit, type AuditEntry } from '../../src/guard/audit/index.ts';
import { workspacePaths } from '../../src/host/files/workspace-paths.ts';
import { createAuditStore, openDatabase } from '../../src/host/storage/index.ts';
import { plainRedactor } from '../fakes/plain-redactor.ts';

export function openAuditWriter(workspace: string) {
  const paths = workspacePaths(workspace);
  const reading = asOwnerOf(paths.database, () => openAuditReadOnly(paths, undefined));
  const { key } = reading;
  reading.database.close();
  if (key === null) throw new Error('the workspace has no master key');
  const database = openDatabase({ path: paths.database });
  let now: number | null = null;
  const clock: Clock = { ...systemClock, now: () => now ?? Date.now() };
  const audit = createAudit({
    store: createAuditStore(database),
    database,
    clock,
    log: silentLog,
    redactor: plainRedactor,
    key,
  });
  return {
    append(count: number, entry: (index: number) => AuditEntry & { readonly at?: number }): void {
      database.tx(() => {
        for (let index = 0; index < count; index += 1) {
          const { at, ...rest } = entry(index);
          now = at ?? null;
          audit.append(rest);
        }
      });
      now = null;
    },
    /** What somebody does who can write the database. */
    tamper: (sql: string) => database.run(sql),
    close: () => database.close(),
  };
}

/** Started by root the workspace belongs to the user that OpenPact became; its files refuse to be read by another. */
function asOwnerOf<T>(file: string, act: () => T): T {
  const { uid } = statSync(file);
  const ours = process.getuid;
  process.getuid = () => uid;
  try {
    return act();
  } finally {
    if (ours !== undefined) process.getuid = ours;
  }
}

// Guarantees: the owner's own database is read and never written, beside a running instance too.
import { silentLog, systemClock } from '../../core/index.ts';
import type { LoadedConfig } from '../../config/index.ts';
import { verifyChain, type AuditVerdict } from '../../guard/audit/index.ts';
import { createOwnerRules } from '../../guard/policy/index.ts';
import type { OwnerRule } from '../../guard/policy/owner-rules.ts';
import { fileHasContent } from '../../host/files/file-exists.ts';
import type { WorkspacePaths } from '../../host/files/workspace-paths.ts';
import { createAuditStore, createSettingsStore } from '../../host/storage/index.ts';
import { openAuditReadOnly } from '../foundation.ts';

export interface OwnDatabase {
  readonly audit: AuditVerdict;
  /** What the owner set on the page, looser or stricter than the shipped policy. */
  readonly rules: readonly OwnerRule[];
}

/** Undefined where the workspace has no database yet. Errors: `database_older`, `database_corrupt` and what reading refuses. */
export async function lookAtOwnDatabase(
  paths: WorkspacePaths,
  { secrets }: LoadedConfig,
): Promise<OwnDatabase | undefined> {
  if (!fileHasContent(paths.database)) return undefined;
  const { database, key } = openAuditReadOnly(paths, secrets.get('OPENPACT_MASTER_KEY')?.reveal());
  try {
    const rules = createOwnerRules({
      settings: createSettingsStore(database),
      database,
      audit: NO_AUDIT,
      clock: systemClock,
      log: silentLog,
    });
    return { audit: await verifyChain(createAuditStore(database), key), rules: rules.state().rules };
  } finally {
    database.close();
  }
}

/** Reading rules writes nothing; who tried would hear of it. */
const NO_AUDIT = {
  append: (): never => {
    throw new Error('the database of the owner is only read');
  },
};

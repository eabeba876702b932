import { AppError, systemClock, type Clock, type Log, type Redactor } from '../core/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import { createAudit, type Audit } from '../guard/audit/index.ts';
import {
  checkMasterKey,
  isNew,
  createKnownSecrets,
  createSealedVault,
  deriveKey,
  loadMasterKey,
  type KnownSecretsSource,
  type SealedVault,
} from '../guard/secrets/index.ts';
import { fileExists, fileHasContent } from '../host/files/file-exists.ts';
import { createPrivateFile } from '../host/files/index.ts';
import { prepareWorkspace } from '../host/files/workspace.ts';
import type { WorkspacePaths } from '../host/files/workspace-paths.ts';
import { takeInstanceLock, type InstanceLock } from '../host/storage/instance-lock.ts';
import {
  createAuditStore,
  createSettingsStore,
  openDatabase,
  type Database,
  type SettingsStore,
} from '../host/storage/index.ts';
import { createSealedStore } from '../host/storage/sealed-store.ts';
import { createLog } from '../observe/log.ts';
import type { Parts } from './parts.ts';

/** What everything else stands on: a workspace that is ours alone, its keys, its database, its log. */
export interface Foundation {
  readonly loaded: LoadedConfig;
  readonly paths: WorkspacePaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly redactor: Redactor;
  readonly known: KnownSecretsSource;
  readonly database: Database;
  readonly settings: SettingsStore;
  readonly audit: Audit;
  readonly vault: SealedVault;
  readonly key: (purpose: 'jwt' | 'refresh') => Uint8Array;
  close(): void;
}

/** Opens a workspace for writing. Refuses (config) rather than start open or overwrite. */
export function openFoundation(loaded: LoadedConfig, parts: Parts): Foundation {
  const { config } = loaded;
  const paths = prepareWorkspace(config.workspace.path);
  const lock: InstanceLock = takeInstanceLock(paths.lock);
  try {
    const clock = systemClock;
    const known = createKnownSecrets({ clock });
    const redactor = parts.redactor(known);
    const log = createLog({ level: config.logging.level, json: config.logging.json, redactor });
    for (const [name, text] of loaded.secrets.all()) known.add(name, text.reveal());
    const keyFile = createPrivateFile(paths.masterKey);
    if (keyFile.read() !== undefined && !fileHasContent(paths.database)) throw databaseMissing(paths);
    // The key is made after the database, so that a key without one always means a loss.
    const database = openDatabase({ path: paths.database });
    try {
      const settings = createSettingsStore(database);
      const fresh = isNew(settings);
      const master = loadMasterKey({
        file: keyFile,
        databaseExists: !fresh,
        external: loaded.secrets.get('OPENPACT_MASTER_KEY')?.reveal(),
      });
      known.addBytes('MASTER_KEY', master);
      known.addBytes('TOKEN_KEY', deriveKey(master, 'jwt'));
      const audit = createAudit({
        store: createAuditStore(database),
        database,
        clock,
        log,
        redactor,
        key: deriveKey(master, 'audit'),
        fresh,
      });
      // Together, so that a start that is cut off leaves either a new database or one with a log.
      database.tx(() => {
        checkMasterKey(master, settings, clock.now());
        if (fresh) {
          audit.append({
            event: 'system.created',
            principal: { kind: 'system' },
            origin: 'system',
            target: 'database',
            outcome: 'ok',
          });
        }
      });
      const vault = createSealedVault({
        store: createSealedStore(database),
        clock,
        key: deriveKey(master, 'seal'),
        known,
      });
      for (const { kind, name } of vault.loadKnown().damaged) {
        log.warn('a stored secret does not open; enter it again', { kind, name });
      }
      return {
        loaded,
        paths,
        clock,
        log,
        redactor,
        known,
        database,
        settings,
        audit,
        vault,
        key: (purpose) => deriveKey(master, purpose),
        close() {
          database.close();
          lock.release();
        },
      };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

function databaseMissing(paths: WorkspacePaths): AppError {
  return new AppError({
    family: 'config',
    code: 'database_missing',
    message: `The database ${paths.database} is missing or empty, but the master key that belongs to it is there.`,
    fix: `Restore the database (with its -wal file) from a backup. To start anew and lose accounts, conversations and the audit log, move ${paths.masterKey} away.`,
  });
}

/**
 * For `audit` beside a running instance or without one: reads, never writes. Without a master key the chain can still be
 * checked, the signature of its head not.
 */
export function openAuditReadOnly(
  paths: WorkspacePaths,
  external: string | undefined,
): { database: Database; key: Uint8Array | null } {
  if (!fileExists(paths.database)) {
    throw new AppError({
      family: 'missing',
      code: 'no_database',
      message: `There is no database in ${paths.root} yet.`,
      fix: 'Start OpenPact once, or name another workspace with --workspace.',
    });
  }
  const file = createPrivateFile(paths.masterKey);
  const known = external !== undefined || file.read() !== undefined;
  const key = known ? deriveKey(loadMasterKey({ file, databaseExists: true, external }), 'audit') : null;
  return { database: openDatabase({ path: paths.database, readOnly: true }), key };
}

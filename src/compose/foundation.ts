import { randomBytes } from 'node:crypto';
import { AppError, isJsonObject, systemClock, type Clock, type Log, type Redactor } from '../core/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import { createAudit, type AnchorPort, type Audit } from '../guard/audit/index.ts';
import {
  checkMasterKey,
  isNew,
  createKnownSecrets,
  createSeal,
  createSealedVault,
  createSecretVault,
  deriveKey,
  loadMasterKey,
  matchedNames,
  parsePassphraseBox,
  sealedKeys,
  type KeyFiles,
  type KnownSecretsSource,
  type Seal,
  type SealedVault,
  type SecretVault,
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
import { createSecretsStore } from '../host/storage/secrets-store.ts';
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
  /** Secrets for scripts. */
  readonly secretVault: SecretVault;
  /** Whether the master key is there, and how it gets there. */
  readonly seal: Seal;
  readonly keyFiles: KeyFiles;
  /** Of access tokens. Where the vault is under a passphrase: made anew at each start, before and after it is opened. */
  readonly tokenKey: Uint8Array;
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
    for (const [name, text] of loaded.secrets.all()) known.add(markerOf(name), text.reveal());
    for (const [name, text] of loaded.secrets.referenced) known.add(name, text.reveal());
    const keyFile = createPrivateFile(paths.masterKey);
    const keyFiles: KeyFiles = { current: keyFile, next: createPrivateFile(paths.nextMasterKey) };
    if (keyFile.read() !== undefined && !fileHasContent(paths.database)) throw databaseMissing(paths);
    // The key is made after the database, so that a key without one always means a loss.
    const database = openDatabase({ path: paths.database });
    try {
      const settings = createSettingsStore(database);
      const fresh = isNew(settings);
      const external = loaded.secrets.get('OPENPACT_MASTER_KEY')?.reveal();
      const sealed = external === undefined ? sealedKeys(keyFiles, settings) : undefined;
      const master = sealed ?? loadMasterKey({ file: keyFile, databaseExists: !fresh, external });
      const audit = createAudit({
        store: createAuditStore(database),
        database,
        clock,
        log,
        redactor,
        key: master instanceof Uint8Array ? deriveKey(master, 'audit') : null,
        anchor: anchorIn(settings, clock),
        fresh,
      });
      let hidden = false;
      const hideKeys = (key: Uint8Array): void => {
        // Each unlocking brings the same.
        if (hidden) return;
        hidden = true;
        known.addBytes('MASTER_KEY', key);
        known.addBytes('TOKEN_KEY', deriveKey(key, 'jwt'));
      };
      const seal = createSeal({
        protection: sealed !== undefined ? 'passphrase' : external === undefined ? 'key_file' : 'external',
        master,
        opened(key) {
          hideKeys(key);
          audit.unseal(deriveKey(key, 'audit'));
        },
        locked: () => audit.seal(),
        audit: () => audit,
        clock,
      });
      let tokenKey = new Uint8Array(randomBytes(32));
      if (master instanceof Uint8Array) {
        hideKeys(master);
        tokenKey = new Uint8Array(deriveKey(master, 'jwt'));
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
      } else {
        known.addBytes('TOKEN_KEY', tokenKey);
      }
      const { named, referenced } = loaded.secrets;
      const vault = createSealedVault({
        store: createSealedStore(database),
        clock,
        key: () => seal.key('seal'),
        known,
        given: {
          first: (name) => named.get(name)?.reveal(),
          last: (name) => referenced.get(name)?.reveal(),
        },
        keepMs: config.secrets.hideOldForMs,
        afterCommit: (act) => database.afterCommit(act),
      });
      seal.whenOpen(() => {
        for (const { kind, name } of vault.loadKnown().damaged) {
          log.warn('a stored secret does not open; enter it again', { kind, name });
        }
      });
      const secretVault = createSecretVault({
        vault,
        store: createSecretsStore(database),
        database,
        audit,
        redactor,
        clock,
        environment: matchedNames([...named].map(([name, text]) => [name, text.reveal()])),
        config: matchedNames([...referenced].map(([name, text]) => [name, text.reveal()])),
      });
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
        secretVault,
        seal,
        keyFiles,
        tokenKey,
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

/** In a marker a secret for scripts has the name that scripts use. */
function markerOf(variable: string): string {
  return variable.replace(/^OPENPACT_SECRET_/, '');
}

const ANCHOR_SETTING = 'audit_anchor';

/** Where the audit log keeps what was signed last before a sealed time. */
function anchorIn(settings: SettingsStore, clock: Clock): AnchorPort {
  return {
    get() {
      const stored = settings.get(ANCHOR_SETTING);
      if (stored === undefined || !isJsonObject(stored)) return undefined;
      const { seq, hash, mac } = stored;
      if (typeof seq !== 'number' || typeof hash !== 'string' || typeof mac !== 'string') return undefined;
      return { seq, hash, mac };
    },
    set(head) {
      if (head === undefined) settings.delete(ANCHOR_SETTING);
      else settings.set(ANCHOR_SETTING, { seq: head.seq, hash: head.hash, mac: head.mac }, clock.now());
    },
  };
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
  const text = file.read();
  // Under a passphrase it is not here to be used; nobody is asked for it just to look.
  const known = external !== undefined || (text !== undefined && parsePassphraseBox(text) === undefined);
  const key = known ? deriveKey(loadMasterKey({ file, databaseExists: true, external }), 'audit') : null;
  return { database: openDatabase({ path: paths.database, readOnly: true }), key };
}

// Guarantees: one instance per workspace. The lock is one of the kernel's (through SQLite), so it goes with the
// process, kill -9 included; no stale file can keep anybody out. Does not: hold over NFS without locking, or against
// somebody who can write `secure/data`. An attacker may control: nothing here.
import { DatabaseSync } from 'node:sqlite';
import { AppError, errorText } from '../../core/index.ts';

export interface InstanceLock {
  release(): void;
}

/**
 * Takes the lock file, made where it is missing (mode by the umask).
 * Errors: `already_running` (family conflict), `lock_unusable` (config).
 */
export function takeInstanceLock(path: string): InstanceLock {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: 0 });
    // Our number first, for whom we keep out; then an open write transaction, which still lets others read the number.
    connection.exec(`PRAGMA user_version = ${process.pid}`);
    connection.exec('BEGIN IMMEDIATE');
  } catch (error) {
    const holder = connection === undefined ? undefined : holderOf(connection);
    connection?.close();
    throw isBusy(error) ? alreadyRunning(path, holder) : unusable(path, error);
  }
  const held = connection;
  let released = false;
  return {
    release() {
      if (!released) held.close();
      released = true;
    },
  };
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY, also in its extended forms.
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5;
}

function holderOf(connection: DatabaseSync): number | undefined {
  try {
    const row = connection.prepare('PRAGMA user_version').get() as { user_version?: number } | undefined;
    return row?.user_version;
  } catch {
    // In the moment of its own start the other can't be read; its number is only a courtesy.
    return undefined;
  }
}

function alreadyRunning(path: string, holder: number | undefined): AppError {
  const who = holder === undefined ? 'Another OpenPact' : `Another OpenPact (process ${holder})`;
  return new AppError({
    family: 'conflict',
    code: 'already_running',
    message: `${who} runs on this workspace; it holds ${path}.`,
    fix: 'Stop the other one, or start this one with another folder: --workspace DIR.',
  });
}

function unusable(path: string, error: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'lock_unusable',
    message: `The lock ${path} can't be taken: ${errorText(error)}.`,
    fix: 'The file holds nothing: when no OpenPact runs on this workspace, remove it and start again.',
    cause: error,
  });
}

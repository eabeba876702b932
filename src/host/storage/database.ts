// Guarantees: one connection, WAL, synchronous FULL (an acknowledged write survives a power cut), foreign keys on,
// every change inside `tx` is applied whole or not at all, together with its audit row.
// Does not: protect the file from somebody who can write it (modes of `secure/` do), nor encrypt what is not sealed.
// An attacker may control: values that are bound to statements, never the statements.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { AppError, errorText } from '../../core/index.ts';
import { addHasWords } from './has-words.ts';
import { migrate } from './migrate.ts';
import { storageFailure } from './storage-failure.ts';

/** Runs a change as one transaction; a call inside another joins it. The function must not be async. */
export interface Transactions {
  tx<T>(change: () => T): T;
  /** Runs after the running transaction is safely stored, or at once outside one; never after a rollback. */
  afterCommit(act: () => void): void;
}

export interface Database extends Transactions {
  /** All rows. `T` is what the statement selects; columns are bound by name (`:name`). */
  all<T>(sql: string, values?: Record<string, SQLInputValue>): T[];
  get<T>(sql: string, values?: Record<string, SQLInputValue>): T | undefined;
  /** The number of rows changed. */
  run(sql: string, values?: Record<string, SQLInputValue>): number;
  readonly path: string;
  /** Why the last change could not be stored; null once one was. */
  problem(): string | null;
  close(): void;
}

export interface OpenOptions {
  readonly path: string;
  /** For `audit verify` and `audit list` beside a running instance. */
  readonly readOnly?: boolean;
}

/**
 * Opens the database, checks it and brings its schema up to date.
 * Errors: `database_corrupt`, `database_newer`, `database_unreadable`: we never start on a broken file and never overwrite it.
 */
export function openDatabase(options: OpenOptions): Database {
  let connection: DatabaseSync;
  try {
    connection = new DatabaseSync(options.path, { readOnly: options.readOnly ?? false, timeout: 5000 });
    if (options.readOnly !== true) {
      connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    }
    connection.exec('PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;');
    addHasWords(connection);
    quickCheck(connection);
  } catch (error) {
    throw damaged(options.path, error);
  }
  const database = wrap(connection, options.path);
  try {
    migrate(connection, options);
  } catch (error) {
    connection.close();
    if (error instanceof AppError) throw error;
    throw damaged(options.path, error);
  }
  return database;
}

/** Bytes up to which every page is looked at: about two seconds. */
const CHECK_WHOLE = 64 * 1024 * 1024;

/**
 * SQLite's own check. In a large database the audit log is left out: ten million entries would take minutes at every
 * start, and the check of its chain, which begins after the start, reads each of them.
 */
function quickCheck(connection: DatabaseSync): void {
  const { bytes } = connection
    .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size')
    .get() as { bytes: number };
  const scopes =
    bytes <= CHECK_WHOLE
      ? ['1']
      : (
          connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'audit'")
            .all() as { name: string }[]
        ).map(({ name }) => `"${name.replaceAll('"', '""')}"`);
  for (const scope of scopes) {
    const check = connection.prepare(`PRAGMA quick_check(${scope})`).get() as
      | { quick_check?: string }
      | undefined;
    if (check?.quick_check !== 'ok') throw new Error(check?.quick_check ?? 'no answer');
  }
}

function damaged(path: string, error: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'database_corrupt',
    message: `The database ${path} can't be used: ${errorText(error)}.`,
    fix: 'Nothing was changed. Restore the file (and its -wal file) from a backup, or move it away to start anew.',
    cause: error,
  });
}

function wrap(connection: DatabaseSync, path: string): Database {
  const statements = new Map<string, StatementSync>();
  let problem: string | null = null;
  /** What the disk refuses becomes an error with words; everything else stays a bug. */
  const guarded = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      const failure = storageFailure(error);
      if (!failure) throw error;
      problem = failure.message;
      throw failure;
    }
  };
  let depth = 0;
  let waiting: (() => void)[] = [];
  const statement = (sql: string): StatementSync => {
    const known = statements.get(sql);
    if (known) return known;
    const made = connection.prepare(sql);
    statements.set(sql, made);
    return made;
  };
  return {
    path,
    all: <T>(sql: string, values = {}) => statement(sql).all(values) as T[],
    get: <T>(sql: string, values = {}) => statement(sql).get(values) as T | undefined,
    run: (sql, values = {}) =>
      guarded(() => {
        const { changes } = statement(sql).run(values);
        if (depth === 0) problem = null;
        return Number(changes);
      }),
    problem: () => problem,
    tx<T>(change: () => T): T {
      if (depth > 0) return change();
      guarded(() => connection.exec('BEGIN IMMEDIATE'));
      depth += 1;
      let committed = false;
      try {
        const result = change();
        if (result instanceof Promise) throw new TypeError('a transaction must not be async');
        guarded(() => connection.exec('COMMIT'));
        committed = true;
        problem = null;
        return result;
      } catch (error) {
        // A full disk can end the transaction by itself; a second ROLLBACK would hide the first error.
        if (connection.isTransaction) connection.exec('ROLLBACK');
        throw error;
      } finally {
        depth -= 1;
        const acts = waiting;
        waiting = [];
        if (committed) for (const act of acts) act();
      }
    },
    afterCommit(act) {
      if (depth > 0) waiting.push(act);
      else act();
    },
    close: () => connection.close(),
  };
}

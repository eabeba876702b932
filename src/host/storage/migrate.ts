import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../core/index.ts';
import { migrations } from './migrations/index.ts';

/** Applies what is missing, each step in its own transaction. `user_version` counts the steps. */
export function migrate(
  connection: DatabaseSync,
  options: { readonly path: string; readonly readOnly?: boolean },
): void {
  const row = connection.prepare('PRAGMA user_version').get() as { user_version: number };
  const version = row.user_version;
  if (version > migrations.length) {
    throw new AppError({
      family: 'config',
      code: 'database_newer',
      message: `The database ${options.path} was made by a newer OpenPact (schema ${version}, this one knows ${migrations.length}).`,
      fix: 'Start the newer version, or restore a backup made by this one.',
    });
  }
  if (options.readOnly === true) {
    if (version < migrations.length) {
      throw new AppError({
        family: 'config',
        code: 'database_older',
        message: `The database ${options.path} has schema ${version}; this version needs ${migrations.length}.`,
        fix: 'Start OpenPact once: it brings the database up to date.',
      });
    }
    return;
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    connection.exec('BEGIN IMMEDIATE');
    try {
      connection.exec(sql);
      connection.exec(`PRAGMA user_version = ${index + 1}`);
      connection.exec('COMMIT');
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK');
      throw error;
    }
  }
}

/** The schema as text, for the dump that stands beside each migration. */
export function schemaDump(connection: DatabaseSync): string {
  const rows = connection
    .prepare(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name",
    )
    .all() as { sql: string }[];
  return `${rows.map((row) => `${row.sql};`).join('\n')}\n`;
}

/** A database as the version before wrote it: its schema, with everything in it that it knew of. */
import { chmodSync, chownSync, renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { migrations } from '../../src/host/storage/migrations/index.ts';

export type Rows = Readonly<Record<string, readonly string[]>>;

/** Replaces the file by one of the last schema but one, and tells its rows. */
export function downgrade(path: string): Rows {
  const older = `${path}.older`;
  const connection = new DatabaseSync(older, { enableForeignKeyConstraints: false });
  const version = migrations.length - 1;
  for (const sql of migrations.slice(0, version)) connection.exec(sql);
  connection.exec(`PRAGMA user_version = ${version}`);
  connection.prepare('ATTACH ? AS newer').run(path);
  for (const table of tables(connection)) {
    const columns = columnsOf(connection, table).join(', ');
    connection.exec(`INSERT INTO main.${table} (${columns}) SELECT ${columns} FROM newer.${table}`);
  }
  const rows = Object.fromEntries(tables(connection).map((table) => [table, rowsOf(connection, table)]));
  connection.close();
  const { uid, gid, mode } = statSync(path);
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  renameSync(older, path);
  chownSync(path, uid, gid);
  chmodSync(path, mode & 0o777);
  return rows;
}

/** The rows of `before` that are not in the database any more. */
export function lostRows(path: string, before: Rows): readonly string[] {
  const connection = new DatabaseSync(path, { readOnly: true });
  const lost = Object.entries(before).flatMap(([table, rows]) => {
    const columns = Object.keys(JSON.parse(rows[0] ?? '{}') as object);
    if (columns.length === 0) return [];
    const found = new Set(rowsOf(connection, table, columns));
    return rows.filter((row) => !found.has(row)).map((row) => `${table}: ${row}`);
  });
  connection.close();
  return lost;
}

export function schemaVersion(path: string): number {
  const connection = new DatabaseSync(path, { readOnly: true });
  const { user_version } = connection.prepare('PRAGMA user_version').get() as { user_version: number };
  connection.close();
  return user_version;
}

function tables(connection: DatabaseSync): readonly string[] {
  const rows = connection
    .prepare(
      "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .all() as { name: string }[];
  return rows.map(({ name }) => name);
}

function columnsOf(connection: DatabaseSync, table: string): readonly string[] {
  const rows = connection.prepare(`PRAGMA main.table_info(${table})`).all() as { name: string }[];
  return rows.map(({ name }) => name);
}

/** Changes with each login, as it should. */
const MOVING = ['last_login_at'];

function rowsOf(
  connection: DatabaseSync,
  table: string,
  columns = columnsOf(connection, table).filter((name) => !MOVING.includes(name)),
): readonly string[] {
  const rows = connection.prepare(`SELECT ${columns.join(', ')} FROM main.${table}`).all();
  return rows.map((row) =>
    JSON.stringify(row, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
  );
}

import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from './database.ts';
import { schemaDump } from './migrate.ts';
import { migrations } from './migrations/index.ts';

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'openpact-db-'));
  path = join(directory, 'openpact.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('the schema after each migration is the dump that stands beside it', () => {
  const connection = new DatabaseSync(':memory:');
  migrations.forEach((sql, index) => {
    connection.exec(sql);
    const number = String(index + 1).padStart(4, '0');
    expect(schemaDump(connection)).toBe(
      readFileSync(join(import.meta.dirname, 'migrations', `${number}.schema.sql`), 'utf8'),
    );
  });
  connection.close();
});

test('every table is strict', () => {
  const database = openDatabase({ path });
  const tables = database.all<{ name: string; strict: number }>(
    "SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
  );
  expect(tables.length).toBeGreaterThan(10);
  expect(tables.filter((table) => table.strict !== 1)).toEqual([]);
  database.close();
});

test('it writes ahead and waits for the disk', () => {
  const database = openDatabase({ path });
  expect(database.get('PRAGMA journal_mode')).toMatchObject({ journal_mode: 'wal' });
  expect(database.get('PRAGMA synchronous')).toMatchObject({ synchronous: 2 });
  database.close();
});

test('a transaction that throws leaves nothing, and what waits for its end is not told', () => {
  const database = openDatabase({ path });
  const told: string[] = [];
  const put = (key: string) => database.run("INSERT INTO settings VALUES (:key, '1', 0)", { key });
  expect(() =>
    database.tx(() => {
      put('a');
      database.afterCommit(() => told.push('a'));
      throw new Error('no');
    }),
  ).toThrow('no');
  database.tx(() => {
    database.tx(() => put('b'));
    database.afterCommit(() => told.push('b'));
    expect(told).toEqual([]);
  });
  expect(database.all('SELECT key FROM settings')).toMatchObject([{ key: 'b' }]);
  expect(told).toEqual(['b']);
  database.close();
});

test('a file that is no database is refused and left as it is', () => {
  writeFileSync(path, 'not a database at all, but long enough to have a header'.repeat(20));
  const before = readFileSync(path);
  expect(() => openDatabase({ path })).toThrow(
    expect.objectContaining({ code: 'database_corrupt', family: 'config' }),
  );
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('a damaged page is found at the start', () => {
  const database = openDatabase({ path });
  for (let i = 0; i < 2000; i += 1)
    database.run('INSERT INTO settings VALUES (:key, \'"some text to fill pages"\', 0)', { key: `k${i}` });
  database.run('PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, bytes.length - 3 * 4096, bytes.length - 4096);
  writeFileSync(path, bytes);
  expect(() => openDatabase({ path })).toThrow(expect.objectContaining({ code: 'database_corrupt' }));
});

test('a database of a newer version is refused', () => {
  openDatabase({ path }).close();
  const connection = new DatabaseSync(path);
  connection.exec('PRAGMA user_version = 999');
  connection.close();
  expect(() => openDatabase({ path })).toThrow(expect.objectContaining({ code: 'database_newer' }));
});

test('a disk that takes nothing is an error with words, known to the health check until something is stored again', () => {
  const database = openDatabase({ path });
  const put = () => database.tx(() => database.run("INSERT OR REPLACE INTO settings VALUES ('a', '1', 0)"));
  database.run('PRAGMA query_only = 1');
  expect(put).toThrow(expect.objectContaining({ code: 'storage_read_only', family: 'config' }));
  expect(database.problem()).toContain('read-only');
  database.run('PRAGMA query_only = 0');
  put();
  expect(database.problem()).toBeNull();
  database.close();
});

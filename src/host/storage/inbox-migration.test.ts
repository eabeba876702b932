import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { inbox } from './migrations/0010-inbox.ts';
import { migrations } from './migrations/index.ts';

test('versions of before say how they stopped waiting: decided, replaced, with their script, or never', () => {
  const database = new DatabaseSync(':memory:');
  for (const sql of migrations.slice(0, migrations.indexOf(inbox))) database.exec(sql);
  database.exec("INSERT INTO script_texts VALUES ('h1', 'a', 1), ('h2', 'b', 1)");
  const put = database.prepare(
    `INSERT INTO script_versions (id, name, hash, author, by_assistant, how, message, created_at, decision, decided_at, decided_by)
     VALUES (?, ?, ?, ?, 1, 'tool', '', ?, ?, ?, ?)`,
  );
  put.run(1, 'a', 'h1', 'assistant:cnv_1', 10, 'approved', 15, 'user:owner');
  put.run(2, 'a', 'h2', 'assistant:cnv_1', 20, 'passed_over', 45, null);
  put.run(3, 'a', 'h1', 'assistant:cnv_2', 30, 'approved', 15, 'user:owner');
  put.run(4, 'a', 'h2', 'assistant:cnv_3', 40, 'rejected', 45, 'user:owner');
  put.run(5, 'b', 'h1', 'assistant:cnv_1', 50, null, null, null);
  put.run(6, 'b', 'h2', 'user:owner', 60, null, null, null);
  put.run(7, 'gone', 'h2', 'assistant:cnv_1', 70, null, null, null);
  database.exec(
    `INSERT INTO scripts (name, version, revision, created_at, modified_at) VALUES ('a', 4, 1, 1, 1), ('b', 6, 1, 1, 1)`,
  );
  database.exec(inbox);
  const rows = database
    .prepare('SELECT id, ended_how, ended_at, ended_by FROM script_versions ORDER BY id')
    .all();
  expect(rows.map((row) => Object.values(row))).toEqual([
    [1, 'approved', 15, 'user:owner'],
    [2, 'superseded', 30, 'assistant:cnv_2'],
    [3, 'kept', 30, null],
    [4, 'denied', 45, 'user:owner'],
    [5, 'superseded', 60, 'user:owner'],
    [6, null, null, null],
    [7, 'cancelled', 70, null],
  ]);
  database.close();
});

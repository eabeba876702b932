import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { migrations } from './migrations/index.ts';

test('the database takes a run that begins with the approved text of a script that is on, and no other', () => {
  const database = new DatabaseSync(':memory:');
  for (const sql of migrations) database.exec(sql);
  database.exec(`INSERT INTO script_texts VALUES ('good', 'a', 1), ('evil', 'b', 1);
    INSERT INTO script_versions (id, name, hash, author, by_assistant, how, message, created_at)
      VALUES (1, 'job', 'evil', 'assistant', 1, 'tool', '', 1);
    INSERT INTO scripts (name, version, revision, approved, granted, disabled_at, created_at, modified_at)
      VALUES ('job', 1, 1, 'good', '{}', NULL, 1, 1), ('off', 1, 1, 'good', '{}', 5, 1, 1),
        ('new', 1, 1, NULL, NULL, NULL, 1, 1);`);
  let id = 0;
  const begin = (row: { name: string; hash: string; kind?: string; granted?: string; outcome?: string }) => {
    const { name, hash, kind = 'run', granted = null, outcome = 'running' } = row;
    id += 1;
    try {
      database
        .prepare(
          `INSERT INTO script_runs (id, name, hash, kind, caller, origin, arguments, granted, started_at, outcome, requests,
             request_count, bytes, secrets, hidden) VALUES (?, ?, ?, ?, '', 'page', '', ?, 1, ?, '[]', 0, 0, '[]', '{}')`,
        )
        .run(String(id), name, hash, kind, granted, outcome);
      return 'taken';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const stray = 'this text is not the approved one';
  expect(begin({ name: 'job', hash: 'good' })).toBe('taken');
  expect(begin({ name: 'job', hash: 'good', kind: 'test' })).toBe('taken');
  expect(begin({ name: 'job', hash: 'evil' })).toBe(stray);
  expect(begin({ name: 'job', hash: 'evil', kind: 'test' })).toBe(stray);
  expect(begin({ name: 'off', hash: 'good' })).toBe(stray);
  expect(begin({ name: 'new', hash: 'good' })).toBe(stray);
  expect(begin({ name: 'none', hash: 'good' })).toBe(stray);
  expect(begin({ name: '', hash: 'evil', kind: 'exec' })).toBe('taken');
  const named = 'code without a script has no name and no grant';
  expect(begin({ name: 'job', hash: 'evil', kind: 'exec' })).toBe(named);
  expect(begin({ name: '', hash: 'evil', kind: 'exec', granted: '{}' })).toBe(named);
  // A record of the past says what was.
  expect(begin({ name: 'job', hash: 'evil', outcome: 'ok' })).toBe('taken');
  database.close();
});

import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { offerDismissals } from './migrations/0011-offer-dismissals.ts';
import { migrations } from './migrations/index.ts';

test('offers of before are of the approved text, else of the newest; those of no script are gone', () => {
  const database = new DatabaseSync(':memory:');
  for (const sql of migrations.slice(0, migrations.indexOf(offerDismissals))) database.exec(sql);
  database.exec("INSERT INTO script_texts VALUES ('h1', 'a', 1), ('h2', 'b', 1)");
  database.exec(
    `INSERT INTO script_versions (id, name, hash, author, by_assistant, how, message, created_at) VALUES
       (1, 'a', 'h1', 'user:owner', 0, 'page', '', 1), (2, 'a', 'h2', 'user:owner', 0, 'page', '', 2),
       (3, 'revoked', 'h2', 'user:owner', 0, 'page', '', 3)`,
  );
  database.exec(
    `INSERT INTO scripts (name, version, revision, approved, granted, created_at, modified_at) VALUES
       ('a', 2, 1, 'h1', '{}', 1, 1), ('revoked', 3, 1, NULL, NULL, 1, 1)`,
  );
  database.exec(
    `INSERT INTO script_offers (name, kind, what, times, last_at) VALUES
       ('a', 'host', 'x', 3, 5), ('revoked', 'host', 'x', 1, 5), ('nobody', 'host', 'x', 1, 5)`,
  );
  database.exec(offerDismissals);
  const rows = database.prepare('SELECT name, hash, times FROM script_offers ORDER BY name').all();
  expect(rows.map((row) => Object.values(row))).toEqual([
    ['a', 'h1', 3],
    ['revoked', 'h2', 1],
  ]);
  database.close();
});

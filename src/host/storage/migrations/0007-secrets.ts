/**
 * `secrets`: what is known of a secret for scripts besides its value, which stands in `sealed`. `hosts` is a JSON list,
 * `rotate_by` a day (YYYY-MM-DD). `retired_secrets`: values that were replaced or deleted, still sealed and bound to the
 * record that they had, so that they go on being hidden in texts until `until`.
 */
export const secrets = `
CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  hosts TEXT NOT NULL,
  note TEXT NOT NULL,
  rotate_by TEXT,
  matched INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  rotated_at INTEGER NOT NULL,
  used_at INTEGER,
  used_by TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE retired_secrets (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  nonce BLOB NOT NULL,
  box BLOB NOT NULL,
  until INTEGER NOT NULL
) STRICT;
`;

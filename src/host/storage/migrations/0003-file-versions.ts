/** Versions of the files that say who the assistant is and what it remembers. A text is stored once, under its SHA-256. */
export const fileVersions = `
CREATE TABLE file_texts (
  digest TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE file_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL,
  digest TEXT NOT NULL REFERENCES file_texts(digest),
  by TEXT NOT NULL,
  how TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX file_versions_by_path ON file_versions(path, id);
CREATE INDEX file_versions_by_digest ON file_versions(digest);
`;

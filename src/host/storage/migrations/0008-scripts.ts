/**
 * Scripts: every text under its digest, every version of every name, the one approval that each name can have, and what
 * became of each run.
 */
export const scripts = `
CREATE TABLE script_texts (
  hash TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE script_versions (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL REFERENCES script_texts(hash),
  parent TEXT,
  author TEXT NOT NULL,
  by_assistant INTEGER NOT NULL,
  how TEXT NOT NULL,
  message TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  decision TEXT,
  decided_at INTEGER,
  decided_by TEXT,
  reason TEXT
) STRICT;
CREATE INDEX script_versions_by_name ON script_versions(name, id);
CREATE INDEX script_versions_undecided ON script_versions(by_assistant) WHERE decision IS NULL;

CREATE TABLE scripts (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL REFERENCES script_versions(id),
  on_disk TEXT,
  revision INTEGER NOT NULL,
  approved TEXT REFERENCES script_texts(hash),
  granted TEXT,
  approved_at INTEGER,
  approved_by TEXT,
  disabled_at INTEGER,
  disabled_by TEXT,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL
) STRICT;

CREATE TABLE script_runs (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  kind TEXT NOT NULL,
  caller TEXT NOT NULL,
  origin TEXT NOT NULL,
  conversation_id TEXT,
  function TEXT,
  arguments TEXT NOT NULL,
  granted TEXT,
  started_at INTEGER NOT NULL,
  duration_ms INTEGER,
  queued_ms INTEGER,
  steps INTEGER,
  outcome TEXT NOT NULL,
  code TEXT,
  message TEXT,
  requests TEXT NOT NULL,
  request_count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  secrets TEXT NOT NULL,
  hidden TEXT NOT NULL
) STRICT;
CREATE INDEX script_runs_by_name ON script_runs(name, started_at);

CREATE TABLE script_offers (
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  times INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (name, kind, what)
) STRICT;
`;

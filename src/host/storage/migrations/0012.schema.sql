CREATE TRIGGER script_runs_of_what_is_approved BEFORE INSERT ON script_runs
WHEN NEW.outcome = 'running' AND NEW.kind <> 'exec' AND NOT EXISTS
  (SELECT 1 FROM scripts WHERE name = NEW.name AND approved = NEW.hash AND disabled_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'this text is not the approved one'); END;
CREATE TRIGGER script_runs_without_a_script BEFORE INSERT ON script_runs
WHEN NEW.kind = 'exec' AND (NEW.name <> '' OR NEW.granted IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'code without a script has no name and no grant'); END;
CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  conversation_id TEXT,
  turn_id TEXT,
  step INTEGER,
  idx INTEGER,
  tool TEXT NOT NULL,
  arguments TEXT NOT NULL,
  digest TEXT NOT NULL,
  summary TEXT NOT NULL,
  why TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  decided_at INTEGER,
  decided_by TEXT,
  reason TEXT
) STRICT;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  actor TEXT NOT NULL,
  origin TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  details TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  mac TEXT NOT NULL
) STRICT;
CREATE TABLE audit_times (
  block INTEGER PRIMARY KEY,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;
CREATE TABLE budget_calls (
  turn_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  conversation_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  state TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  usd REAL NOT NULL,
  reserved_at INTEGER NOT NULL,
  settled_at INTEGER,
  PRIMARY KEY (turn_id, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  seq_ceiling INTEGER NOT NULL
, renamed INTEGER NOT NULL DEFAULT 0, provider TEXT, model TEXT, fallback TEXT NOT NULL DEFAULT 'default', fallback_provider TEXT, fallback_model TEXT) STRICT;
CREATE TABLE events (
  conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  turn_id TEXT,
  part_id TEXT,
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (conversation_id, seq)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE kept_schedules (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  imported_at INTEGER NOT NULL
) STRICT;
CREATE TABLE llm_calls (
  turn_id TEXT NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT NOT NULL,
  finish_reason TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cost_usd REAL,
  PRIMARY KEY (turn_id, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE login_families (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  revoked_at INTEGER,
  revoked_why TEXT
) STRICT;
CREATE TABLE refresh_tokens (
  token_hash TEXT PRIMARY KEY,
  family_id TEXT NOT NULL REFERENCES login_families(id) ON DELETE CASCADE,
  issued_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;
CREATE TABLE retired_secrets (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  nonce BLOB NOT NULL,
  box BLOB NOT NULL,
  until INTEGER NOT NULL
) STRICT;
CREATE TABLE script_offers (
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  times INTEGER NOT NULL,
  last_at INTEGER NOT NULL, hash TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (name, kind, what)
) STRICT;
CREATE TABLE script_offers_dismissed (
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  dismissed_at INTEGER NOT NULL,
  dismissed_by TEXT NOT NULL,
  PRIMARY KEY (name, hash, kind, what)
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
, ended_how TEXT, ended_at INTEGER, ended_by TEXT) STRICT;
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
CREATE TABLE sealed (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  nonce BLOB NOT NULL,
  box BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (kind, name)
) STRICT;
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
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE tool_calls (
  turn_id TEXT NOT NULL REFERENCES turns(id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  conversation_id TEXT NOT NULL,
  tool TEXT NOT NULL,
  arguments TEXT NOT NULL,
  status TEXT NOT NULL,
  rule TEXT,
  approval_id TEXT,
  result TEXT,
  is_error INTEGER,
  redactions TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  PRIMARY KEY (turn_id, step, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE turns (
  id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  error_code TEXT,
  error_text TEXT
) STRICT;
CREATE TABLE upstreams (
  name TEXT PRIMARY KEY,
  enabled INTEGER NOT NULL,
  base_url TEXT,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  password_changed_at INTEGER NOT NULL,
  last_login_at INTEGER
) STRICT;
CREATE INDEX approvals_by_status ON approvals(status, created_at);
CREATE INDEX approvals_by_time ON approvals(coalesce(decided_at, created_at), id, status, tool, conversation_id);
CREATE INDEX audit_by_actor ON audit(actor);
CREATE INDEX audit_by_conversation ON audit(coalesce(CASE WHEN json_valid(details) THEN json_extract(details, '$.conversation') END, CASE WHEN substr(actor, 1, 10) = 'assistant:' THEN substr(actor, 11) WHEN substr(target, 1, 4) = 'cnv_' THEN target END));
CREATE INDEX audit_by_event ON audit(event, seq);
CREATE INDEX audit_by_family ON audit(substr(event, 1, instr(event, '.')));
CREATE INDEX audit_by_kind ON audit(substr(actor, 1, instr(actor || ':', ':')));
CREATE INDEX audit_by_outcome ON audit(outcome) WHERE outcome <> 'ok';
CREATE INDEX audit_by_target ON audit(target);
CREATE INDEX budget_calls_by_conversation ON budget_calls(conversation_id);
CREATE INDEX budget_calls_by_day ON budget_calls(day);
CREATE INDEX budget_calls_open ON budget_calls(state) WHERE state = 'open';
CREATE INDEX conversations_by_update ON conversations(updated_at);
CREATE UNIQUE INDEX events_by_part ON events(conversation_id, part_id) WHERE part_id IS NOT NULL;
CREATE INDEX file_versions_by_digest ON file_versions(digest);
CREATE INDEX file_versions_by_path ON file_versions(path, id);
CREATE INDEX llm_calls_by_time ON llm_calls(started_at);
CREATE INDEX login_families_by_user ON login_families(user_id);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens(family_id);
CREATE INDEX script_runs_by_name ON script_runs(name, started_at);
CREATE INDEX script_versions_by_name ON script_versions(name, id);
CREATE INDEX script_versions_by_time ON script_versions(coalesce(ended_at, created_at), id, ended_how, name, author);
CREATE INDEX script_versions_undecided ON script_versions(by_assistant) WHERE decision IS NULL;
CREATE INDEX script_versions_waiting ON script_versions(created_at, id, name, author) WHERE ended_how IS NULL;
CREATE INDEX tool_calls_open ON tool_calls(status) WHERE status IN ('seen', 'asking', 'running');
CREATE INDEX turns_by_conversation ON turns(conversation_id, created_at);
CREATE INDEX turns_open ON turns(status) WHERE status IN ('queued', 'running', 'waiting');

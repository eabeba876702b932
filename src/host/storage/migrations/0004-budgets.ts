/**
 * What each call to a model may cost (`open`), did cost (`settled`), or may have cost when the program was cut off in the
 * middle of it (`lost`). No foreign keys: deleting a conversation must not give its money back. `day` counts UTC days since 1970.
 */
export const budgets = `
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
CREATE INDEX budget_calls_by_day ON budget_calls(day);
CREATE INDEX budget_calls_by_conversation ON budget_calls(conversation_id);
CREATE INDEX budget_calls_open ON budget_calls(state) WHERE state = 'open';
CREATE INDEX llm_calls_by_time ON llm_calls(started_at);
`;

/** Schedules that were imported from the original and wait for a scheduler. Nothing runs them. */
export const keptSchedules = `
CREATE TABLE kept_schedules (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  imported_at INTEGER NOT NULL
) STRICT;
`;

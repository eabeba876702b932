/**
 * What waits for the owner and what became of it, in the order of time. A version of a script stops waiting when it is
 * decided on, when a newer one takes its place, or when its script is deleted: when, how and by whom stands in its row.
 * `kept`: it never waited, because its text was decided on before. `decision` is what the owner said of the text.
 */
export const inbox = `
ALTER TABLE script_versions ADD COLUMN ended_how TEXT;
ALTER TABLE script_versions ADD COLUMN ended_at INTEGER;
ALTER TABLE script_versions ADD COLUMN ended_by TEXT;

UPDATE script_versions SET ended_how = CASE decision WHEN 'approved' THEN 'approved' ELSE 'denied' END,
  ended_at = decided_at, ended_by = decided_by
  WHERE decision IN ('approved', 'rejected');
UPDATE script_versions SET ended_how = 'kept', ended_at = created_at, ended_by = NULL
  WHERE decision IN ('approved', 'rejected') AND decided_at < created_at;
UPDATE script_versions SET ended_how = 'superseded', (ended_at, ended_by) =
    (SELECT n.created_at, n.author FROM script_versions n
     WHERE n.name = script_versions.name AND n.id > script_versions.id ORDER BY n.id LIMIT 1)
  WHERE ended_how IS NULL AND EXISTS
    (SELECT 1 FROM script_versions n WHERE n.name = script_versions.name AND n.id > script_versions.id);
UPDATE script_versions SET ended_how = 'cancelled', ended_at = coalesce(decided_at, created_at)
  WHERE ended_how IS NULL AND NOT EXISTS (SELECT 1 FROM scripts s WHERE s.version = script_versions.id);

CREATE INDEX script_versions_waiting ON script_versions(created_at, id, name, author) WHERE ended_how IS NULL;
CREATE INDEX script_versions_by_time ON script_versions(coalesce(ended_at, created_at), id, ended_how, name, author);
CREATE INDEX approvals_by_time ON approvals(coalesce(decided_at, created_at), id, status, tool, conversation_id);
`;

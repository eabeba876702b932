/**
 * Indexes for the filters of the audit page. Every one of them also orders by `seq`, which SQLite keeps as the rowid at the
 * end of each entry. `audit_times` says between which times each thousand of entries lies: `at` follows the clock, which
 * may go back, so that an index on it could not be read in the order of the log.
 */
export const auditFilters = `
CREATE INDEX audit_by_family ON audit(substr(event, 1, instr(event, '.')));
CREATE INDEX audit_by_actor ON audit(actor);
CREATE INDEX audit_by_kind ON audit(substr(actor, 1, instr(actor || ':', ':')));
CREATE INDEX audit_by_target ON audit(target);
CREATE INDEX audit_by_outcome ON audit(outcome) WHERE outcome <> 'ok';
CREATE INDEX audit_by_conversation ON audit(coalesce(CASE WHEN json_valid(details) THEN json_extract(details, '$.conversation') END, CASE WHEN substr(actor, 1, 10) = 'assistant:' THEN substr(actor, 11) WHEN substr(target, 1, 4) = 'cnv_' THEN target END));

CREATE TABLE audit_times (
  block INTEGER PRIMARY KEY,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT;
INSERT INTO audit_times (block, first_at, last_at)
  SELECT seq / 1000, min(at), max(at) FROM audit GROUP BY seq / 1000;
`;

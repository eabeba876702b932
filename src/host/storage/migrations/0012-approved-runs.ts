/**
 * A run of a script begins with the text that is approved for its name at that moment, while it is not switched off: the
 * database looks once more, whoever decided it. Code without a script has no name and no grant.
 */
export const approvedRuns = `
CREATE TRIGGER script_runs_of_what_is_approved BEFORE INSERT ON script_runs
WHEN NEW.outcome = 'running' AND NEW.kind <> 'exec' AND NOT EXISTS
  (SELECT 1 FROM scripts WHERE name = NEW.name AND approved = NEW.hash AND disabled_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'this text is not the approved one'); END;

CREATE TRIGGER script_runs_without_a_script BEFORE INSERT ON script_runs
WHEN NEW.kind = 'exec' AND (NEW.name <> '' OR NEW.granted IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'code without a script has no name and no grant'); END;
`;

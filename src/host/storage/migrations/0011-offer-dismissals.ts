/**
 * What the owner does not want to be offered again: for the text of which it was dismissed, and for no other. An offer
 * knows the text that was refused; those from before are of the text that is approved (where that was taken back: of
 * the newest), because another approval ended the offers of the one before.
 */
export const offerDismissals = `
ALTER TABLE script_offers ADD COLUMN hash TEXT NOT NULL DEFAULT '';
UPDATE script_offers SET hash = coalesce(
  (SELECT coalesce(s.approved, v.hash) FROM scripts s JOIN script_versions v ON v.id = s.version
   WHERE s.name = script_offers.name), '');
DELETE FROM script_offers WHERE hash = '';

CREATE TABLE script_offers_dismissed (
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  dismissed_at INTEGER NOT NULL,
  dismissed_by TEXT NOT NULL,
  PRIMARY KEY (name, hash, kind, what)
) STRICT;
`;

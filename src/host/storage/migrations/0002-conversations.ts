/** A title that its owner gave stays; a model of one conversation (both or none of provider and model; none: the default). */
export const conversations = `
ALTER TABLE conversations ADD COLUMN renamed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN provider TEXT;
ALTER TABLE conversations ADD COLUMN model TEXT;
`;

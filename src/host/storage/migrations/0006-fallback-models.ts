/**
 * What a conversation goes on with when its model can't be had. `fallback`: 'default' (what the settings name), 'none', or
 * 'own': then provider and model name it.
 */
export const fallbackModels = `
ALTER TABLE conversations ADD COLUMN fallback TEXT NOT NULL DEFAULT 'default';
ALTER TABLE conversations ADD COLUMN fallback_provider TEXT;
ALTER TABLE conversations ADD COLUMN fallback_model TEXT;
`;

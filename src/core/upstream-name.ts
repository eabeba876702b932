/** The providers of models, by the names that the API, the settings and the database use. */
export const UPSTREAM_NAMES = [
  'openai',
  'anthropic',
  'google',
  'azure',
  'openrouter',
  'ollama',
  'openai-compatible',
  'demo',
] as const;
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

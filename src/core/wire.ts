/**
 * A provider's own language, by name. The gateway speaks it on both sides of itself, so that the engine may use that
 * provider's client.
 */
export type WireName = 'chat-completions' | 'anthropic' | 'openai-responses' | 'gemini';

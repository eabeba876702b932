import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';

import type { TurnFrame } from './frames.ts';
import { LLM_ORIGIN } from './parent-fetch.ts';

/**
 * Tokens of an answer that are asked for where a wire demands a number: as many as every current model gives. The client's
 * own guess for a model that is newer than it is a sixteenth of that. The gateway makes it smaller where it must.
 */
const MOST_OUTPUT_TOKENS = 64_000;

export function outputLimit(wire: TurnFrame['wire']): { readonly maxOutputTokens?: number } {
  return wire === 'anthropic' ? { maxOutputTokens: MOST_OUTPUT_TOKENS } : {};
}

/** The turn's wire is one that this agent has no client for. */
class UnknownWire extends Error {
  readonly code = 'model_unknown_wire';
}

/**
 * The client that speaks the turn's wire with the gateway. The usual one is there from the start; each of the others is
 * read from the bundle when a turn first needs it, so that the agent starts as fast as before.
 */
export async function modelClient(
  { wire, model, capability }: Pick<TurnFrame, 'wire' | 'model' | 'capability'>,
  fetch: typeof globalThis.fetch,
): Promise<Exclude<LanguageModel, string>> {
  switch (wire) {
    case 'chat-completions':
      return createOpenAICompatible({
        name: 'openpact',
        baseURL: `${LLM_ORIGIN}/v1`,
        apiKey: capability,
        includeUsage: true,
        fetch,
      }).chatModel(model);
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic({
        baseURL: `${LLM_ORIGIN}/v1`,
        authToken: capability,
        fetch,
      }).languageModel(model);
    }
    default:
      throw new UnknownWire(`There is no client for the wire ${wire}.`);
  }
}

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';

import type { TurnFrame } from './frames.ts';
import { LLM_ORIGIN } from './parent-fetch.ts';

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

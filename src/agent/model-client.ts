import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { defaultSettingsMiddleware, wrapLanguageModel, type JSONValue, type LanguageModel } from 'ai';

import type { TurnFrame } from './frames.ts';
import { LLM_ORIGIN } from './parent-fetch.ts';

type Client = Exclude<LanguageModel, string>;

const THINKS = /^(models\/)?gemini-(2\.5|[3-9]|\d\d)/;

/**
 * Tokens of an answer that are asked for where a wire demands a number: as many as every current model gives. The client's
 * own guess for a model that is newer than it is a sixteenth of that. The gateway makes it smaller where it must.
 */
const MOST_OUTPUT_TOKENS = 64_000;

export function outputLimit(wire: TurnFrame['wire']): { readonly maxOutputTokens?: number } {
  return wire === 'anthropic' ? { maxOutputTokens: MOST_OUTPUT_TOKENS } : {};
}

/**
 * The client that speaks the turn's wire with the gateway. The usual one is there from the start; each of the others is
 * read from the bundle when a turn first needs it, so that the agent starts as fast as before.
 */
export async function modelClient(
  { wire, model, capability }: Pick<TurnFrame, 'wire' | 'model' | 'capability'>,
  fetch: typeof globalThis.fetch,
): Promise<Client> {
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
    case 'openai-responses': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      const client = createOpenAI({ baseURL: `${LLM_ORIGIN}/v1`, apiKey: capability, fetch });
      // Nothing is to be kept by the provider; its reasoning comes back encrypted instead.
      return withOptions(client.responses(model), { openai: { store: false } });
    }
    case 'gemini': {
      const { createGoogle } = await import('@ai-sdk/google');
      const client = createGoogle({
        baseURL: `${LLM_ORIGIN}/v1beta`,
        // Its own header for a key is not on the list of the pipes; the capability goes where it always goes.
        apiKey: capability,
        headers: { authorization: `Bearer ${capability}` },
        fetch,
      });
      // Older models refuse to be asked for their thoughts.
      return THINKS.test(model)
        ? withOptions(client.chat(model), { google: { thinkingConfig: { includeThoughts: true } } })
        : client.chat(model);
    }
  }
}

function withOptions(
  model: Parameters<typeof wrapLanguageModel>[0]['model'],
  providerOptions: Readonly<Record<string, Record<string, JSONValue>>>,
): Client {
  return wrapLanguageModel({
    model,
    middleware: defaultSettingsMiddleware({ settings: { providerOptions: { ...providerOptions } } }),
  });
}

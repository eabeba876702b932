import { UPSTREAM_NAMES, type UpstreamName } from '../../core/index.ts';
import { ANTHROPIC_PRICES_AS_OF, GOOGLE_PRICES_AS_OF, PRICES_AS_OF } from './prices.ts';
import { anthropicWire } from './wires/anthropic/index.ts';
import { createChatCompletionsWire } from './wires/chat-completions/index.ts';
import { createGeminiWire } from './wires/gemini/index.ts';
import { createResponsesWire } from './wires/openai-responses/index.ts';
import type { Wire } from './wires/wire.ts';

export interface UpstreamKind {
  readonly label: string;
  readonly needsKey: boolean;
  /** Null: the owner must give one. */
  readonly baseUrl: string | null;
  readonly wire: Wire;
  /** At any other address than `baseUrl`, where that speaks something else. */
  readonly wireElsewhere?: Wire;
  /** The provider has no list of what may be chosen: what to do instead, for a person. */
  readonly unlisted?: string;
  readonly reportsCost: boolean;
  readonly note: string | null;
}

const PLAIN = createChatCompletionsWire({ maxTokensField: 'max_tokens', reasoningInHistory: true });

export const UPSTREAM_KINDS: Readonly<Record<UpstreamName, UpstreamKind>> = {
  openai: {
    label: 'OpenAI',
    needsKey: true,
    baseUrl: 'https://api.openai.com/v1',
    wire: createResponsesWire('bearer'),
    // What stands in for OpenAI speaks the older API, and that alone for certain.
    wireElsewhere: createChatCompletionsWire({
      maxTokensField: 'max_completion_tokens',
      reasoningInHistory: false,
    }),
    reportsCost: false,
    note: `Costs are estimates, with the prices of ${PRICES_AS_OF}. At another address than OpenAI's own it speaks chat completions instead of responses.`,
  },
  anthropic: {
    label: 'Anthropic',
    needsKey: true,
    baseUrl: 'https://api.anthropic.com/v1',
    wire: anthropicWire,
    reportsCost: false,
    note: `Costs are estimates, with the prices of ${ANTHROPIC_PRICES_AS_OF}.`,
  },
  google: {
    label: 'Google Gemini',
    needsKey: true,
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    wire: createGeminiWire(),
    reportsCost: false,
    note: `Costs are estimates, with the prices of ${GOOGLE_PRICES_AS_OF}.`,
  },
  azure: {
    label: 'Azure OpenAI',
    needsKey: true,
    baseUrl: null,
    wire: createResponsesWire('api-key'),
    unlisted: 'Azure OpenAI has no list of your deployments. Type the name of one.',
    reportsCost: false,
    note: 'The model is the name of your deployment. What it costs is not known and is counted with the fallback prices.',
  },
  openrouter: {
    label: 'OpenRouter',
    needsKey: true,
    baseUrl: 'https://openrouter.ai/api/v1',
    wire: PLAIN,
    reportsCost: true,
    note: null,
  },
  ollama: {
    label: 'Ollama',
    needsKey: false,
    baseUrl: 'http://127.0.0.1:11434/v1',
    wire: PLAIN,
    reportsCost: false,
    note: 'Runs on your own machine. Choose a model that supports tools.',
  },
  'openai-compatible': {
    label: 'OpenAI-compatible server',
    needsKey: false,
    baseUrl: null,
    wire: PLAIN,
    reportsCost: false,
    note: 'Any server that speaks chat completions; the base URL usually ends in /v1.',
  },
  demo: {
    label: 'Demo (not an AI)',
    needsKey: false,
    baseUrl: null,
    wire: PLAIN,
    reportsCost: false,
    note: 'Demo, not an AI: a few fixed rules, without a key and without a network.',
  },
};

export function isUpstreamName(name: string): name is UpstreamName {
  return (UPSTREAM_NAMES as readonly string[]).includes(name);
}

/** Names of models as providers write them, such as `gpt-5-mini`, `qwen3:8b`, `meta-llama/llama-3.3-70b:free`. */
export function isModelName(model: string): boolean {
  return /^[A-Za-z0-9~@][A-Za-z0-9._:/@+~-]{0,199}$/.test(model);
}

/**
 * Models that search the web or run tools at the provider's by themselves: a way out that no one here could decide on or see.
 * Known names only; a provider can always invent another one.
 */
export function actsByItself(model: string): boolean {
  return /:online$|-search-(preview|api)|deep-research|^perplexity\/|(^|\/)sonar(-|$)|computer-use/i.test(
    model,
  );
}

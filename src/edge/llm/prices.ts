import type { StepUsage } from './ports.ts';
import type { UpstreamName } from '../../core/index.ts';

/** When OpenAI's numbers below were published; older or newer prices differ, so costs are estimates. */
export const PRICES_AS_OF = '2026-03';
/** Of Anthropic's. */
export const ANTHROPIC_PRICES_AS_OF = '2026-10';
/** Of Google's. */
export const GOOGLE_PRICES_AS_OF = '2026-01';

export interface ModelPrice {
  /** US dollars for a million tokens. */
  readonly input: number;
  readonly cached: number;
  /** For what is put into the cache; absent: as `input`. */
  readonly written?: number;
  readonly output: number;
  /** Tokens of one answer, at most; absent: not known. */
  readonly maxOutput?: number;
  /** The prices of a call whose prompt has more tokens than `above`. */
  readonly long?: { readonly above: number } & Rates;
}

type Rates = Pick<ModelPrice, 'input' | 'cached' | 'written' | 'output'>;

const OPENAI: Readonly<Record<string, ModelPrice>> = {
  'gpt-5.2': { input: 1.75, cached: 0.175, output: 14, maxOutput: 128_000 },
  'gpt-5.1': { input: 1.25, cached: 0.125, output: 10, maxOutput: 128_000 },
  'gpt-5': { input: 1.25, cached: 0.125, output: 10, maxOutput: 128_000 },
  'gpt-5-mini': { input: 0.25, cached: 0.025, output: 2, maxOutput: 128_000 },
  'gpt-5-nano': { input: 0.05, cached: 0.005, output: 0.4, maxOutput: 128_000 },
  'gpt-4.1': { input: 2, cached: 0.5, output: 8, maxOutput: 32_768 },
  'gpt-4.1-mini': { input: 0.4, cached: 0.1, output: 1.6, maxOutput: 32_768 },
  'gpt-4.1-nano': { input: 0.1, cached: 0.025, output: 0.4, maxOutput: 32_768 },
  'gpt-4o': { input: 2.5, cached: 1.25, output: 10, maxOutput: 16_384 },
  'gpt-4o-mini': { input: 0.15, cached: 0.075, output: 0.6, maxOutput: 16_384 },
  o3: { input: 2, cached: 0.5, output: 8, maxOutput: 100_000 },
  'o4-mini': { input: 1.1, cached: 0.275, output: 4.4, maxOutput: 100_000 },
};

/** Thoughts are paid as answer. */
const GOOGLE: Readonly<Record<string, ModelPrice>> = {
  'gemini-3-pro-preview': {
    input: 2,
    cached: 0.2,
    output: 12,
    maxOutput: 65_536,
    long: { above: 200_000, input: 4, cached: 0.4, output: 18 },
  },
  'gemini-3-flash-preview': { input: 0.5, cached: 0.05, output: 3, maxOutput: 65_536 },
  'gemini-2.5-pro': {
    input: 1.25,
    cached: 0.125,
    output: 10,
    maxOutput: 65_536,
    long: { above: 200_000, input: 2.5, cached: 0.25, output: 15 },
  },
  'gemini-2.5-flash': { input: 0.3, cached: 0.03, output: 2.5, maxOutput: 65_536 },
  'gemini-2.5-flash-lite': { input: 0.1, cached: 0.01, output: 0.4, maxOutput: 65_536 },
  'gemini-2.0-flash': { input: 0.1, cached: 0.025, output: 0.4, maxOutput: 8_192 },
};

const OPUS: ModelPrice = { input: 5, cached: 0.5, written: 6.25, output: 25, maxOutput: 128_000 };
const SONNET_5: ModelPrice = { input: 2, cached: 0.2, written: 2.5, output: 10, maxOutput: 128_000 };
const FABLE: ModelPrice = { input: 10, cached: 1, written: 12.5, output: 50, maxOutput: 128_000 };

const ANTHROPIC: Readonly<Record<string, ModelPrice>> = {
  'claude-fable-5-1': { ...FABLE, cached: 0.25 },
  'claude-fable-5': FABLE,
  'claude-opus-5-5': { input: 4, cached: 0.2, written: 5, output: 20, maxOutput: 128_000 },
  'claude-opus-5': OPUS,
  'claude-opus-4-8': OPUS,
  'claude-opus-4-7': OPUS,
  'claude-opus-4-6': OPUS,
  'claude-opus-4-5': { ...OPUS, maxOutput: 64_000 },
  'claude-sonnet-5-5': { ...SONNET_5, cached: 0.1 },
  'claude-sonnet-5': SONNET_5,
  // The client takes 128,000 for its limit; the lower one is right for all that offer it.
  'claude-sonnet-4-6': { input: 3, cached: 0.3, written: 3.75, output: 15, maxOutput: 64_000 },
  'claude-sonnet-4-5': { input: 3, cached: 0.3, written: 3.75, output: 15, maxOutput: 64_000 },
  'claude-haiku-5-5': {
    input: 0.1,
    cached: 0.01,
    written: 0.125,
    output: 0.5,
    maxOutput: 128_000,
    long: { above: 100_000, input: 0.5, cached: 0.05, written: 0.625, output: 2.5 },
  },
  'claude-haiku-4-5': { input: 1, cached: 0.1, written: 1.25, output: 5, maxOutput: 64_000 },
};

const FREE: ModelPrice = { input: 0, cached: 0, output: 0 };

/** US dollars; null when the price or the tokens aren't known. OpenRouter tells its cost itself. */
export function estimateCost(provider: UpstreamName, model: string, usage: StepUsage): number | null {
  const price = priceOf(provider, model);
  if (!price) return null;
  if (price === FREE) return 0;
  if (usage.input === null || usage.output === null) return null;
  const rates = ratesOf(price, usage.input);
  const cached = Math.min(usage.cached ?? 0, usage.input);
  const written = Math.min(usage.written ?? 0, usage.input - cached);
  const millionths =
    (usage.input - cached - written) * rates.input +
    cached * rates.cached +
    written * (rates.written ?? rates.input) +
    usage.output * rates.output;
  return millionths / 1_000_000;
}

/** What a call with so many tokens of prompt is charged at. */
export function ratesOf(price: ModelPrice, inputTokens: number): Rates {
  return price.long !== undefined && inputTokens > price.long.above ? price.long : price;
}

export function priceOf(provider: UpstreamName, model: string): ModelPrice | undefined {
  switch (provider) {
    case 'openai':
      // A dated name is the same model: gpt-4o-2024-08-06.
      return listed(OPENAI, model) ?? listed(OPENAI, model.replace(/-\d{4}-\d{2}-\d{2}$/, ''));
    case 'anthropic':
      // claude-haiku-4-5-20251001
      return listed(ANTHROPIC, model) ?? listed(ANTHROPIC, model.replace(/-\d{8}$/, ''));
    case 'google':
      return listed(GOOGLE, model.replace(/^models\//, ''));
    case 'demo':
      return FREE;
    case 'ollama':
      // Ollama can also rent models out of its cloud; what runs at home costs no one anything per token.
      return /[:-]cloud$/.test(model) ? undefined : FREE;
    // A deployment may have any name, and its price depends on the contract.
    case 'azure':
    case 'openrouter':
    case 'openai-compatible':
      return undefined;
  }
}

/** A model may be named like something that every object has, such as `constructor`. */
function listed(prices: Readonly<Record<string, ModelPrice>>, model: string): ModelPrice | undefined {
  return Object.hasOwn(prices, model) ? prices[model] : undefined;
}

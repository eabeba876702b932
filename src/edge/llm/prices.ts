import type { StepUsage } from './ports.ts';
import type { UpstreamName } from './upstream-kinds.ts';

/** When the numbers below were published; older or newer prices differ, so costs are estimates. */
export const PRICES_AS_OF = '2026-03';

export interface ModelPrice {
  /** US dollars for a million tokens. */
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  /** Tokens of one answer, at most; absent: not known. */
  readonly maxOutput?: number;
}

const OPENAI: Readonly<Record<string, ModelPrice>> = {
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

const FREE: ModelPrice = { input: 0, cached: 0, output: 0 };

/** US dollars; null when the price or the tokens aren't known. OpenRouter tells its cost itself. */
export function estimateCost(provider: UpstreamName, model: string, usage: StepUsage): number | null {
  const price = priceOf(provider, model);
  if (!price) return null;
  if (price === FREE) return 0;
  if (usage.input === null || usage.output === null) return null;
  const cached = Math.min(usage.cached ?? 0, usage.input);
  const millionths =
    (usage.input - cached) * price.input + cached * price.cached + usage.output * price.output;
  return millionths / 1_000_000;
}

export function priceOf(provider: UpstreamName, model: string): ModelPrice | undefined {
  switch (provider) {
    case 'openai':
      // A dated name is the same model: gpt-4o-2024-08-06.
      return OPENAI[model] ?? OPENAI[model.replace(/-\d{4}-\d{2}-\d{2}$/, '')];
    case 'demo':
      return FREE;
    case 'ollama':
      // Ollama can also rent models out of its cloud; what runs at home costs no one anything per token.
      return /[:-]cloud$/.test(model) ? undefined : FREE;
    case 'openrouter':
    case 'openai-compatible':
      return undefined;
  }
}

import type { ModelView } from './model-list.ts';
import type { UpstreamName } from '../../core/index.ts';

/** Tokens that a model can take, of those whose provider's list does not say it. As of 2026-03, like the prices. */
const OPENAI: Readonly<Record<string, number>> = {
  'gpt-5.1': 400_000,
  'gpt-5': 400_000,
  'gpt-5-mini': 400_000,
  'gpt-5-nano': 400_000,
  'gpt-4.1': 1_047_576,
  'gpt-4.1-mini': 1_047_576,
  'gpt-4.1-nano': 1_047_576,
  'gpt-4o': 128_000,
  'gpt-4o-mini': 128_000,
  o3: 200_000,
  'o4-mini': 200_000,
};

/** What is known of the size of models, without asking anybody. */
export interface ContextWindows {
  /** From a list that was fetched; it stays known when the list is too old to be shown. */
  learn(models: readonly ModelView[]): void;
  /** Another address may have other models. */
  forget(provider: UpstreamName): void;
  /**
   * In tokens; null: not known. What a provider says of its own models comes first; `listed`: then our own table, which
   * holds for the maker's own address only.
   */
  of(provider: string, model: string, listed: boolean): number | null;
}

export function createContextWindows(): ContextWindows {
  const learned = new Map<UpstreamName, ReadonlyMap<string, number>>();
  return {
    learn(models) {
      for (const [provider, list] of Map.groupBy(models, (each) => each.provider)) {
        const sizes = list.flatMap(({ model, context_limit }) =>
          context_limit === null ? [] : [[model, context_limit] as const],
        );
        learned.set(provider, new Map(sizes));
      }
    },
    forget: (provider) => void learned.delete(provider),
    of(provider, model, listed) {
      const told = learned.get(provider as UpstreamName)?.get(model);
      if (told !== undefined) return told;
      // A dated name is the same model: gpt-4o-2024-08-06.
      return listed && provider === 'openai'
        ? (OPENAI[model.replace(/-\d{4}-\d{2}-\d{2}$/, '')] ?? null)
        : null;
    },
  };
}

// Guarantees: a turn goes on only with the model that the owner named for this, and only if it may be chosen at this moment.
// Does not: decide when (the gateway's word does). An attacker may control: nothing here; the choice is the owner's.
import { AppError } from '../core/index.ts';
import type { ConversationStore } from '../host/storage/index.ts';

export interface ModelName {
  readonly provider: string;
  readonly model: string;
}

export type Fallback =
  | { readonly ok: true; readonly provider: string; readonly model: string }
  /** The owner named one and it can't be used: why, and what to do. */
  | { readonly ok: false; readonly message: string };

export interface FallbackDeps {
  readonly conversations: ConversationStore;
  /** What the settings name for all conversations; null: none. */
  readonly byDefault: () => ModelName | null;
  /** Whether a conversation may use this model. Throws `AppError` with why not. */
  readonly checkModel: (choice: ModelName) => void;
}

export const sameModel = (a: ModelName, b: ModelName): boolean =>
  a.provider === b.provider && a.model === b.model;

/** What a conversation goes on with when `current` can't be had; undefined: the owner named nothing else. */
export function createFallbacks(
  deps: FallbackDeps,
): (conversationId: string, current: ModelName) => Fallback | undefined {
  function named(conversationId: string): ModelName | null {
    const row = deps.conversations.get(conversationId);
    if (!row || row.fallback === 'none') return null;
    if (row.fallback === 'default') return deps.byDefault();
    if (row.fallback_provider === null || row.fallback_model === null) return null;
    return { provider: row.fallback_provider, model: row.fallback_model };
  }

  return (conversationId, current) => {
    const choice = named(conversationId);
    if (!choice || sameModel(choice, current)) return undefined;
    try {
      deps.checkModel(choice);
      return { ok: true, ...choice };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const why = error.fix === undefined ? error.message : `${error.message} ${error.fix}`;
      return {
        ok: false,
        message: `The fallback ${choice.model} (${choice.provider}) can not be used either: ${why}`,
      };
    }
  };
}

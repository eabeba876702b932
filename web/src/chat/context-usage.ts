import type { ConversationModel, ModelView } from '../api/types.ts';
import type { Transcript } from './transcript.ts';

/** From here on the end is near. */
const FULL = 0.8;

/** How much of what the model can take the last call took, as far as both are known. */
export function contextUsage(
  transcript: Transcript,
  used: ConversationModel | null,
  models: readonly ModelView[],
): { readonly text: string; readonly says: string; readonly full: boolean } | null {
  let tokens: number | null = null;
  for (const [id, turn] of transcript.turns)
    if (turn.usage?.contextTokens && !transcript.replaced.has(id)) tokens = turn.usage.contextTokens;
  if (tokens === null || used?.provider === 'demo') return null;
  const limit =
    models.find((each) => each.provider === used?.provider && each.model === used.model)?.context_limit ??
    null;
  const count = tokens.toLocaleString('en');
  if (limit === null) {
    return {
      text: `${count} tokens`,
      says: `The last call took ${count} tokens of context. How many this model can take is not known here.`,
      full: false,
    };
  }
  return {
    text: `${Math.round((100 * tokens) / limit)}% of context`,
    says: `The last call took ${count} of the ${limit.toLocaleString('en')} tokens that this model can take.`,
    full: tokens / limit >= FULL,
  };
}

// Guarantees: what an upstream signed comes back to it unchanged, within the same turn and from nobody but itself: the engine
// holds only a name for it. An answer in which the redactor finds a known secret is not kept, so that nothing passes by the
// redactor. What is kept is bounded and goes with the turn.
// Does not: outlive a restart; a turn doesn't either. An attacker may control: what is kept, and the names that are asked for.
import type { Json, Redactor } from '../../core/index.ts';
import type { GatewayTurn } from './ports.ts';

/** Of one turn together, in UTF-16 units of JSON. */
const MOST_CHARS = 16 * 1024 * 1024;

export interface SealStore {
  /** False: not kept. The model then goes on without its earlier thinking. */
  keep(turn: Pick<GatewayTurn, 'turnId' | 'signal'>, step: number, sealed: Json): boolean;
  find(turnId: string, seal: string): Json | undefined;
}

/** What the engine is given in the place of a signature. */
export function sealName(step: number): string {
  return `seal${String(step).padStart(4, '0')}`;
}

export function createSealStore(redactor: Redactor): SealStore {
  const turns = new Map<string, { readonly seals: Map<string, Json>; chars: number }>();
  return {
    keep(turn, step, sealed) {
      if (turn.signal.aborted || Object.keys(redactor.json(sealed).hidden).length > 0) return false;
      let kept = turns.get(turn.turnId);
      if (!kept) {
        kept = { seals: new Map(), chars: 0 };
        turns.set(turn.turnId, kept);
        turn.signal.addEventListener('abort', () => turns.delete(turn.turnId), { once: true });
      }
      const size = JSON.stringify(sealed).length;
      if (kept.chars + size > MOST_CHARS) return false;
      kept.chars += size;
      kept.seals.set(sealName(step), sealed);
      return true;
    },
    find: (turnId, seal) => turns.get(turnId)?.seals.get(seal),
  };
}

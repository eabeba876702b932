// Guarantees: a turn asks a model once at a time, and after `allowed` answers in a row with unreadable arguments no more.
// Does not: outlive a restart; a turn doesn't either. An attacker may control: how often and when the engine asks.
export interface TurnMemory {
  /** False when a call of this turn is under way. */
  enter(turnId: string): boolean;
  leave(turnId: string): void;
  /** False when it was once too often. */
  argumentsRead(turnId: string, readable: boolean): boolean;
  isVoid(turnId: string): boolean;
}

/** Turns with bad arguments that are remembered; the oldest go first. */
const REMEMBERED = 1_000;

export function createTurnMemory(allowed: number): TurnMemory {
  const running = new Set<string>();
  const bad = new Map<string, number>();
  return {
    enter(turnId) {
      if (running.has(turnId)) return false;
      running.add(turnId);
      return true;
    },
    leave: (turnId) => void running.delete(turnId),
    argumentsRead(turnId, readable) {
      const count = readable ? 0 : (bad.get(turnId) ?? 0) + 1;
      bad.delete(turnId);
      if (count === 0) return true;
      bad.set(turnId, count);
      const [oldest] = bad.keys();
      if (bad.size > REMEMBERED && oldest !== undefined) bad.delete(oldest);
      return count < allowed;
    },
    isVoid: (turnId) => (bad.get(turnId) ?? 0) >= allowed,
  };
}

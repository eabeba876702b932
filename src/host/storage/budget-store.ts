import type { Database } from './database.ts';

/** A call to a model as the budgets count it. Tokens of prompt and answer together; money in US dollars. */
export interface BudgetCallRow {
  readonly turn_id: string;
  readonly step: number;
  readonly conversation_id: string;
  /** UTC days since 1970. */
  readonly day: number;
  readonly provider: string;
  readonly model: string;
  readonly state: 'open' | 'settled' | 'lost';
  readonly tokens: number;
  readonly usd: number;
  readonly reserved_at: number;
  readonly settled_at: number | null;
}

interface Sum {
  readonly tokens: number;
  readonly usd: number;
}

export interface BudgetStore {
  insert(row: BudgetCallRow): void;
  /** Only an open one; null leaves the amount that was reserved. */
  settle(key: { turn_id: string; step: number }, spent: Sum | null, now: number): void;
  /** What is open becomes lost; returns how many. Only right where no call can be under way: at the start. */
  loseOpen(): number;
  ofTurn(turnId: string): Sum;
  /** Lost ones count until their day is over. */
  ofConversation(conversationId: string, today: number): Sum;
  ofDay(day: number): Sum;
}

export function createBudgetStore(database: Database): BudgetStore {
  const sum = (where: string, values: Record<string, string | number>): Sum =>
    database.get<Sum>(
      `SELECT coalesce(sum(tokens), 0) AS tokens, coalesce(sum(usd), 0.0) AS usd FROM budget_calls WHERE ${where}`,
      values,
    ) ?? { tokens: 0, usd: 0 };
  return {
    insert(row) {
      database.run(
        `INSERT INTO budget_calls (turn_id, step, conversation_id, day, provider, model, state, tokens, usd, reserved_at, settled_at)
         VALUES (:turn_id, :step, :conversation_id, :day, :provider, :model, :state, :tokens, :usd, :reserved_at, :settled_at)`,
        { ...row },
      );
    },
    settle({ turn_id, step }, spent, now) {
      database.run(
        `UPDATE budget_calls SET state = 'settled', settled_at = :now,
           tokens = coalesce(:tokens, tokens), usd = coalesce(:usd, usd)
         WHERE turn_id = :turn_id AND step = :step AND state = 'open'`,
        { turn_id, step, now, tokens: spent?.tokens ?? null, usd: spent?.usd ?? null },
      );
    },
    loseOpen: () => database.run("UPDATE budget_calls SET state = 'lost' WHERE state = 'open'"),
    ofTurn: (turnId) => sum('turn_id = :turnId', { turnId }),
    ofConversation: (conversationId, today) =>
      sum("conversation_id = :conversationId AND (state <> 'lost' OR day >= :today)", {
        conversationId,
        today,
      }),
    ofDay: (day) => sum('day = :day', { day }),
  };
}

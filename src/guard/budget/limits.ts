import { isJsonObject, type Json } from '../../core/index.ts';

/** Tokens of prompts and answers together; money in US dollars. */
export interface Amount {
  readonly tokens: number;
  readonly usd: number;
}

export const BUDGET_SCOPES = ['turn', 'conversation', 'day'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];
export type BudgetLimits = Readonly<Record<BudgetScope, Amount>>;

export const BUDGET_UNITS = ['tokens', 'usd'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];

export const MOST_TOKENS = 1_000_000_000_000;
export const MOST_USD = 1_000_000;

export function isBudgetLimits(value: Json | undefined): value is Json & BudgetLimits {
  if (value === undefined || !isJsonObject(value)) return false;
  return BUDGET_SCOPES.every((scope) => {
    const amount = value[scope];
    if (amount === undefined || !isJsonObject(amount)) return false;
    const { tokens, usd } = amount;
    return (
      typeof tokens === 'number' &&
      Number.isSafeInteger(tokens) &&
      tokens >= 1 &&
      tokens <= MOST_TOKENS &&
      typeof usd === 'number' &&
      usd >= 0.01 &&
      usd <= MOST_USD
    );
  });
}

/** Whether any limit of `next` lets more be spent than `now` does. */
export function raises(now: BudgetLimits, next: BudgetLimits): boolean {
  return BUDGET_SCOPES.some((scope) => BUDGET_UNITS.some((unit) => next[scope][unit] > now[scope][unit]));
}

export function amountText(unit: BudgetUnit, value: number): string {
  if (unit === 'tokens') return `${Math.max(0, Math.round(value)).toLocaleString('en')} tokens`;
  const usd = Math.max(0, value);
  const digits = usd > 0 && usd < 0.01 ? 4 : 2;
  return `$${usd.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

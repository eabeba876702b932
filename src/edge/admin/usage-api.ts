/** The shapes of the API: usage and budgets. Days are UTC; tokens are those of prompts and answers; money is US dollars. */

export type UsageBy = 'day' | 'model' | 'conversation';
export interface UsageSum {
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of the calls whose price is known. */
  readonly cost_usd: number;
  readonly unpriced_calls: number;
}
export interface UsageRow extends UsageSum {
  /** `2026-03-01`, `provider/model`, or the id of a conversation. */
  readonly key: string;
  readonly label: string;
}
/** GET /api/usage?from=2026-03-01&to=2026-03-14&by=day|model|conversation: both days included, at most 366. */
export interface UsageAnswer {
  readonly from: string;
  readonly to: string;
  readonly by: UsageBy;
  readonly rows: readonly UsageRow[];
  readonly totals: UsageSum;
}
export interface BudgetAmount {
  readonly tokens: number;
  readonly usd: number;
}
export interface BudgetLimits {
  readonly turn: BudgetAmount;
  readonly conversation: BudgetAmount;
  readonly day: BudgetAmount;
}
/** GET and PUT /api/budgets */
export interface BudgetsView {
  readonly limits: BudgetLimits;
  /** From the configuration file. */
  readonly defaults: BudgetLimits;
  readonly today: { readonly spent: BudgetAmount; readonly left: BudgetAmount; readonly ends_at: string };
  /** Reserved for each answer, at most. */
  readonly max_output_tokens: number;
  /** For a million tokens of a model whose price is not known. */
  readonly fallback_price: { readonly input_usd: number; readonly output_usd: number };
  readonly prices_as_of: string;
}
/** PUT /api/budgets; `password` only where the server asked with 403 `step_up_required`: to raise a limit. */
export interface BudgetsChange extends BudgetLimits {
  readonly password?: string;
}

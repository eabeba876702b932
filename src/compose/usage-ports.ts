import { isoTime } from '../core/index.ts';
import type { Config } from '../config/index.ts';
import type { BudgetsView, UsageRow } from '../edge/admin/api.ts';
import type { UsagePort } from '../edge/admin/ports.ts';
import { PRICES_AS_OF } from '../edge/llm/index.ts';
import type { Budgets } from '../guard/budget/index.ts';
import type { StepUp } from '../guard/identity/index.ts';
import type { UsageGroup, UsageStore } from '../host/storage/usage-store.ts';

const MOST_ROWS = 400;
const DAY_MS = 86_400_000;

export function usagePort(
  budgets: Budgets,
  store: UsageStore,
  options: { readonly config: Config['budget']; readonly stepUp: StepUp },
): UsagePort {
  const view = (): BudgetsView => {
    const limits = budgets.limits();
    const { spent, endsAt } = budgets.today();
    const { fallbackPrice, maxOutputTokens } = options.config;
    return {
      limits,
      defaults: budgets.defaults(),
      today: {
        spent,
        left: {
          tokens: Math.max(0, limits.day.tokens - spent.tokens),
          usd: Math.max(0, limits.day.usd - spent.usd),
        },
        ends_at: isoTime(endsAt),
      },
      max_output_tokens: maxOutputTokens,
      fallback_price: { input_usd: fallbackPrice.input, output_usd: fallbackPrice.output },
      prices_as_of: PRICES_AS_OF,
    };
  };
  return {
    usage({ from, to, by, fromMs, toMs }) {
      const range = { from: fromMs, to: toMs };
      return {
        from,
        to,
        by,
        rows: store
          .groups(range, by, MOST_ROWS)
          .map((group) => (by === 'day' ? dayRow(group) : { ...group })),
        totals: { ...store.total(range) },
      };
    },
    budgets: view,
    async change(limits, password, actor) {
      const confirmed = budgets.wouldRaise(limits);
      if (confirmed) {
        const { principal, address } = actor;
        await options.stepUp.requireStepUp({ principal, address, act: 'budget.raise', password });
      }
      budgets.change(limits, actor.principal, { confirmed });
      return view();
    },
  };
}

function dayRow(group: UsageGroup): UsageRow {
  const key = isoTime(Number(group.key) * DAY_MS).slice(0, 10);
  return { ...group, key, label: key };
}

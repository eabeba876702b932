// Guarantees: before a call to a model its worst case is taken from the budgets of its turn, its conversation and its day, in
// tokens and in money, or the call is refused; reserving joins the caller's transaction, so that turns side by side can't
// spend the same money. A reservation that a crash left open counts as spent until its day (UTC) is over. Deleting a
// conversation gives nothing back. Raising a limit needs `confirmed` and is in the audit log.
// Does not: know prices or sizes (the gateway says them), nor ask for the password (whoever calls `change` does). An upstream
// that reports too little spends more than is counted.
// An attacker may control: how often a model is asked and with what; with a stolen page session, the limits that are asked for.
import { AppError, type Clock, type Json, type Principal } from '../../core/index.ts';
import type { SettingsStore, Transactions } from '../../host/storage/index.ts';
import type { BudgetStore } from '../../host/storage/budget-store.ts';
import type { Audit } from '../audit/index.ts';
import {
  amountText,
  BUDGET_SCOPES,
  BUDGET_UNITS,
  isBudgetLimits,
  raises,
  type Amount,
  type BudgetLimits,
  type BudgetScope,
  type BudgetUnit,
} from './limits.ts';

/** A call that is about to be made, with the most that it can use. */
export interface PlannedCall extends Amount {
  readonly turnId: string;
  readonly conversationId: string;
  readonly provider: string;
  readonly model: string;
  /** Said with a refusal for money, such as that the price is assumed. */
  readonly priceNote?: string | undefined;
}

export type BudgetVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: `budget_${BudgetScope}`;
      /** Which budget, how much is left, what to do: for a person. */
      readonly message: string;
      readonly facts: Readonly<Record<string, Json>>;
    };

export interface Budgets {
  check(call: PlannedCall): BudgetVerdict;
  /** Takes the worst case; in the transaction of `check`. */
  reserve(call: PlannedCall, step: number): void;
  /** What it came to; null: nobody knows, so the worst case stays. A call that was never reserved is left alone. */
  settle(call: { readonly turnId: string; readonly step: number }, spent: Amount | null): void;
  limits(): BudgetLimits;
  /** From the configuration file. */
  defaults(): BudgetLimits;
  /** Today's spending (UTC), reservations included. */
  today(): { readonly spent: Amount; readonly endsAt: number };
  wouldRaise(next: BudgetLimits): boolean;
  /** Errors: input `budget_invalid`; forbidden `step_up_required` where it raises a limit and is not confirmed. */
  change(next: BudgetLimits, by: Principal, options: { readonly confirmed: boolean }): BudgetLimits;
  /** For the start, before any call: what a crash left open counts as spent until its day is over. Returns how many. */
  recover(): number;
}

export interface BudgetsDeps {
  readonly store: BudgetStore;
  readonly settings: SettingsStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly defaults: BudgetLimits;
}

const SETTING = 'budgets';
const DAY_MS = 86_400_000;
/** Sums of prices are not exact; a millionth of a dollar is no overspending. */
const SLACK = { tokens: 0, usd: 1e-6 } as const;

const WIDEST_FIRST: readonly BudgetScope[] = ['day', 'conversation', 'turn'];
const FIX: Readonly<Record<BudgetScope, string>> = {
  turn: 'Continue to begin a new turn with a budget of its own, ask for less at once, or raise the budget on the Usage page.',
  conversation: 'Start a new conversation, or raise the budget on the Usage page.',
  day: 'Wait until 00:00 UTC, or raise the budget on the Usage page.',
};

export function createBudgets(deps: BudgetsDeps): Budgets {
  const { store, settings, database, audit, clock } = deps;
  const dayOf = (now: number): number => Math.floor(now / DAY_MS);

  const limits = (): BudgetLimits => {
    const stored = settings.get(SETTING);
    return isBudgetLimits(stored) ? stored : deps.defaults;
  };

  function spent(scope: BudgetScope, call: PlannedCall): Amount {
    const today = dayOf(clock.now());
    switch (scope) {
      case 'turn':
        return store.ofTurn(call.turnId);
      case 'conversation':
        return store.ofConversation(call.conversationId, today);
      case 'day':
        return store.ofDay(today);
    }
  }

  function refusal(scope: BudgetScope, unit: BudgetUnit, limit: number, used: number, call: PlannedCall) {
    const [most, gone, left, wanted] = [limit, used, limit - used, call[unit]].map((value) =>
      amountText(unit, value),
    );
    // A new turn would meet the same end.
    const fix = scope === 'turn' && used === 0 ? 'Raise the budget on the Usage page.' : FIX[scope];
    const note = unit === 'usd' && call.priceNote ? ` ${call.priceNote}` : '';
    return {
      ok: false,
      code: `budget_${scope}`,
      message: `The budget of this ${scope} does not cover the next call to the model, so it was not sent: ${left} of ${most} are left (${gone} used or reserved), and the call could use up to ${wanted}.${note} ${fix}`,
      facts: { budget: scope, unit, limit, used, could_use: call[unit] },
    } as const satisfies BudgetVerdict;
  }

  return {
    check(call) {
      const now = limits();
      for (const scope of WIDEST_FIRST) {
        const used = spent(scope, call);
        for (const unit of BUDGET_UNITS) {
          if (call[unit] > 0 && used[unit] + call[unit] > now[scope][unit] + SLACK[unit]) {
            return refusal(scope, unit, now[scope][unit], used[unit], call);
          }
        }
      }
      return { ok: true };
    },
    reserve({ turnId, conversationId, provider, model, tokens, usd }, step) {
      const now = clock.now();
      store.insert({
        turn_id: turnId,
        step,
        conversation_id: conversationId,
        day: dayOf(now),
        provider,
        model,
        state: 'open',
        tokens,
        usd,
        reserved_at: now,
        settled_at: null,
      });
    },
    settle: ({ turnId, step }, amount) => store.settle({ turn_id: turnId, step }, amount, clock.now()),
    limits,
    defaults: () => deps.defaults,
    today() {
      const day = dayOf(clock.now());
      return { spent: store.ofDay(day), endsAt: (day + 1) * DAY_MS };
    },
    wouldRaise: (next) => raises(limits(), next),
    change(next, by, { confirmed }) {
      const wanted = Object.fromEntries(
        BUDGET_SCOPES.map((scope) => [scope, { tokens: next[scope].tokens, usd: next[scope].usd }]),
      );
      if (!isBudgetLimits(wanted)) {
        throw new AppError({
          family: 'input',
          code: 'budget_invalid',
          message: 'A budget must be at least one token and one cent, and finite.',
        });
      }
      return database.tx(() => {
        const before = limits();
        const raised = raises(before, wanted);
        // Looked at again here: a limit may have been lowered since the password was asked for.
        if (raised && !confirmed) {
          throw new AppError({
            family: 'forbidden',
            code: 'step_up_required',
            message: 'Raising a budget needs your password.',
            fix: 'Enter it and send the same again.',
          });
        }
        settings.set(SETTING, wanted, clock.now());
        audit.append({
          event: 'budget.changed',
          principal: by,
          origin: 'page',
          target: 'budgets',
          outcome: 'ok',
          details: { raised, before: asJson(before), after: asJson(wanted) },
        });
        return wanted;
      });
    },
    recover() {
      return database.tx(() => {
        const lost = store.loseOpen();
        if (lost > 0) {
          audit.append({
            event: 'budget.unsettled',
            principal: { kind: 'system' },
            origin: 'system',
            target: 'budgets',
            outcome: 'unknown',
            details: { calls: lost },
          });
        }
        return lost;
      });
    },
  };
}

function asJson(limits: BudgetLimits): Json {
  return Object.fromEntries(
    BUDGET_SCOPES.map((scope) => [scope, { tokens: limits[scope].tokens, usd: limits[scope].usd }]),
  );
}

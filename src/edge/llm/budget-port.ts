import type { Json } from '../../core/index.ts';

/** A call that is about to be made, with the most that it can use. Tokens of prompt and answer; US dollars. */
export interface PlannedCall {
  readonly turnId: string;
  readonly conversationId: string;
  readonly provider: string;
  readonly model: string;
  readonly tokens: number;
  readonly usd: number;
  readonly priceNote?: string | undefined;
}

/** What the gateway needs of whoever keeps the budgets. Synchronous: all of it joins the gateway's transactions. */
export interface CallBudget {
  check(call: PlannedCall):
    | { readonly ok: true }
    | {
        readonly ok: false;
        readonly code: string;
        readonly message: string;
        readonly facts: Readonly<Record<string, Json>>;
      };
  reserve(call: PlannedCall, step: number): void;
  /** Null: nobody knows what it came to, so the worst case stays. */
  settle(
    call: { readonly turnId: string; readonly step: number },
    spent: { readonly tokens: number; readonly usd: number } | null,
  ): void;
}

/** What is assumed where it isn't known. */
export interface CallAssumptions {
  /** Tokens of one answer, at most; a lower limit of the model wins. */
  readonly maxOutputTokens: number;
  /** US dollars for a million tokens. */
  readonly fallbackPrice: { readonly input: number; readonly output: number };
}

// Guarantees: a worst case for every call before it is sent, and what it came to afterwards. Where the model's own limit is
// known, the answer's limit is sent along, so that the provider keeps to it; elsewhere an answer that is far larger than
// what was reserved is cut off. What a call came to is the upstream's word; without one, an estimate never below what was seen.
// Does not: know how a provider counts. The size of a prompt is an estimate (two bytes a token, which is rarely too few).
// An attacker may control: the request of the engine, and what an upstream reports.
import type { CallAssumptions, PlannedCall } from './budget-port.ts';
import type { GatewayTurn, StepUsage } from './ports.ts';
import { ratesOf } from './prices.ts';
import type { ModelRoute } from './route.ts';

const BYTES_A_TOKEN = 2;
/** A token of text is seldom longer; what is longer than this was not limited by anybody. */
const CHARS_A_TOKEN = 16;
const LEAST_ANSWER_CHARS = 64 * 1024;
/** The demo is no model: nothing of it is counted. */
const FREE_PROVIDER = 'demo';

export interface CallPlan extends PlannedCall {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly price: { readonly input: number; readonly output: number };
  /** What the answer may have, in UTF-16 units. */
  readonly answerChars: number;
}

/**
 * The limit for an answer, which may only be made smaller. `asked` and `send`: tokens; undefined where nobody said, and
 * where nothing is to be sent.
 */
export function limitOutput(
  asked: number | undefined,
  route: ModelRoute,
  model: string,
  assumed: CallAssumptions,
): { readonly send: number | undefined; readonly outputTokens: number } {
  const known = route.price(model)?.maxOutput;
  const most = Math.min(assumed.maxOutputTokens, known ?? Number.POSITIVE_INFINITY);
  const outputTokens = Math.min(asked ?? most, most);
  // Some small servers refuse a limit above their context; they are only given one that the engine asked for.
  return { send: asked === undefined && known === undefined ? undefined : outputTokens, outputTokens };
}

/** Undefined where nothing is counted. */
export function planCall(
  turn: GatewayTurn,
  route: ModelRoute,
  body: string,
  outputTokens: number,
  assumed: CallAssumptions,
): CallPlan | undefined {
  if (route.provider === FREE_PROVIDER) return undefined;
  const known = route.price(turn.model);
  const inputTokens = Math.ceil(Buffer.byteLength(body) / BYTES_A_TOKEN);
  const price = known ? worstOf(ratesOf(known, inputTokens)) : assumed.fallbackPrice;
  return {
    turnId: turn.turnId,
    conversationId: turn.conversationId,
    provider: turn.provider,
    model: turn.model,
    inputTokens,
    outputTokens,
    price,
    tokens: inputTokens + outputTokens,
    usd: dollars(price, inputTokens, outputTokens),
    priceNote: known
      ? undefined
      : `The price of this model is not known; it is counted at $${price.input} and $${price.output} for a million tokens (budget.fallback_input_usd, budget.fallback_output_usd).`,
    answerChars: Math.max(LEAST_ANSWER_CHARS, outputTokens * CHARS_A_TOKEN),
  };
}

/** What a call came to; null: unknown, so that its worst case stands. */
export function settledCost(
  plan: CallPlan,
  end: {
    readonly outcome: 'ok' | 'failed' | 'stopped';
    readonly usage: StepUsage;
    readonly costUsd: number | null;
    readonly code: string | undefined;
    /** Something of an answer had come. */
    readonly started: boolean;
    readonly answerChars: number;
  },
): { readonly tokens: number; readonly usd: number } | null {
  const { usage } = end;
  const told = usage.input !== null && usage.output !== null;
  if (!told && end.outcome !== 'ok') {
    const refused =
      end.outcome === 'failed' && !end.started && end.code !== undefined && NOT_BEGUN.has(end.code);
    return refused ? { tokens: 0, usd: end.costUsd ?? 0 } : null;
  }
  const input = usage.input ?? plan.inputTokens;
  const output = usage.output ?? Math.ceil(end.answerChars / BYTES_A_TOKEN);
  return { tokens: input + output, usd: end.costUsd ?? dollars(plan.price, input, output) };
}

/** The upstream was not reached, or answered with a refusal instead of an answer. No provider charges for that. */
const NOT_BEGUN: ReadonlySet<string> = new Set([
  'llm_unauthorized',
  'llm_no_key',
  'llm_no_base_url',
  'llm_no_credit',
  'llm_model_missing',
  'llm_rate_limited',
  'llm_upstream_failing',
  'llm_context_too_long',
  'llm_request_rejected',
  'llm_redirected',
  'llm_unreachable',
  'llm_address_refused',
  'llm_tls_failed',
  'llm_web_page',
]);

/** All of a prompt may be put into the cache, where that costs more. */
function worstOf({ input, written, output }: ReturnType<typeof ratesOf>): CallPlan['price'] {
  return { input: Math.max(input, written ?? 0), output };
}

function dollars(price: CallPlan['price'], input: number, output: number): number {
  return (input * price.input + output * price.output) / 1_000_000;
}

// Guarantees: one place says after which failures of an upstream a turn may go on with the owner's fallback model.
// Does not: switch anything (the engine side does), nor count what never reached an upstream: refusals of the gateway,
// budgets, a missing key and a provider that is switched off are the owner's own doing and are no codes of this table.
// An attacker may control: the upstream's answer, and with it the code; so one that provokes a failure can cause a switch,
// to the model that the owner named and to no other.
import type { LlmErrorCode } from './upstream-errors.ts';

/** True: this model can't be had at the moment. Asked only after the gateway's own retries. */
const UNAVAILABLE: Readonly<Record<LlmErrorCode, boolean>> = {
  // The account: the provider answers, but not to this key.
  llm_unauthorized: true,
  llm_no_credit: true,
  llm_rate_limited: true,
  // The model is gone, or not loaded.
  llm_model_missing: true,
  // The provider, or the way to it.
  llm_upstream_failing: true,
  llm_unreachable: true,
  llm_timeout_start: true,
  llm_timeout_silent: true,
  llm_timeout_total: true,
  llm_cut: true,
  llm_no_finish: true,
  // What a proxy in front of a failing provider says.
  llm_web_page: true,
  llm_garbled: true,
  // Nothing was asked: the owner removed the key.
  llm_no_key: false,
  // A wrong address, or somebody in between: a person has to see it.
  llm_redirected: false,
  llm_tls_failed: false,
  llm_address_refused: false,
  // The request is at fault; elsewhere it would be so too, or the owner should choose what is left out.
  llm_context_too_long: false,
  llm_request_rejected: false,
  // The model answered: another one must not get round what it or its provider refused, or made of it.
  llm_filtered: false,
  llm_empty_answer: false,
  llm_too_large: false,
  llm_call_cut: false,
  llm_too_many_calls: false,
  llm_bad_arguments: false,
  llm_bad_call: false,
  llm_provider_acted: false,
};

export function meansUnavailable(code: string): boolean {
  return Object.hasOwn(UNAVAILABLE, code) && UNAVAILABLE[code as LlmErrorCode];
}

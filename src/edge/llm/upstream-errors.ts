// Every way in which an upstream fails, as one code and words for a person: what happened, why, what to do.
// What an upstream says of itself is quoted, short and on one line: it is not our voice.
import { AppError } from '../../core/index.ts';
import type { UpstreamReport } from './wires/upstream-chunk.ts';

interface Explanation {
  readonly message: (facts: Facts) => string;
  readonly fix: (facts: Facts) => string;
}

interface Facts {
  /** The upstream as a person knows it. */
  readonly label: string;
  readonly model: string;
  readonly detail: string;
  readonly waitSeconds: number | undefined;
}

const RETRY = 'Try again.';
const OTHER_MODEL = 'Try again, or choose another model.';

const TABLE = {
  llm_unauthorized: {
    message: ({ label, detail }) => `${label} did not accept the API key.${detail}`,
    fix: () => 'Check the key on the Models page.',
  },
  llm_no_key: {
    message: ({ label }) => `${label} needs an API key and none is stored.`,
    fix: () => 'Add the key on the Models page, or choose another model.',
  },
  llm_no_credit: {
    message: ({ label, detail }) => `${label} says that the account has no credit left.${detail}`,
    fix: () => 'Add credit with the provider, or choose another model.',
  },
  llm_model_missing: {
    message: ({ label, model, detail }) => `${label} has no model "${model}" under this address.${detail}`,
    fix: () => 'Choose another model, or check the base URL on the Models page.',
  },
  llm_rate_limited: {
    message: ({ label, detail, waitSeconds }) =>
      `${label} is receiving too many requests from this account${waitSeconds === undefined ? '' : ` and asks to wait ${waitSeconds} s`}.${detail}`,
    fix: () => 'Wait a little and try again, or choose another model.',
  },
  llm_upstream_failing: {
    message: ({ label, detail }) => `${label} has a problem of its own and could not answer.${detail}`,
    fix: () => 'Wait a little and try again, or choose another model.',
  },
  llm_context_too_long: {
    message: ({ label, detail }) => `The conversation is too long for this model, says ${label}.${detail}`,
    fix: () => 'Start a new conversation, or choose a model with a larger context.',
  },
  llm_request_rejected: {
    message: ({ label, detail }) => `${label} rejected the request.${detail}`,
    fix: () => 'Choose another model; this one may not support tools.',
  },
  llm_redirected: {
    message: ({ label }) => `${label} redirects to another address, which is not followed.`,
    fix: () => 'Check the base URL on the Models page; give the final address, with https.',
  },
  llm_unreachable: {
    message: ({ label }) => `${label} could not be reached.`,
    fix: () => 'Check that it is running, the base URL on the Models page, and the network.',
  },
  llm_address_refused: {
    message: ({ label }) =>
      `The name of ${label} leads to an address where it can not be: one of this machine, of a private network, or of a service that machines in a cloud get their keys from.`,
    fix: () =>
      'Check the DNS of this machine. If the address is meant, such as a proxy of yours, set it as the base URL on the Models page.',
  },
  llm_tls_failed: {
    message: ({ label }) => `The certificate or encryption of ${label} could not be verified.`,
    fix: () => 'Check the base URL on the Models page, and the date of this machine.',
  },
  llm_timeout_start: {
    message: ({ label }) => `${label} did not start to answer in time.`,
    fix: () => 'Try again; a local model may need a while to load.',
  },
  llm_timeout_silent: {
    message: ({ label }) => `${label} fell silent in the middle of its answer.`,
    fix: () => RETRY,
  },
  llm_timeout_total: {
    message: ({ label }) => `The answer of ${label} took longer than allowed.`,
    fix: () => OTHER_MODEL,
  },
  llm_too_large: {
    message: ({ label }) => `The answer of ${label} was larger than allowed and was cut off.`,
    fix: () => OTHER_MODEL,
  },
  llm_cut: {
    message: ({ label }) => `The connection to ${label} broke before the answer was complete.`,
    fix: () => RETRY,
  },
  llm_no_finish: {
    message: ({ label }) => `The answer of ${label} ended without saying that it is complete.`,
    fix: () => RETRY,
  },
  llm_web_page: {
    message: ({ label }) => `${label} answered with a web page instead of a model's answer.`,
    fix: () =>
      'Check the base URL on the Models page (it usually ends in /v1), and whether a login page is in between.',
  },
  llm_garbled: {
    message: ({ label, detail }) => `${label} answered with something that can't be read.${detail}`,
    fix: () => 'Check the base URL on the Models page, or choose another model.',
  },
  llm_empty_answer: {
    message: ({ label }) => `${label} answered with nothing.`,
    fix: () => OTHER_MODEL,
  },
  llm_call_cut: {
    message: () =>
      "The answer reached the model's length limit in the middle of a tool call. Nothing of it was run.",
    fix: () => 'Ask for something smaller, or choose another model.',
  },
  llm_filtered: {
    message: ({ label }) => `${label} ended the answer because of its content filter.`,
    fix: () => 'Put it in other words, or choose another model.',
  },
  llm_too_many_calls: {
    message: ({ label }) =>
      `${label} asked for more tool calls in one answer than allowed. Nothing of it was run.`,
    fix: () => OTHER_MODEL,
  },
  llm_bad_arguments: {
    message: () => 'The model gave tool arguments that can not be read, several times in a row.',
    fix: () => 'Try again, or choose another model; small ones are often bad at calling tools.',
  },
  llm_bad_call: {
    message: ({ label, detail }) =>
      `${label} says that the model tried to call a tool in a way that can't be read. Nothing of it was run.${detail}`,
    fix: () => OTHER_MODEL,
  },
  llm_provider_acted: {
    message: ({ label, detail }) =>
      `${label} ran or looked up something by itself, which OpenPact did not ask for and can not see. The answer was not used.${detail}`,
    fix: () => 'Choose another model, or switch such features off with the provider.',
  },
} as const satisfies Readonly<Record<string, Explanation>>;

export type LlmErrorCode = keyof typeof TABLE;

export interface LlmErrorFacts {
  readonly label: string;
  readonly model: string;
  readonly report?: UpstreamReport | undefined;
  readonly waitSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** The error of the table; what the upstream said must have passed the redactor. */
export function llmError(code: LlmErrorCode, facts: LlmErrorFacts): AppError {
  const explanation: Explanation = TABLE[code];
  const said = oneLine(facts.report?.message ?? '');
  const full: Facts = {
    label: facts.label,
    model: facts.model,
    detail: said === '' ? '' : ` It said: "${said}"`,
    waitSeconds: facts.waitSeconds,
  };
  return new AppError({
    family: 'upstream',
    code,
    message: explanation.message(full),
    fix: explanation.fix(full),
    cause: facts.cause,
  });
}

/** What a person reads: message and what to do, as one text. */
export function explained(error: AppError): string {
  return error.fix === undefined ? error.message : `${error.message} ${error.fix}`;
}

/** For a failure of the connection (`host/net`). `started`: something of the answer had come. */
export function codeOfConnection(code: string): LlmErrorCode {
  switch (code) {
    case 'address_refused':
      return 'llm_address_refused';
    case 'dns_failed':
    case 'dns_timeout':
    case 'connect_failed':
    case 'timeout_connect':
    case 'bad_url':
      return 'llm_unreachable';
    case 'bad_header':
      return 'llm_unauthorized';
    case 'tls_failed':
      return 'llm_tls_failed';
    case 'timeout_headers':
      return 'llm_timeout_start';
    case 'timeout_idle':
      return 'llm_timeout_silent';
    case 'timeout_total':
      return 'llm_timeout_total';
    case 'too_large':
      return 'llm_too_large';
    case 'encoded':
      return 'llm_garbled';
    case 'redirected':
      return 'llm_redirected';
    default:
      return 'llm_cut';
  }
}

/** For an HTTP status, or the status inside an `error` event. */
export function codeOfReport(status: number | undefined, report: UpstreamReport | undefined): LlmErrorCode {
  if (report?.known !== undefined) return report.known;
  const words = `${report?.type ?? ''} ${report?.message ?? ''}`.toLowerCase();
  switch (status ?? 0) {
    case 401:
    case 403:
      return 'llm_unauthorized';
    case 402:
      return 'llm_no_credit';
    case 404:
      return 'llm_model_missing';
    case 429:
      return words.includes('insufficient_quota') ? 'llm_no_credit' : 'llm_rate_limited';
    default:
  }
  if (words.includes('credit balance is too low')) return 'llm_no_credit';
  if (
    /context_length|context length|context window|context limit|maximum context|maximum number of tokens|too many tokens|prompt is too long/.test(
      words,
    )
  ) {
    return 'llm_context_too_long';
  }
  return status !== undefined && status >= 400 && status < 500
    ? 'llm_request_rejected'
    : 'llm_upstream_failing';
}

/** Whether waiting and asking again may help. */
export function worthRetrying(status: number): boolean {
  return [429, 500, 502, 503, 529].includes(status);
}

function oneLine(text: string): string {
  // Control characters and direction marks could forge what a person sees.
  const plain = text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
  return plain.length > 300 ? `${plain.slice(0, 300)}…` : plain;
}

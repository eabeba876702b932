import { APICallError } from 'ai';

import type { AgentOutcome } from './frames.ts';
import { ToolsUnavailable } from './mcp-tools.ts';

type Failed = Extract<AgentOutcome, { readonly kind: 'failed' }>;

export function failed(code: string, message: string): Failed {
  return { kind: 'failed', code, message };
}

/** Says in our words what went wrong: the code that the gateway answered with, where it gave one. */
export function failureOf(error: unknown): Failed {
  if (error instanceof ToolsUnavailable) return failed('tools_unavailable', error.message);
  if (APICallError.isInstance(error)) {
    const told = codeAndMessage(parsed(error.responseBody));
    if (told !== undefined) return told;
    return error.statusCode === undefined || error.statusCode < 300
      ? failed('model_answer_invalid', 'The answer of the model was cut, or is in a form that is not known.')
      : failed('model_error', `The model could not be reached: status ${error.statusCode}.`);
  }
  return (
    codeAndMessage(error) ??
    failed('model_answer_invalid', 'The answer of the model was cut, or is in a form that is not known.')
  );
}

/** `{error: {code, message}}`, `{error: code, message}`, `{code, message}`; one client keeps the code in `type`. */
function codeAndMessage(value: unknown): Failed | undefined {
  if (typeof value !== 'object' || value === null || value instanceof TypeError) return undefined;
  const { error, code, type, message } = value as Readonly<Record<string, unknown>>;
  if (typeof error === 'object' && error !== null) return codeAndMessage(error);
  const name = typeof error === 'string' ? error : (code ?? type);
  return typeof name === 'string' && typeof message === 'string' ? failed(name, message) : undefined;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined; // no JSON: the caller falls back to the status
  }
}

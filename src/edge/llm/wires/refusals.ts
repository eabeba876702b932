/** Why a request of the engine was not passed on. `message` is for a person. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** A request that asks for something that no engine may have. */
export function notAllowed(code: string, why: string): Refusal & { readonly ok: false } {
  return {
    ok: false,
    code,
    message: `The engine asked for something that is not allowed, and nothing was sent to the model: ${why}.`,
  };
}

/** What the engine wrote, fit for a log: short and on one line. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

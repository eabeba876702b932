/** What was hidden, by name of the secret. */
export type RedactionCounts = Readonly<Record<string, number>>;

export interface Redacted<T> {
  readonly value: T;
  readonly hidden: RedactionCounts;
}

/**
 * Replaces every known strong secret by `[REDACTED:NAME]` (K-23), in every encoding that we know.
 * Weak secrets (under 12 bytes or about 48 bits) are never matched where a model can see the result:
 * that would be a guessing oracle.
 */
export interface Redactor {
  text(text: string): Redacted<string>;
  /** Keys, strings and numbers as text, at every depth. */
  json<T>(value: T): Redacted<T>;
  /** For a text that comes in chunks: holds back what may be the start of a secret. */
  stream(): RedactionStream;
}

export interface RedactionStream {
  push(chunk: string): string;
  /** The rest that was held back. */
  end(): string;
  readonly hidden: RedactionCounts;
}

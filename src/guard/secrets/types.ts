/** What a sealed value is for. Each kind has its purposes (`reveal.ts`) and its name in a marker (`sealed-vault.ts`). */
export type SecretKind = 'llm_key' | 'script';

/** Names a sealed value: `{kind: 'llm_key', name: 'openai'}`. */
export interface SecretRef {
  readonly kind: SecretKind;
  /** 1 to 64 of `A-Z a-z 0-9 _ . -`, starting with a letter or a digit. */
  readonly name: string;
}

/** What may be told of a sealed value. */
export interface SealedInfo extends SecretRef {
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Secrets at rest (W-13). The values go in here and come out of `revealSecret` only. */
export interface SealedVault {
  /**
   * Seals and stores a value, replacing the former one; synchronous, so that it joins the caller's transaction.
   * `strong` is false for a value that is too easily guessed to be hidden in texts (`isStrong`).
   * Errors: input `secret_name_invalid`, `secret_empty`, `secret_too_long` (over 8 KiB; for scripts over 4 KiB),
   * `secret_too_short` (for scripts under 4 characters).
   */
  put(ref: SecretRef, value: string): { readonly strong: boolean };
  has(ref: SecretRef): boolean;
  /** Whether there was one. */
  remove(ref: SecretRef): boolean;
  /** Sorted by kind and name. */
  list(): readonly SealedInfo[];
  /**
   * Opens every box once and registers its value for redaction: call at start. Returns the records that don't open
   * (changed on disk); they can't be used either, and are healed by entering the value again.
   */
  loadKnown(): { readonly damaged: readonly SealedInfo[] };
}

/** A value that is hidden in texts, until some time after it is retired. */
export interface KnownSecret {
  /** False: too easily guessed to be matched in a text, so it is not (it would be a guessing oracle). */
  readonly strong: boolean;
  /** The value is no longer in use. It stays hidden for its keep time. */
  retire(): void;
}

export interface KnownSecretOptions {
  /** How long the value stays hidden after `retire()`, in ms. Default 24 h. */
  readonly keepMs?: number | undefined;
}

/** All values that must not appear in a text: sealed keys, keys from the environment, our own keys and tokens. */
export interface KnownSecrets {
  /** `name` stands in the marker `[REDACTED:name]`; several values may share one. Effective at once for new texts. */
  add(name: string, value: string, options?: KnownSecretOptions): KnownSecret;
  /** For key bytes: hides their base64, base64url and hex forms. */
  addBytes(name: string, bytes: Uint8Array, options?: KnownSecretOptions): KnownSecret;
}

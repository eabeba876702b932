/** The shapes of the API: the vault and the secrets for scripts. */

export interface VaultStatus {
  readonly sealed: boolean;
  /** Where the master key comes from: `secure/data/master_key`, a file or variable from outside, a passphrase. */
  readonly protection: 'key_file' | 'external' | 'passphrase';
}
/** A secret for scripts; its value is in no answer. Times are ISO 8601. */
export interface SecretFacts {
  readonly name: string;
  /** From where the value comes that scripts get. */
  readonly source: 'environment' | 'vault' | 'config';
  /** A value is stored in the vault; only then it can be changed here. */
  readonly stored: boolean;
  /** Where it may be sent; empty: an approval alone says that. */
  readonly hosts: readonly string[];
  readonly note: string;
  /** A day, YYYY-MM-DD. */
  readonly rotate_by: string | null;
  readonly due: 'no' | 'soon' | 'due';
  /** Looked for in texts; easily guessed values are not, they are protected as handles only. */
  readonly matched: boolean;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  /** When the value was set. */
  readonly rotated_at: string | null;
  readonly last_used: { readonly at: string; readonly by: string } | null;
}
export interface SecretList {
  readonly secrets: readonly SecretFacts[];
}
export interface SecretFields {
  readonly hosts?: readonly string[] | undefined;
  readonly note?: string | undefined;
  readonly rotate_by?: string | null | undefined;
  readonly confirm_weak?: boolean | undefined;
  readonly password?: string | undefined;
}
export interface SecretValue extends SecretFields {
  readonly value: string;
}
export interface SecretChange extends SecretFields {
  readonly value?: string | undefined;
  /** Refuse with `secret_changed` when it was changed since. */
  readonly if_updated_at?: string | undefined;
}

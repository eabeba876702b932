/** `openpact import`: what it is told, and what it answers. */
export interface ImportRequest {
  /** Absolute: the workspace of the original, or its `secure/data`. */
  readonly folder: string;
  readonly dryRun: boolean;
  readonly acceptWeak: boolean;
  /** Who of several users becomes the owner. */
  readonly user?: string | undefined;
  /** Where the vault is under one. */
  readonly passphrase?: string | undefined;
}

/** Names and notes have parts of somebody else's files in them, never a value of a secret. */
export interface ImportAnswer {
  readonly dry_run: boolean;
  readonly from: string;
  readonly items: readonly {
    readonly kind: 'user' | 'secret' | 'script' | 'schedule' | 'file';
    readonly name: string;
    /** `present`: there was one already, which stays. */
    readonly state: 'new' | 'present' | 'left_out';
    readonly note: string;
  }[];
  readonly not_imported: readonly { readonly name: string; readonly why: string }[];
  readonly advice: readonly string[];
}

/** The shapes of the API: who it is and what it remembers. */

export interface IdentityFile {
  readonly path: string;
  readonly kind: 'identity' | 'memory' | 'notes';
  readonly exists: boolean;
  readonly bytes: number;
  readonly modified: string | null;
  readonly versions: number;
}
/** GET /api/identity */
export interface IdentityFileList {
  readonly files: readonly IdentityFile[];
}
export interface IdentityVersion {
  readonly id: number;
  /** SHA-256 of the text. */
  readonly digest: string;
  readonly bytes: number;
  /** `user:NAME`, `assistant`, or `unknown` for what was found there. */
  readonly by: string;
  readonly how: 'page' | 'restored' | 'tool' | 'found';
  readonly at: string;
}
/** GET /api/identity/file?path=, and the answer of PUT and of a restore. */
export interface IdentityText {
  readonly path: string;
  readonly kind: IdentityFile['kind'];
  readonly text: string;
  readonly bytes: number;
  /** Null where there is no file. A change sends it back. */
  readonly digest: string | null;
  readonly versions: readonly IdentityVersion[];
}
/** GET /api/identity/version?path=&id= */
export interface IdentityVersionText extends IdentityVersion {
  readonly path: string;
  readonly text: string;
}
/** PUT /api/identity/file; 409 `file_conflict` when the file is not the one that the digest names. */
export interface IdentityChange {
  readonly path: string;
  readonly text: string;
  readonly digest: string | null;
}
/** POST /api/identity/restore */
export interface IdentityRestore {
  readonly path: string;
  readonly version: number;
  readonly digest: string | null;
}

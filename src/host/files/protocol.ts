/** What the orchestrator and the file child say to each other: one JSON text a line, one answer a request, in order. */

/** Also the limit of a file that is read (T-01). In bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;
export const MAX_ENTRIES = 1_000;
/** A control character takes six bytes in JSON; the rest is room for the frame. */
export const MAX_LINE_BYTES = 6 * MAX_FILE_BYTES + 64 * 1024;

export type FileRequest =
  | { readonly id: number; readonly op: 'read' | 'list' | 'remove'; readonly path: string }
  | { readonly id: number; readonly op: 'write' | 'append'; readonly path: string; readonly text: string };

export interface ListedEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
  readonly bytes: number;
  /** ISO time. */
  readonly modified: string;
}

export type FileAnswer =
  | { readonly text: string; readonly bytes: number }
  | { readonly bytes: number }
  | { readonly entries: readonly ListedEntry[]; readonly truncated: boolean };

export type FileReply =
  | { readonly id: number; readonly answer: FileAnswer }
  | { readonly id: number; readonly refusal: RefusalCode; readonly errno?: string };

/** Why a request was not carried out; the sentences are in `refusals.ts`. */
export type RefusalCode =
  | 'path_empty'
  | 'path_absolute'
  | 'path_parent'
  | 'path_part_empty'
  | 'path_hidden'
  | 'path_too_long'
  | 'path_characters'
  | 'file_link'
  | 'file_hard_link'
  | 'file_special'
  | 'file_missing'
  | 'file_is_folder'
  | 'file_not_folder'
  | 'file_too_large'
  | 'file_not_text'
  | 'file_changed'
  | 'file_denied'
  | 'disk_full'
  | 'file_failed';

/** Thrown inside the child; travels as its code. */
export class FileRefusal extends Error {
  readonly code: RefusalCode;
  readonly errno: string | undefined;

  constructor(code: RefusalCode, errno?: string) {
    super(code);
    this.code = code;
    this.errno = errno;
  }
}

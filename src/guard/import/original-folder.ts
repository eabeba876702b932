type Refused = { readonly kind: 'missing' } | { readonly kind: 'refused'; readonly why: string };

/** A folder that somebody else filled; no link in it is followed. */
export interface OriginalFolder {
  /** Absolute. */
  readonly path: string;
  read(path: string, mostBytes: number): Refused | { readonly kind: 'text'; readonly text: string };
  /** By name; `most` and one more at the most. */
  list(
    path: string,
    most: number,
  ): Refused | { readonly kind: 'entries'; readonly entries: readonly OriginalEntry[] };
}

export interface OriginalEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

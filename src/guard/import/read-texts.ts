import type { OriginalEntry, OriginalFolder } from './original-folder.ts';

/** A file of the original that is taken over as it is. */
export interface OriginalText {
  /** From the folder that was read. */
  readonly file: string;
  /** Undefined where it can't be read; `why` says so, in words that follow "the file". */
  readonly text: string | undefined;
  readonly why: string;
}

/** Reads the files with that ending. More than `most` bytes together: calls `tooMuch` and returns nothing. */
export function readTexts(
  folder: OriginalFolder,
  path: string,
  entries: readonly OriginalEntry[],
  limits: { readonly ending: string; readonly each: number; readonly most: number },
  tooMuch: () => void,
): readonly OriginalText[] {
  const texts: OriginalText[] = [];
  let bytes = 0;
  for (const { name } of entries) {
    if (!name.endsWith(limits.ending)) continue;
    const found = folder.read(`${path}/${name}`, limits.each);
    if (found.kind === 'text') {
      bytes += Buffer.byteLength(found.text);
      texts.push({ file: name, text: found.text, why: '' });
    } else {
      const why = found.kind === 'refused' ? found.why : 'went away while the folder was read';
      texts.push({ file: name, text: undefined, why });
    }
    if (bytes > limits.most) {
      tooMuch();
      return [];
    }
  }
  return texts;
}

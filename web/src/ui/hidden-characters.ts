/** Control, format (zero-width, bidi, tags), separator, private, unassigned and ignorable characters, and odd spaces. */
export const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]/u;

export type Segment =
  | { readonly text: string }
  /** A code point, such as U+202E, that stands for a character which would not be seen. */
  | { readonly hidden: string }
  /** So many blanks at the end of a line. */
  | { readonly blanks: number };

/** A text in pieces: what a reader sees as it is, and what they would not have seen. Line feeds and tabs are text. */
export function segments(text: string): readonly Segment[] {
  const found: Segment[] = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') found.push({ text: plain });
    plain = '';
  };
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const kept = line.replace(/ +$/, '');
    for (const char of kept) {
      if (char !== '\t' && HIDDEN.test(char)) {
        flush();
        found.push({ hidden: codePoint(char) });
      } else {
        plain += char;
      }
    }
    if (kept.length < line.length) {
      flush();
      found.push({ blanks: line.length - kept.length });
    }
    if (index < lines.length - 1) plain += '\n';
  });
  flush();
  return found;
}

/** How many characters of a text a reader would not have seen; blanks at line ends are not counted. */
export function hiddenCount(text: string): number {
  return segments(text).filter((segment) => 'hidden' in segment).length;
}

/** U+202E for the character itself. */
export function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

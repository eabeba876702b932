import { Fragment, type ReactNode } from 'react';

/**
 * Guarantees: every character that a reader could not see, or that would reorder what they see, stands there as a
 * marked code point (U+202E), so that what is approved is what is read. Line feeds and tabs stay as they are; blanks
 * at the end of a line become visible.
 * Does not: tell letters of different scripts apart that look alike.
 * An attacker may control: the whole text (a model wrote it).
 */
export function ExactText({ text }: { readonly text: string }) {
  return <>{segments(text).map(render)}</>;
}

/** Control characters, format characters (zero-width, bidi, tags), separators, odd spaces, unassigned and fillers. */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]/u;

type Segment = { readonly text: string } | { readonly hidden: string } | { readonly blanks: number };

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

/** How many characters of a text a reader would not have seen. */
export function hiddenCount(text: string): number {
  return segments(text).filter((segment) => 'hidden' in segment).length;
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function render(segment: Segment, index: number): ReactNode {
  if ('text' in segment) return <Fragment key={index}>{segment.text}</Fragment>;
  if ('blanks' in segment) {
    return (
      <span key={index} className="text-faint" title={`${segment.blanks} blanks at the end of the line`}>
        {'·'.repeat(segment.blanks)}
      </span>
    );
  }
  return (
    <span
      key={index}
      title="A character that would not be visible"
      className="mx-px rounded-sm border border-ask-line bg-ask-soft px-0.5 text-[11px] text-ask [unicode-bidi:isolate]"
    >
      {segment.hidden}
    </span>
  );
}

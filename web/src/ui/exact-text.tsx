import { Fragment, type ReactNode } from 'react';
import { segments, type Segment } from './hidden-characters.ts';

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

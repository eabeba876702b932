import { Chunk } from '@codemirror/merge';
import { Text } from '@codemirror/state';

/** A stretch of one line, as offsets into its text. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

export type DiffLine =
  | {
      readonly kind: 'same' | 'added' | 'removed';
      readonly text: string;
      /** Line numbers from 1; null on the side where it does not stand. */
      readonly before: number | null;
      readonly after: number | null;
      /** What changed within the line. */
      readonly changed: readonly Stretch[];
    }
  | { readonly kind: 'skipped'; readonly count: number };

/** Beyond it the difference is coarser, never wrong. */
const EFFORT = { scanLimit: 2_000, timeout: 500 };

/** Stands before both texts and is not shown: a chunk that begins with an empty first line has wrong bounds (@codemirror/merge 6.12). */
const FIRST = '\uffff';

/** Every line of both texts, in the order of a unified difference. Only a line feed ends a line. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const a = Text.of([FIRST, ...before.split('\n')]);
  const b = Text.of([FIRST, ...after.split('\n')]);
  const lines: DiffLine[] = [];
  let lineA = 2;
  let lineB = 2;
  const same = (untilA: number) => {
    for (; lineA < untilA; lineA += 1, lineB += 1)
      lines.push({
        kind: 'same',
        text: b.line(lineB).text,
        before: lineA - 1,
        after: lineB - 1,
        changed: [],
      });
  };
  for (const chunk of Chunk.build(a, b, EFFORT)) {
    same(lineFrom(a, chunk.fromA));
    const endA = lineFrom(a, chunk.toA);
    const endB = lineFrom(b, chunk.toB);
    for (; lineA < endA; lineA += 1) {
      const { text, from } = a.line(lineA);
      const changed = chunk.changes.flatMap(({ fromA, toA }) =>
        within(text, fromA + chunk.fromA - from, toA + chunk.fromA - from),
      );
      lines.push({ kind: 'removed', text, before: lineA - 1, after: null, changed });
    }
    for (; lineB < endB; lineB += 1) {
      const { text, from } = b.line(lineB);
      const changed = chunk.changes.flatMap(({ fromB, toB }) =>
        within(text, fromB + chunk.fromB - from, toB + chunk.fromB - from),
      );
      lines.push({ kind: 'added', text, before: null, after: lineB - 1, changed });
    }
  }
  same(a.lines + 1);
  return lines;
}

/** Chunks begin and end at beginnings of lines, or one past the end of the text. */
function lineFrom(doc: Text, at: number): number {
  return at > doc.length ? doc.lines + 1 : doc.lineAt(at).number;
}

function within(text: string, from: number, to: number): Stretch[] {
  const stretch = { from: Math.max(0, from), to: Math.min(text.length, to) };
  return stretch.from < stretch.to ? [stretch] : [];
}

/** Without what is far from a change: `around` lines stay on each side, and the number of those left out is said. */
export function folded(lines: readonly DiffLine[], around: number): readonly DiffLine[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind === 'same') return;
    for (let i = index - around; i <= index + around; i += 1) near.add(i);
  });
  const shown: DiffLine[] = [];
  lines.forEach((line, index) => {
    const last = shown.at(-1);
    if (near.has(index)) shown.push(line);
    else if (last?.kind === 'skipped') shown[shown.length - 1] = { kind: 'skipped', count: last.count + 1 };
    else shown.push({ kind: 'skipped', count: 1 });
  });
  return shown;
}

import { pythonLanguage } from '@codemirror/lang-python';
import { syntaxHighlighting } from '@codemirror/language';
import { RangeSetBuilder, type Extension, type Range } from '@codemirror/state';
import { Decoration, EditorView, gutter, GutterMarker } from '@codemirror/view';
import { highlightTree } from '@lezer/highlight';
import { useMemo, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { codeColours, readOnly, shownExactly } from './code-setup.ts';
import { diffLines, folded, type DiffLine } from './diff-lines.ts';
import { useCodeMirror } from './use-code-mirror.ts';

const AROUND = 3;
const SIGN = { same: '', added: '+', removed: '−' } as const;

/** What changes between two texts: removed and added lines in one column, each as exactly shown as the code itself. */
export function CodeDiff({
  before,
  after,
  label = 'What changes',
  testId,
}: {
  readonly before: string;
  readonly after: string;
  readonly label?: string;
  readonly testId: string;
}) {
  const [whole, setWhole] = useState(false);
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  const few = useMemo(() => folded(lines, AROUND), [lines]);
  const added = lines.filter(({ kind }) => kind === 'added').length;
  const removed = lines.filter(({ kind }) => kind === 'removed').length;
  if (before === after)
    return (
      <p className="text-meta text-muted" data-testid={testId}>
        The texts are the same.
      </p>
    );
  return (
    <div className="flex flex-col gap-1">
      <div className="flex min-h-7 flex-wrap items-center justify-between gap-2 text-mini text-muted">
        <span className="tabular-nums">
          {count(added)} added, {count(removed)} removed
        </span>
        {few.length < lines.length && (
          <Button small tone="quiet" aria-pressed={whole} onClick={() => setWhole(!whole)}>
            {whole ? 'Only what changed' : 'All lines'}
          </Button>
        )}
      </div>
      <Lines
        key={String(whole)}
        before={before}
        after={after}
        lines={whole ? lines : few}
        label={label}
        testId={testId}
      />
    </div>
  );
}

const count = (lines: number): string => (lines === 1 ? '1 line' : `${lines} lines`);

function Lines({
  before,
  after,
  lines,
  label,
  testId,
}: {
  readonly before: string;
  readonly after: string;
  readonly lines: readonly DiffLine[];
  readonly label: string;
  readonly testId: string;
}) {
  const make = useMemo(
    () => (): Extension => [
      shownExactly,
      readOnly(label, testId),
      numbers(lines, 'before'),
      numbers(lines, 'after'),
      // For the styles of the colours alone: each side is read as the whole text that it is.
      syntaxHighlighting(codeColours),
      EditorView.decorations.of(decorations(lines, coloured(before), coloured(after))),
    ],
    [lines, before, after, label, testId],
  );
  const host = useCodeMirror(lines.map(textOf).join('\n'), make);
  return <div ref={host} className="code-host" />;
}

function textOf(line: DiffLine): string {
  if (line.kind === 'skipped') return line.count === 1 ? '1 unchanged line' : `${line.count} unchanged lines`;
  return SIGN[line.kind] + line.text;
}

class LineNumber extends GutterMarker {
  readonly words: string;

  constructor(words: string) {
    super();
    this.words = words;
  }

  override eq(other: LineNumber): boolean {
    return other.words === this.words;
  }

  override toDOM(): globalThis.Text {
    return document.createTextNode(this.words);
  }
}

function numbers(lines: readonly DiffLine[], side: 'before' | 'after'): Extension {
  const widest = Math.max(...lines.map((line) => (line.kind === 'skipped' ? 0 : (line[side] ?? 0))));
  return gutter({
    class: 'cm-lineNumbers',
    lineMarker(view, { from }) {
      const line = lines[view.state.doc.lineAt(from).number - 1];
      const number = line === undefined || line.kind === 'skipped' ? null : line[side];
      return number === null ? null : new LineNumber(String(number));
    },
    initialSpacer: () => new LineNumber(String(widest)),
  });
}

interface Coloured {
  readonly from: number;
  readonly to: number;
  readonly className: string;
}

/** For each line of a text, from 1, what stands in which colour, as offsets into that line. */
function coloured(text: string): readonly (readonly Coloured[])[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const found: Coloured[][] = Array.from({ length: starts.length + 1 }, () => []);
  let line = 1;
  highlightTree(pythonLanguage.parser.parse(text), codeColours, (from, to, className) => {
    while (line < starts.length && (starts[line] ?? 0) <= from) line += 1;
    for (let n = line; n <= starts.length && (starts[n - 1] ?? 0) < to; n += 1) {
      const start = starts[n - 1] ?? 0;
      const end = (starts[n] ?? text.length + 1) - 1;
      const piece = { from: Math.max(from, start) - start, to: Math.min(to, end) - start, className };
      if (piece.from < piece.to) found[n]?.push(piece);
    }
  });
  return found;
}

function decorations(
  lines: readonly DiffLine[],
  before: ReturnType<typeof coloured>,
  after: ReturnType<typeof coloured>,
) {
  const builder = new RangeSetBuilder<Decoration>();
  let at = 0;
  for (const line of lines) {
    builder.add(at, at, Decoration.line({ class: `cm-${line.kind}` }));
    if (line.kind !== 'skipped') {
      const start = at + SIGN[line.kind].length;
      const colours = line.kind === 'removed' ? before[line.before ?? 0] : after[line.after ?? 0];
      const marks: Range<Decoration>[] = [
        ...(at < start ? [Decoration.mark({ class: 'cm-sign' }).range(at, start)] : []),
        ...line.changed.map(({ from, to }) =>
          Decoration.mark({ class: 'cm-changed' }).range(start + from, start + to),
        ),
        ...(colours ?? []).map(({ from, to, className }) =>
          Decoration.mark({ class: className }).range(start + from, start + to),
        ),
      ];
      for (const { from, to, value } of marks.toSorted(
        (x, y) => x.from - y.from || x.value.startSide - y.value.startSide,
      ))
        builder.add(from, to, value);
    }
    at += textOf(line).length + 1;
  }
  return builder.finish();
}

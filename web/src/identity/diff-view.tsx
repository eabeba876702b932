import { useMemo } from 'react';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { lineDiff, type DiffLine } from './line-diff.ts';

const MARK = { same: ' ', added: '+', removed: '−' } as const;
const SPOKEN = { same: '', added: 'added: ', removed: 'removed: ' } as const;
/** Unchanged lines shown around a change. */
const AROUND = 3;

/** What changes between two texts, line by line; characters that can't be seen are marked. */
export function DiffView({
  before,
  after,
  testId = 'identity-diff',
}: {
  readonly before: string;
  readonly after: string;
  readonly testId?: string;
}) {
  const lines = useMemo(() => folded(lineDiff(before, after)), [before, after]);
  if (before === after) return <p className="text-meta text-muted">The texts are the same.</p>;
  return (
    <ol
      // A long line scrolls here, so it can be reached by keyboard too.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label="What changes"
      className="max-h-[400px] overflow-auto rounded-md border border-line bg-sunken py-1 font-mono text-meta"
      data-testid={testId}
    >
      {lines.map((line, index) =>
        'skipped' in line ? (
          <li key={index} className="px-3 py-1 text-mini text-muted">
            {line.skipped} unchanged {line.skipped === 1 ? 'line' : 'lines'}
          </li>
        ) : (
          <li
            key={index}
            className={cx(
              'flex gap-2 px-3 whitespace-pre-wrap wrap-anywhere',
              line.kind === 'added' && 'bg-ok-soft',
              line.kind === 'removed' && 'bg-stop-soft',
            )}
          >
            <span aria-hidden className="shrink-0 select-none">
              {MARK[line.kind]}
            </span>
            <span className="min-w-0">
              <span className="sr-only">{SPOKEN[line.kind]}</span>
              <ExactText text={line.text} />
            </span>
          </li>
        ),
      )}
    </ol>
  );
}

function folded(lines: readonly DiffLine[]): readonly (DiffLine | { readonly skipped: number })[] {
  const near = new Set<number>();
  lines.forEach(({ kind }, index) => {
    if (kind === 'same') return;
    for (let i = index - AROUND; i <= index + AROUND; i += 1) near.add(i);
  });
  const shown: (DiffLine | { skipped: number })[] = [];
  lines.forEach((line, index) => {
    if (near.has(index)) {
      shown.push(line);
      return;
    }
    const last = shown.at(-1);
    if (last && 'skipped' in last) last.skipped += 1;
    else shown.push({ skipped: 1 });
  });
  return shown;
}

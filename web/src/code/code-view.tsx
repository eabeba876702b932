import { lineNumbers } from '@codemirror/view';
import { useCallback, useMemo } from 'react';
import { CopyButton } from '../ui/copy-button.tsx';
import { hiddenCount } from '../ui/hidden-characters.ts';
import { asStarlark, readOnly, shownExactly } from './code-setup.ts';
import { mistakesAt, type Mistake } from './mistakes.ts';
import { useCodeMirror } from './use-code-mirror.ts';

const NONE: readonly Mistake[] = [];

/** The whole text with line numbers; what can't be seen is marked, a mistake stands under its line. */
export function CodeView({
  source,
  mistakes = NONE,
  label = 'The code',
  testId,
}: {
  readonly source: string;
  readonly mistakes?: readonly Mistake[];
  readonly label?: string;
  readonly testId: string;
}) {
  const said = JSON.stringify(mistakes);
  const make = useCallback(
    () => [
      shownExactly,
      asStarlark,
      // Behind the last line feed nothing stands, so there is no line.
      lineNumbers({
        formatNumber: (line, { doc }) =>
          line > 1 && line === doc.lines && doc.line(line).length === 0 ? '' : String(line),
      }),
      readOnly(label, testId),
      mistakesAt(JSON.parse(said) as readonly Mistake[]),
    ],
    [label, testId, said],
  );
  const host = useCodeMirror(source, make);
  return (
    <div className="flex flex-col gap-1">
      <div ref={host} className="code-host" />
      <CodeFacts source={source} />
    </div>
  );
}

/** How much there is, and whether anything of it would not have been seen. */
export function CodeFacts({ source }: { readonly source: string }) {
  const hidden = useMemo(() => hiddenCount(source), [source]);
  const lines = source.replace(/\n$/, '').split('\n').length;
  const bytes = new TextEncoder().encode(source).length;
  return (
    <div className="flex min-h-6 flex-wrap items-center gap-x-2 text-mini text-muted">
      <span className="tabular-nums">
        {lines === 1 ? '1 line' : `${lines} lines`}, {bytes} bytes
      </span>
      <CopyButton text={source} label="Copy the whole code" />
      {hidden > 0 && (
        <span className="text-ask" data-testid="code-hidden">
          {hidden === 1
            ? '1 character is normally invisible; it is marked.'
            : `${hidden} characters are normally invisible; they are marked.`}
        </span>
      )}
    </div>
  );
}

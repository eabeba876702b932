import { ExactText } from '../ui/exact-text.tsx';
import { hiddenCount } from '../ui/hidden-characters.ts';

/** The whole text with line numbers; what can't be seen is marked. */
export function CodeView({ source }: { readonly source: string }) {
  const lines = source.replace(/\n$/, '').split('\n');
  const hidden = hiddenCount(source);
  return (
    <div className="flex flex-col gap-1">
      <ol
        // A long text scrolls here, so it can be reached by keyboard too.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label="The code"
        dir="ltr"
        className="max-h-[560px] overflow-auto rounded-md border border-line bg-sunken py-2 font-mono text-meta"
        data-testid="script-code"
      >
        {lines.map((line, index) => (
          <li key={index} className="flex gap-3 px-3">
            <span aria-hidden className="w-8 shrink-0 text-right text-faint select-none tabular-nums">
              {index + 1}
            </span>
            <span className="min-h-5 min-w-0 whitespace-pre-wrap wrap-anywhere">
              <ExactText text={line} />
            </span>
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <p className="text-mini text-ask">
          {hidden} {hidden === 1 ? 'character is' : 'characters are'} normally invisible and marked.
        </p>
      )}
    </div>
  );
}

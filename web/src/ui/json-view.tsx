import type { Json } from '../api/types.ts';
import { cx } from './class-names.ts';
import { ExactText, hiddenCount } from './exact-text.tsx';

/**
 * A value in full. An object's texts are shown as they are, one block per name, because "a\nb" in JSON hides how the
 * lines will look; everything else is shown as JSON. Nothing is cut.
 */
export function JsonView({ value, empty = 'None' }: { readonly value: Json; readonly empty?: string }) {
  if (value === null) return <p className="text-meta text-faint">{empty}</p>;
  if (typeof value === 'string') return <TextBlock text={value} />;
  if (typeof value !== 'object' || Array.isArray(value)) {
    return <TextBlock text={JSON.stringify(value, null, 2)} />;
  }
  const entries = Object.entries(value as { readonly [key: string]: Json });
  if (entries.length === 0) return <p className="text-meta text-faint">{empty}</p>;
  return (
    <dl className="flex flex-col gap-2">
      {entries.map(([name, item]) => (
        <div
          key={name}
          className="grid grid-cols-[minmax(72px,max-content)_minmax(0,1fr)] gap-x-3 max-sm:grid-cols-1"
        >
          <dt className="py-1 font-mono text-mini leading-5 text-muted">
            <ExactText text={name} />
          </dt>
          <dd>
            <TextBlock text={typeof item === 'string' ? item : JSON.stringify(item, null, 2)} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function TextBlock({ text, className }: { readonly text: string; readonly className?: string }) {
  const lines = text.split('\n').length;
  const hidden = hiddenCount(text);
  return (
    <div className={className}>
      <pre
        dir="ltr"
        className="max-h-96 overflow-auto rounded-md bg-sunken px-2 py-1 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap"
        // A long block scrolls, so the keyboard must reach it.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={lines > 18 ? 0 : undefined}
      >
        {text === '' ? <span className="text-faint">empty text</span> : <ExactText text={text} />}
      </pre>
      {(lines > 18 || hidden > 0) && (
        <p className={cx('mt-1 text-mini', hidden > 0 ? 'text-ask' : 'text-faint')}>
          {lines > 18 && `${lines} lines, ${text.length.toLocaleString('en')} characters. `}
          {hidden > 0 &&
            `${hidden} ${hidden === 1 ? 'character is' : 'characters are'} normally invisible and marked.`}
        </p>
      )}
    </div>
  );
}

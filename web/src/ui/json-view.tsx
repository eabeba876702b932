import type { Json } from '../api/types.ts';
import { cx } from './class-names.ts';
import { ExactText } from './exact-text.tsx';
import { hiddenCount } from './hidden-characters.ts';

/** What is acted on comes first, whatever the order of the names in the call. */
const FIRST = ['path', 'file', 'name', 'url', 'query'];

/**
 * A value in full. An object's texts are shown as they are, one block per name, because "a\nb" in JSON hides how the
 * lines will look; everything else is shown as JSON. Nothing is cut. `compact` is for facts that we wrote ourselves:
 * one line each, without blocks.
 */
export function JsonView({
  value,
  empty = 'None',
  compact = false,
}: {
  readonly value: Json;
  readonly empty?: string;
  readonly compact?: boolean;
}) {
  if (value === null) return <p className="text-meta text-faint">{empty}</p>;
  if (typeof value === 'string') return <TextBlock text={value} />;
  if (typeof value !== 'object' || Array.isArray(value)) {
    return <TextBlock text={JSON.stringify(value, null, 2)} />;
  }
  const entries = Object.entries(value as { readonly [key: string]: Json });
  if (entries.length === 0) return <p className="text-meta text-faint">{empty}</p>;
  if (!compact) entries.sort(([a], [b]) => rank(a) - rank(b));
  return (
    <dl
      className={cx(
        'grid grid-cols-[minmax(64px,max-content)_minmax(0,1fr)] gap-x-4 max-sm:grid-cols-1',
        compact ? 'gap-y-1' : 'gap-y-2',
      )}
    >
      {entries.map(([name, item]) => {
        const text = typeof item === 'string' ? item : JSON.stringify(item, null, 2);
        const plain = compact && !text.includes('\n');
        return (
          <div
            key={name}
            className="col-span-2 grid grid-cols-subgrid max-sm:col-span-1 max-sm:grid-cols-[minmax(0,1fr)]"
          >
            <dt
              className={cx(
                'max-w-48 font-mono text-mini leading-5 wrap-anywhere text-muted',
                !plain && 'py-1',
              )}
            >
              <ExactText text={name} />
            </dt>
            <dd className="min-w-0">
              {plain ? (
                <span className="block font-mono text-mini leading-5 wrap-anywhere">
                  <ExactText text={text} />
                </span>
              ) : (
                <TextBlock text={text} />
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function rank(name: string): number {
  const index = FIRST.indexOf(name);
  return index === -1 ? FIRST.length : index;
}

export function TextBlock({ text }: { readonly text: string }) {
  const lines = text.split('\n').length;
  const hidden = hiddenCount(text);
  const long = lines > 18 || text.length > 1_500;
  return (
    <div>
      <pre
        dir="ltr"
        className="max-h-96 overflow-auto rounded-md bg-sunken px-2 py-1 font-mono text-mini leading-5 wrap-anywhere whitespace-pre-wrap"
        // A long block scrolls, so the keyboard must reach it.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={long ? 0 : undefined}
      >
        {text === '' ? <span className="text-faint">empty text</span> : <ExactText text={text} />}
      </pre>
      {(long || hidden > 0) && (
        <p className={cx('mt-1 text-mini', hidden > 0 ? 'text-ask' : 'text-faint')}>
          {long && `${lines} lines, ${text.length.toLocaleString('en')} characters; scroll to see all. `}
          {hidden > 0 &&
            `${hidden} ${hidden === 1 ? 'character is' : 'characters are'} normally invisible and marked.`}
        </p>
      )}
    </div>
  );
}

import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import type { WaitingCounts } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import { WordsField } from '../ui/words-field.tsx';
import { END_STATES, type EndState, type InboxSearch } from './inbox-search.ts';

const ENDS: Readonly<Record<EndState, string>> = {
  approved: 'Approved',
  denied: 'Denied or rejected',
  expired: 'Expired',
  cancelled: 'Withdrawn',
  superseded: 'Replaced',
};
const CONTROL = `${INPUT_CLASS} w-auto! min-w-0 px-2!`;

type Change = (change: {
  readonly [Name in keyof InboxSearch]?: InboxSearch[Name] | undefined;
}) => void;

/** Which part of the inbox is shown. Everything of it stands in the address. */
export function InboxFilters({
  search,
  counts,
  onChange,
}: {
  readonly search: InboxSearch;
  readonly counts: WaitingCounts | undefined;
  readonly onChange: Change;
}) {
  const { show, kind, state, q } = search;
  const total = counts && counts.tools + counts.scripts;
  const kept = { ...(kind ? { kind } : {}), ...(q ? { q } : {}) };
  const exact = (['tool', 'script', 'conversation'] as const).flatMap((name) =>
    search[name] === undefined ? [] : [{ name, value: search[name] }],
  );
  return (
    <div role="search" aria-label="Filter the requests" className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <div role="group" aria-label="Filter" className="flex gap-1">
          <Tab active={show !== 'decided'} search={kept} testId="inbox-waiting">
            Waiting
            {total !== undefined && <span className="text-muted tabular-nums">{total}</span>}
          </Tab>
          <Tab active={show === 'decided'} search={{ ...kept, show: 'decided' }} testId="inbox-decided">
            Decided
          </Tab>
        </div>
        <div className="flex-1" />
        <select
          aria-label="Kind"
          data-testid="inbox-kind"
          value={kind ?? ''}
          onChange={({ target: { value } }) =>
            onChange({ kind: value === 'tool' || value === 'script' ? value : undefined })
          }
          className={CONTROL}
        >
          <option value="">Calls and scripts</option>
          <option value="tool">Calls{show !== 'decided' && counts ? ` (${counts.tools})` : ''}</option>
          <option value="script">Scripts{show !== 'decided' && counts ? ` (${counts.scripts})` : ''}</option>
        </select>
        {show === 'decided' && (
          <select
            aria-label="How it ended"
            data-testid="inbox-state"
            value={state ?? ''}
            onChange={({ target: { value } }) =>
              onChange({ state: END_STATES.find((each) => each === value) })
            }
            className={CONTROL}
          >
            <option value="">However it ended</option>
            {END_STATES.map((each) => (
              <option key={each} value={each}>
                {ENDS[each]}
              </option>
            ))}
          </select>
        )}
      </div>
      <WordsField
        label="Words in a request"
        testId="inbox-words"
        value={q ?? ''}
        onChange={(words) => onChange({ q: words === '' ? undefined : words })}
      />
      {exact.length > 0 && (
        <ul aria-label="Exact filters" className="flex flex-wrap gap-2">
          {exact.map(({ name, value }) => (
            <li
              key={name}
              className="flex h-8 max-w-full min-w-0 items-center gap-1 rounded-md bg-selected pl-2 text-meta max-md:h-10"
            >
              <span className="text-muted">{name}</span>
              <code className="min-w-0 truncate text-mini">{value}</code>
              <button
                type="button"
                aria-label={`Remove the filter: ${name}`}
                onClick={() => onChange({ [name]: undefined })}
                className="flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:text-ink max-md:size-10"
              >
                <X aria-hidden size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Tab({
  active,
  search,
  testId,
  children,
}: {
  readonly active: boolean;
  readonly search: InboxSearch;
  readonly testId: string;
  readonly children: React.ReactNode;
}) {
  return (
    <Link
      to="/approvals"
      search={search}
      replace
      aria-current={active ? 'true' : undefined}
      data-testid={testId}
      className={cx(
        'inline-flex h-8 items-center gap-2 rounded-md px-3 text-meta max-md:h-10',
        active ? 'bg-selected font-medium' : 'text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {children}
    </Link>
  );
}

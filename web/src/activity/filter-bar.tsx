import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { INPUT_CLASS } from '../ui/field.tsx';
import { WordsField } from '../ui/words-field.tsx';
import { OUTCOMES, type ActivitySearch } from './activity-search.ts';
import { FAMILIES } from './families.ts';

const WHO = [
  { value: 'user:', label: 'People' },
  { value: 'assistant:', label: 'The assistant' },
  { value: 'system', label: 'OpenPact itself' },
  { value: 'operator', label: 'The command line' },
  { value: 'anonymous:', label: 'Not logged in' },
] as const;
const OUTCOME_WORDS: Readonly<Record<(typeof OUTCOMES)[number], string>> = {
  ok: 'OK',
  refused: 'Refused',
  failed: 'Failed',
  intent: 'Intent',
  unknown: 'Unknown',
};
const CONTROL = `${INPUT_CLASS} px-2!`;

type Change = (change: {
  readonly [Name in keyof ActivitySearch]?: ActivitySearch[Name] | undefined;
}) => void;

/** What the log is filtered for. Choices stand here; exact values come from the details of an entry. */
export function FilterBar({
  search,
  onChange,
}: {
  readonly search: ActivitySearch;
  readonly onChange: Change;
}) {
  const family = FAMILIES.some(({ value }) => value === search.event) ? search.event : undefined;
  const who = WHO.some(({ value }) => value === search.principal) ? search.principal : undefined;
  const exact = [
    ...(search.event && !family ? [{ name: 'event' as const, label: 'What', value: search.event }] : []),
    ...(search.principal && !who
      ? [{ name: 'principal' as const, label: 'Who', value: search.principal }]
      : []),
    ...(search.target ? [{ name: 'target' as const, label: 'On', value: search.target }] : []),
    ...(search.conversation
      ? [{ name: 'conversation' as const, label: 'Conversation', value: search.conversation }]
      : []),
  ];
  return (
    <div role="search" aria-label="Filter the log" className="flex flex-col gap-2">
      <div className="grid grid-cols-[minmax(180px,1fr)_repeat(3,max-content)_auto] gap-2 max-lg:grid-cols-3 max-sm:grid-cols-2">
        <WordsField
          label="Words in an entry"
          testId="audit-words"
          className="max-lg:col-span-full"
          value={search.q ?? ''}
          onChange={(q) => onChange({ q: q === '' ? undefined : q })}
        />
        <Choice
          label="Kind of entry"
          testId="audit-kind"
          value={family}
          any="Every kind"
          items={FAMILIES}
          onChange={(event) => onChange({ event })}
        />
        <Choice
          label="Who"
          testId="audit-who"
          value={who}
          any="Everybody"
          items={WHO}
          onChange={(principal) => onChange({ principal })}
        />
        <Choice
          label="Outcome"
          testId="audit-outcome"
          value={search.outcome}
          any="Every outcome"
          items={OUTCOMES.map((value) => ({ value, label: OUTCOME_WORDS[value] }))}
          onChange={(outcome) => onChange({ outcome: OUTCOMES.find((each) => each === outcome) })}
        />
        <div className="flex items-center gap-2 text-meta text-muted max-lg:col-span-full">
          <input
            type="date"
            aria-label="First day"
            data-testid="audit-from"
            value={search.from ?? ''}
            max={search.to}
            onChange={(event) => onChange({ from: event.target.value || undefined })}
            className={cx(CONTROL, 'w-36! max-md:w-0! max-md:flex-1')}
          />
          to
          <input
            type="date"
            aria-label="Last day"
            data-testid="audit-to"
            value={search.to ?? ''}
            min={search.from}
            onChange={(event) => onChange({ to: event.target.value || undefined })}
            className={cx(CONTROL, 'w-36! max-md:w-0! max-md:flex-1')}
          />
        </div>
      </div>
      {exact.length > 0 && (
        <ul aria-label="Exact filters" className="flex flex-wrap gap-2">
          {exact.map(({ name, label, value }) => (
            <li
              key={name}
              className="flex h-8 max-w-full min-w-0 items-center gap-1 rounded-md bg-selected pl-2 text-meta max-md:h-10"
            >
              <span className="text-muted">{label}</span>
              <span className="min-w-0 truncate font-mono text-mini" data-testid={`audit-exact-${name}`}>
                <ExactText text={value} />
              </span>
              <button
                type="button"
                aria-label={`Remove the filter: ${label}`}
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

function Choice({
  label,
  value,
  any,
  items,
  onChange,
  testId,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly any: string;
  readonly items: readonly { readonly value: string; readonly label: string }[];
  readonly onChange: (value: string | undefined) => void;
  readonly testId: string;
}): ReactNode {
  return (
    <select
      aria-label={label}
      data-testid={testId}
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
      className={CONTROL}
    >
      <option value="">{any}</option>
      {items.map((item) => (
        <option key={item.value} value={item.value}>
          {item.label}
        </option>
      ))}
    </select>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { ChartNoAxesColumn } from 'lucide-react';
import type { ReactNode } from 'react';
import { usage } from '../api/queries.ts';
import type { UsageBy } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import { Problem } from '../ui/notice.tsx';
import { Empty, Page, SkeletonRows } from '../ui/page.tsx';
import { daysBefore, isDay, today } from './amounts.ts';
import { Budgets } from './budgets.tsx';
import { DayChart } from './usage-chart.tsx';
import { UsageTable } from './usage-table.tsx';

const GROUPS: readonly { readonly by: UsageBy; readonly label: string }[] = [
  { by: 'day', label: 'By day' },
  { by: 'model', label: 'By model' },
  { by: 'conversation', label: 'By conversation' },
];
const RANGES = [7, 30, 90] as const;

/** What the models were asked, what it took, and what they may still take. */
export function UsagePage() {
  const search = useSearch({ from: '/app/usage' });
  const navigate = useNavigate({ from: '/usage' });
  const to = search.to ?? today();
  const from = search.from ?? daysBefore(to, 13);
  const by = search.by ?? 'day';
  const { data, error, refetch, isFetching } = useQuery(usage(from, to, by));
  // The chart is by day, whatever the table is by.
  const byDay = useQuery(usage(from, to, 'day'));
  const set = (day: string, end: 'from' | 'to') => {
    if (isDay(day)) void navigate({ search: (old) => ({ ...old, [end]: day }), replace: true });
  };
  return (
    <Page title="Usage" lead="What the models used, and what they may use. Days are counted in UTC." wide>
      <Budgets />
      <section className="flex flex-col gap-4" aria-labelledby="used">
        <h2 id="used" className="font-semibold">
          What was used
        </h2>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <div role="group" aria-label="Grouped" className="flex gap-1">
            {GROUPS.map((group) => (
              <Choice key={group.by} active={group.by === by} search={{ ...search, by: group.by }}>
                {group.label}
              </Choice>
            ))}
          </div>
          <div role="group" aria-label="Range" className="flex gap-1">
            {RANGES.map((days) => {
              const start = daysBefore(today(), days - 1);
              return (
                <Choice
                  key={days}
                  active={from === start && to === today()}
                  search={{ ...(search.by ? { by: search.by } : {}), from: start, to: today() }}
                >
                  {days} days
                </Choice>
              );
            })}
          </div>
          <div className="flex items-center gap-2 text-meta text-muted">
            <input
              type="date"
              aria-label="First day"
              value={from}
              max={to}
              onChange={(event) => set(event.target.value, 'from')}
              className={`${INPUT_CLASS} w-36! px-2!`}
              data-testid="usage-from"
            />
            to
            <input
              type="date"
              aria-label="Last day"
              value={to}
              min={from}
              onChange={(event) => set(event.target.value, 'to')}
              className={`${INPUT_CLASS} w-36! px-2!`}
              data-testid="usage-to"
            />
          </div>
        </div>
        {error && !data ? (
          <Problem
            error={error}
            what="The usage could not be loaded."
            busy={isFetching}
            onRetry={() => void refetch()}
          />
        ) : !data ? (
          <SkeletonRows count={6} className="h-10" />
        ) : data.totals.calls === 0 ? (
          <Empty icon={<ChartNoAxesColumn aria-hidden size={20} />} title="No calls to a model in this range">
            Each answer of a model appears here with its tokens and its cost. Choose a longer range, or say
            something in the chat.
          </Empty>
        ) : (
          <>
            {byDay.data && <DayChart rows={byDay.data.rows} from={from} to={to} />}
            <UsageTable answer={data} />
            <p className="text-mini text-faint">
              {data.totals.unpriced_calls > 0 &&
                `${data.totals.unpriced_calls} calls have no known price; the cost leaves them out, the budgets count them at the assumed price. `}
              Costs are estimates from list prices, or the provider's own word. Calls of deleted conversations
              are not listed; the budget of their day still counts them. Test calls on the Models page are in
              neither.
            </p>
          </>
        )}
      </section>
    </Page>
  );
}

function Choice({
  active,
  search,
  children,
}: {
  readonly active: boolean;
  readonly search: { readonly from?: string; readonly to?: string; readonly by?: UsageBy };
  readonly children: ReactNode;
}) {
  return (
    <Link
      to="/usage"
      search={search}
      replace
      aria-current={active ? 'true' : undefined}
      className={cx(
        'inline-flex h-8 items-center rounded-md px-3 text-meta whitespace-nowrap max-md:h-10',
        active ? 'bg-selected font-medium' : 'text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {children}
    </Link>
  );
}

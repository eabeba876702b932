import { getRouteApi, Link } from '@tanstack/react-router';
import { History } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { AuditEntryView } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { useListKeys } from '../ui/list-keys.ts';
import { Notice, Problem } from '../ui/notice.tsx';
import { Empty, Page, SkeletonRows } from '../ui/page.tsx';
import { AuditRow } from './audit-row.tsx';
import { FAMILIES } from './families.ts';
import { useAuditLog } from './use-audit-log.ts';

const route = getRouteApi('/app/activity');

/** The audit log: everything that was decided, run, sent or refused. Filter and open entry live in the address. */
export function ActivityPage() {
  const { event, seq } = route.useSearch();
  const navigate = route.useNavigate();
  const { log, entries, lost } = useAuditLog(event);
  const list = useRef<HTMLOListElement>(null);
  const close = useCallback(() => {
    void navigate({ search: (old) => (old.event ? { event: old.event } : {}), replace: true });
  }, [navigate]);
  useListKeys(list, close);
  const days = useMemo(() => byDay(entries), [entries]);

  // A link to an entry that is further back: go there.
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = log;
  const oldest = entries.at(-1)?.seq ?? 0;
  const missing = seq !== undefined && entries.length > 0 && seq < oldest;
  useEffect(() => {
    if (missing && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [missing, hasNextPage, isFetchingNextPage, fetchNextPage]);
  // Only for an entry that the address named on arrival: one that is opened by hand is where the reader looks.
  const [linked] = useState(seq);
  const arrived = linked !== undefined && entries.some((entry) => entry.seq === linked);
  useEffect(() => {
    if (arrived) document.getElementById(`entry-${linked}`)?.scrollIntoView({ block: 'center' });
  }, [arrived, linked]);

  return (
    <Page
      wide
      title="Activity"
      lead="Everything that was decided, run, sent or refused, in a log where each entry seals the one before."
    >
      <div
        role="group"
        aria-label="Filter by kind"
        className="flex flex-wrap gap-1 max-md:-mx-4 max-md:flex-nowrap max-md:overflow-x-auto max-md:px-4 max-md:pb-1"
      >
        <Filter active={event === undefined} event={undefined}>
          All
        </Filter>
        {FAMILIES.map((family) => (
          <Filter key={family.value} active={event === family.value} event={family.value}>
            {family.label}
          </Filter>
        ))}
        {event && !FAMILIES.some((family) => family.value === event) && (
          <Filter active event={event}>
            {event}
          </Filter>
        )}
      </div>
      {lost && log.data && (
        <Notice>The log can't be asked for news right now. What is shown may be behind.</Notice>
      )}
      {log.error && !log.data ? (
        <Problem
          error={log.error}
          what="The log could not be loaded."
          busy={log.isFetching}
          onRetry={() => void log.refetch()}
        />
      ) : !log.data ? (
        <SkeletonRows count={12} className="h-9 px-2" />
      ) : entries.length === 0 ? (
        <Empty icon={<History aria-hidden size={20} />} title="Nothing of this kind yet">
          {event
            ? 'No entry has been written that this filter shows.'
            : 'The first entry is written when something happens.'}
        </Empty>
      ) : (
        <>
          <ol ref={list} className="flex flex-col">
            {days.map(({ day, entries: ofDay }) => (
              <li key={day}>
                <h2 className="flex h-9 items-end border-b border-line px-2 pb-1 text-mini font-medium text-muted">
                  {day}
                </h2>
                <ol className="flex flex-col">
                  {ofDay.map((entry) => (
                    <li key={entry.seq} id={`entry-${entry.seq}`} className="border-b border-line">
                      <AuditRow
                        entry={entry}
                        open={seq === entry.seq}
                        onToggle={() => {
                          void navigate({
                            search: (old) => ({
                              ...(old.event ? { event: old.event } : {}),
                              ...(seq === entry.seq ? {} : { seq: entry.seq }),
                            }),
                            replace: true,
                            resetScroll: false,
                          });
                        }}
                      />
                    </li>
                  ))}
                </ol>
              </li>
            ))}
          </ol>
          <div className="flex justify-center">
            {hasNextPage ? (
              <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} data-testid="load-more">
                Show earlier entries
              </Button>
            ) : (
              <p className="text-mini text-faint">This is where the log begins.</p>
            )}
          </div>
        </>
      )}
    </Page>
  );
}

function Filter({
  active,
  event,
  children,
}: {
  readonly active: boolean;
  readonly event: string | undefined;
  readonly children: React.ReactNode;
}) {
  return (
    <Link
      to="/activity"
      search={event ? { event } : {}}
      replace
      aria-current={active ? 'true' : undefined}
      className={cx(
        'inline-flex h-7 shrink-0 items-center rounded-md px-2 text-meta max-md:h-9 max-md:px-3',
        active ? 'bg-selected font-medium' : 'text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {children}
    </Link>
  );
}

function byDay(entries: readonly AuditEntryView[]) {
  const days: { day: string; entries: AuditEntryView[] }[] = [];
  for (const entry of entries) {
    const day = new Date(entry.at).toLocaleDateString(undefined, { dateStyle: 'full' });
    const last = days.at(-1);
    if (last?.day === day) last.entries.push(entry);
    else days.push({ day, entries: [entry] });
  }
  return days;
}

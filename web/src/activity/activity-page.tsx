import { getRouteApi } from '@tanstack/react-router';
import { ArrowUp, History } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { AuditEntryView } from '../api/types.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Notice, Problem } from '../ui/notice.tsx';
import { Empty, Page, SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { Toggle } from '../ui/toggle.tsx';
import { filterOf, queryText, type ActivitySearch } from './activity-search.ts';
import { AuditRow } from './audit-row.tsx';
import { ChainStatus } from './chain-status.tsx';
import { ExportMenu } from './export-menu.tsx';
import { FilterBar } from './filter-bar.tsx';
import { useAuditLog } from './use-audit-log.ts';

const route = getRouteApi('/app/activity');
/** Entries that are shown above one that a link leads to. */
const ABOVE = 10;

/** The audit log: everything that was decided, run, sent or refused. Filters and the open entry live in the address. */
export function ActivityPage() {
  const search = route.useSearch();
  const { seq } = search;
  const navigate = route.useNavigate();
  const [live, setLive] = useState(true);
  const top = useRef<HTMLDivElement>(null);
  const [atTop, setAtTop] = useState(true);
  // An entry that the address named on arrival may lie years back: the list begins just above it.
  const [linked, setLinked] = useState(seq);
  const filter = queryText(filterOf(search));
  const start = linked === undefined ? null : linked + ABOVE + 1;
  const { log, entries, last, news, lost } = useAuditLog(filter, start, {
    live,
    follow: atTop && seq === undefined,
  });
  const list = useRef<HTMLOListElement>(null);

  const change = useCallback(
    (next: { readonly [Name in keyof ActivitySearch]?: ActivitySearch[Name] | undefined }) => {
      setLinked(undefined);
      void navigate({
        search: (old) => {
          const { seq: _seq, ...rest } = { ...old, ...next };
          return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
        },
        replace: true,
      });
    },
    [navigate],
  );
  const open = useCallback(
    (entry: number | undefined) => {
      void navigate({
        search: ({ seq: _seq, ...old }) => (entry === undefined ? old : { ...old, seq: entry }),
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  const close = useCallback(() => open(undefined), [open]);
  useListKeys(list, close);
  const days = useMemo(() => byDay(entries), [entries]);

  useEffect(() => {
    const element = top.current;
    if (!element) return;
    const observer = new IntersectionObserver(([seen]) => setAtTop(seen?.isIntersecting ?? true));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const arrived = linked !== undefined && entries.some((entry) => entry.seq === linked);
  useEffect(() => {
    if (arrived) document.getElementById(`entry-${linked}`)?.scrollIntoView({ block: 'center' });
  }, [arrived, linked]);

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = log;
  const filtered = filter !== '';
  // The server looks through a bounded part of the log at a time.
  const stopped = last !== null && !last.end && last.entries.length < 100 && filtered;
  return (
    <Page
      wide
      title="Activity"
      lead="Everything that was decided, run, sent or refused, in a log where each entry seals the one before."
      actions={<ExportMenu filter={filter} />}
    >
      <div ref={top} className="absolute top-0 h-16 w-px" aria-hidden />
      <ChainStatus />
      <div className="flex flex-col gap-3">
        <FilterBar search={search} onChange={change} />
        <div className="flex min-h-8 flex-wrap items-center justify-between gap-2 text-meta text-muted">
          {linked === undefined ? (
            <div className="flex items-center gap-2">
              <Toggle label="Show new entries as they come" checked={live} onChange={setLive} />
              <span aria-hidden>
                {live ? 'Live: new entries appear as they come' : 'New entries are not shown'}
              </span>
            </div>
          ) : (
            <p>The log around entry {linked.toLocaleString()}</p>
          )}
          {linked !== undefined && (
            <Button small className="max-md:h-10" onClick={() => change({})} data-testid="audit-newest">
              Show the newest
            </Button>
          )}
        </div>
      </div>
      {lost && log.data && (
        <Notice>The log can't be asked for news right now. What is shown may be behind.</Notice>
      )}
      {news && (
        <button
          type="button"
          data-testid="audit-news"
          onClick={() => {
            close();
            top.current?.scrollIntoView();
          }}
          className={`${buttonClass('plain', true)} sticky top-2 z-10 self-center rounded-full! shadow-pop max-md:h-10`}
        >
          <ArrowUp aria-hidden size={14} />
          {news.more ? `More than ${news.count}` : news.count} new{' '}
          {news.count === 1 && !news.more ? 'entry' : 'entries'}
        </button>
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
      ) : entries.length === 0 && !stopped ? (
        <Empty
          icon={<History aria-hidden size={20} />}
          title={filtered ? 'No entry is like this' : 'Nothing yet'}
        >
          {filtered
            ? 'The whole log was looked through. Take a filter away to see more.'
            : 'The first entry is written when something happens.'}
        </Empty>
      ) : (
        <>
          <ol ref={list} className="flex flex-col">
            {days.map(({ day, entries: ofDay }) => (
              <li key={`${day}-${ofDay[0]?.seq}`}>
                <h2 className="flex h-9 items-end border-b border-line px-2 pb-1 text-mini font-medium text-muted">
                  {day}
                </h2>
                <ol className="flex flex-col">
                  {ofDay.map((entry) => (
                    <li key={entry.seq} id={`entry-${entry.seq}`} className="border-b border-line">
                      <AuditRow
                        entry={entry}
                        open={seq === entry.seq}
                        onToggle={() => open(seq === entry.seq ? undefined : entry.seq)}
                        onFilter={change}
                      />
                    </li>
                  ))}
                </ol>
              </li>
            ))}
          </ol>
          <div className="flex flex-col items-center gap-2">
            {stopped && last.edge_at && (
              <p className="text-center text-mini text-muted" data-testid="audit-looked">
                Looked back to entry {last.edge.toLocaleString()} of <Time iso={last.edge_at} />.
              </p>
            )}
            {hasNextPage ? (
              <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()} data-testid="load-more">
                {stopped ? 'Search further' : 'Show earlier entries'}
              </Button>
            ) : (
              <p className="text-mini text-faint">
                {filtered ? 'No earlier entry is like this.' : 'This is where the log begins.'}
              </p>
            )}
          </div>
        </>
      )}
    </Page>
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

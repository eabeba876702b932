import { ShieldQuestion } from 'lucide-react';
import { useRef } from 'react';
import type { InboxItem } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Problem } from '../ui/notice.tsx';
import { Empty, SkeletonRows } from '../ui/page.tsx';
import { DecidedRow } from './decided-row.tsx';
import { useDecided } from './use-inbox.ts';

/** What became of old ones, newest first. New ones are said to be there and put on top when the reader wants them. */
export function DecidedList({
  filter,
  filtered,
  linked,
  openId,
  onOpen,
  onEscape,
}: {
  readonly filter: string;
  readonly filtered: boolean;
  readonly linked: InboxItem | null;
  readonly openId: string | undefined;
  readonly onOpen: (id: string | undefined) => void;
  readonly onEscape: () => void;
}) {
  const { list, items: found, newer, reload } = useDecided(filter);
  const rows = useRef<HTMLDivElement>(null);
  useListKeys(rows, onEscape);
  const items = linked ? found.filter(({ id }) => id !== linked.id) : found;
  const row = (item: InboxItem) => (
    <li key={item.id} id={`approval-${item.id}`}>
      <DecidedRow
        item={item}
        open={openId === item.id}
        onToggle={() => onOpen(openId === item.id ? undefined : item.id)}
      />
    </li>
  );
  return (
    <div ref={rows} className="flex flex-col gap-3">
      {linked && (
        <ul aria-label="The one that the link is about" className="flex flex-col border-y border-line">
          {row(linked)}
        </ul>
      )}
      {list.error && !list.data ? (
        <Problem
          error={list.error}
          what="The decisions could not be loaded."
          busy={list.isFetching}
          onRetry={() => void list.refetch()}
        />
      ) : !list.data ? (
        <SkeletonRows count={4} className="h-10" />
      ) : (
        <section aria-labelledby="decided-title" className="flex flex-col gap-2">
          <div className="flex min-h-8 items-center justify-between gap-2 max-md:min-h-10">
            <h2 id="decided-title" className="text-meta font-medium text-muted">
              {filtered ? 'Decided, as filtered' : 'Decided'}
            </h2>
            {newer && (
              <Button
                small
                className="max-md:h-10"
                busy={list.isFetching}
                onClick={() => void reload()}
                data-testid="decided-newer"
              >
                Show newer ones
              </Button>
            )}
          </div>
          {items.length === 0 && !list.hasNextPage ? (
            <div data-testid="decided-empty">
              <Empty
                icon={<ShieldQuestion aria-hidden size={20} />}
                title={filtered ? 'No decision fits' : 'No decisions yet'}
              >
                {filtered
                  ? 'Remove a filter to see the others.'
                  : 'Each decision stays here with who made it, when, why, and what became of it.'}
              </Empty>
            </div>
          ) : items.length === 0 ? (
            <p className="py-6 text-center text-meta text-muted">None fits among the newer ones so far.</p>
          ) : (
            <ul className="flex flex-col divide-y divide-line border-y border-line">{items.map(row)}</ul>
          )}
          {list.hasNextPage && (
            <div>
              <Button
                busy={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
                data-testid="load-more"
              >
                Show older ones
              </Button>
            </div>
          )}
        </section>
      )}
    </div>
  );
}

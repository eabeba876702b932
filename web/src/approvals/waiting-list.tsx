import { ShieldCheck } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { InboxItem } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { useFocusAfter } from '../ui/use-focus-after.ts';
import { Notice, Problem } from '../ui/notice.tsx';
import { Empty, SkeletonRows } from '../ui/page.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { BatchDialog, type BatchOrder } from './batch-dialog.tsx';
import { ScriptRequestCard } from './script-request-card.tsx';
import { useCardKeys } from './use-card-keys.ts';
import { useQueue } from './use-inbox.ts';

/** What one batch may hold; the server takes no more. */
const MOST_BATCH = 50;

/** The queue, oldest first, and what is decided in one act. Only what the reader marked is ever in a batch. */
export function WaitingList({
  filter,
  filtered,
  linked,
  agentName,
  onEscape,
}: {
  readonly filter: string;
  /** Anything but everything is shown. */
  readonly filtered: boolean;
  /** The card that the address is about, where it still waits. */
  readonly linked: InboxItem | null;
  readonly agentName: string;
  readonly onEscape: () => void;
}) {
  const { list, items: queue, counts, unshown, lost, begin } = useQueue(filter);
  /** As they were when they were marked. */
  const [marked, setMarked] = useState<ReadonlyMap<string, InboxItem>>(new Map());
  const [order, setOrder] = useState<BatchOrder | null>(null);
  const rows = useRef<HTMLDivElement>(null);
  const items = linked
    ? [queue.find(({ id }) => id === linked.id) ?? linked, ...queue.filter(({ id }) => id !== linked.id)]
    : queue;
  const waits = items.filter(({ status }) => status === 'pending');
  // What was decided meanwhile is not in the batch any more; nothing gets in but by a mark.
  const chosen = waits.filter(({ id }) => marked.has(id));
  const scripts = chosen.filter(({ kind }) => kind === 'script').length;

  const escape = useCallback(() => {
    const row = document.activeElement?.closest<HTMLElement>('[data-row]');
    if (row && row !== document.activeElement) row.focus();
    else if (marked.size > 0) setMarked(new Map());
    else onEscape();
  }, [marked, onEscape]);
  useListKeys(rows, escape);
  // Its buttons are of no use any more once nothing is marked.
  useFocusAfter(() => rows.current?.querySelector<HTMLElement>('[data-row]') ?? null, order !== null);

  function toggle(item: InboxItem) {
    if (item.status !== 'pending') return;
    setMarked((old) => {
      const next = new Map([...old].filter(([id]) => waits.some((each) => each.id === id)));
      if (!next.delete(item.id) && next.size < MOST_BATCH) next.set(item.id, item);
      return next;
    });
  }
  useCardKeys(rows, (id) => {
    const item = items.find((each) => each.id === id);
    if (item) toggle(item);
  });

  const ready = list.data !== undefined;
  const focus = linked?.id;
  useEffect(() => {
    if (ready && focus) document.getElementById(`approval-${focus}`)?.scrollIntoView({ block: 'nearest' });
  }, [ready, focus]);

  if (list.error && !list.data)
    return (
      <Problem
        error={list.error}
        what="The requests could not be loaded."
        busy={list.isFetching}
        onRetry={() => void list.refetch()}
      />
    );
  if (!list.data) return <SkeletonRows count={4} className="h-12" />;
  return (
    <section aria-label="Waiting" className="flex flex-col gap-3">
      {items.length === 0 ? (
        <div className="rounded-lg border border-line" data-testid="inbox-empty">
          {filtered && counts && counts.tools + counts.scripts > 0 ? (
            <Empty icon={<ShieldCheck aria-hidden size={20} />} title="Nothing that waits fits">
              {counts.tools + counts.scripts} wait in all. Remove a filter to see them.
            </Empty>
          ) : (
            <Empty icon={<ShieldCheck aria-hidden size={20} />} title="Nothing waits for you">
              When the assistant wants to do something that asks first, such as writing a file, or has written
              a script, it appears here. Nothing of it runs before you decide.
            </Empty>
          )}
        </div>
      ) : (
        <div
          role="toolbar"
          aria-label="Several at once"
          data-testid="batch-bar"
          className="sticky top-0 z-10 -mx-2 flex flex-wrap items-center gap-2 border-b border-line bg-canvas px-2 py-2"
        >
          <p
            className="min-w-28 flex-1 text-meta max-md:w-full max-md:flex-none"
            aria-live="polite"
            data-testid="batch-count"
          >
            {chosen.length === 0
              ? 'None selected'
              : `${chosen.length} selected${chosen.length === MOST_BATCH ? ', the most at once' : ''}`}
          </p>
          <Button
            small
            tone="quiet"
            className="max-md:h-10"
            data-testid="batch-all"
            disabled={waits.length === 0}
            onClick={() =>
              setMarked(
                chosen.length > 0
                  ? new Map()
                  : new Map(waits.slice(0, MOST_BATCH).map((item) => [item.id, item])),
              )
            }
          >
            {chosen.length > 0
              ? 'Select none'
              : waits.length === 0
                ? 'Nothing left to select'
                : `Select the ${Math.min(waits.length, MOST_BATCH)} shown`}
          </Button>
          <Button
            small
            className="max-md:h-10"
            disabled={chosen.length === 0 || scripts > 0}
            title={scripts > 0 ? 'A script is approved on its own page, where its power stands' : undefined}
            data-testid="batch-approve"
            onClick={() => setOrder({ decision: 'approve', items: chosen })}
          >
            Approve…
          </Button>
          <Button
            small
            tone="danger-plain"
            className="max-md:h-10"
            disabled={chosen.length === 0}
            data-testid="batch-deny"
            onClick={() => setOrder({ decision: 'deny', items: chosen })}
          >
            Deny…
          </Button>
          <p className="min-h-4 w-full text-mini text-faint max-md:min-h-8" data-testid="batch-note">
            {scripts > 0 ? (
              'A script is approved on its own page, where its text and its power stand.'
            ) : lost ? (
              'This list may be behind: OpenPact does not answer.'
            ) : (
              <span className="max-md:hidden">
                Keys: j and k move, x selects, Enter goes to the buttons, Esc goes back.
              </span>
            )}
          </p>
        </div>
      )}
      <div ref={rows} className="flex flex-col gap-3">
        {items.map((item) => (
          <div
            key={item.id}
            id={`approval-${item.id}`}
            data-row
            data-testid="inbox-row"
            data-approval={item.id}
            data-marked={(marked.has(item.id) && item.status === 'pending') || undefined}
            tabIndex={-1}
            className="scroll-mt-24 rounded-lg data-marked:outline-2 data-marked:outline-offset-1 data-marked:outline-link"
          >
            {item.kind === 'script' ? (
              <ScriptRequestCard
                request={item}
                agentName={agentName}
                lead={<Mark item={item} marked={marked.has(item.id)} onToggle={() => toggle(item)} />}
              />
            ) : (
              <ApprovalCard
                approval={item}
                agentName={agentName}
                showConversation
                lead={<Mark item={item} marked={marked.has(item.id)} onToggle={() => toggle(item)} />}
              />
            )}
          </div>
        ))}
      </div>
      {list.hasNextPage && (
        <div className="flex items-center gap-3">
          <Button
            busy={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
            data-testid="load-more"
          >
            Show more that wait
          </Button>
          <p className="text-meta text-muted tabular-nums">
            {items.length} shown{counts && ` of ${counts.tools + counts.scripts}`}
          </p>
        </div>
      )}
      {unshown > 0 && !list.hasNextPage && (
        <Notice
          tone="ask"
          action={
            <Button small onClick={() => void begin()} data-testid="show-unshown">
              Begin anew
            </Button>
          }
        >
          {unshown} more wait that are not shown here.
        </Notice>
      )}
      {list.isFetchNextPageError && (
        <Problem
          error={list.error}
          what="More could not be loaded."
          onRetry={() => void list.fetchNextPage()}
        />
      )}
      <BatchDialog order={order} onClose={() => setOrder(null)} onDone={() => setMarked(new Map())} />
    </section>
  );
}

function Mark({
  item,
  marked,
  onToggle,
}: {
  readonly item: InboxItem;
  readonly marked: boolean;
  readonly onToggle: () => void;
}) {
  const what = item.kind === 'script' ? `the script ${item.name}` : item.summary;
  return (
    <span className="-my-2 -ml-3 flex size-9 shrink-0 items-center justify-center max-md:size-11">
      <input
        type="checkbox"
        aria-label={`Select ${what}`}
        checked={marked && item.status === 'pending'}
        disabled={item.status !== 'pending'}
        onChange={onToggle}
        className="size-4 accent-accent"
        data-testid="inbox-mark"
      />
    </span>
  );
}

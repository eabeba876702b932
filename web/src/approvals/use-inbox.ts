import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { call } from '../api/client.ts';
import { LIVE, queryClient, waiting } from '../api/queries.ts';
import type { InboxItem, InboxList, WaitingAnswer } from '../api/types.ts';
import { keepEnded, rowsOf, settled, type Pages } from './inbox-pages.ts';

/** Requests that one answer holds. */
const PAGE = 50;
/** Requests in one go while words find nothing. */
const STEPS = 12;
/** Cards that the queue puts there by itself; beyond them the reader asks for more. */
const MOST_BY_ITSELF = 200;
/** Ids that one question names. */
const MOST_IDS = 100;
/** The server names so many of each kind. */
const MOST_NAMED = 2_000;

function ask(
  filter: string,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<InboxList> {
  return call<InboxList>('GET', `/api/approvals?${filter}&${new URLSearchParams(more).toString()}`, {
    signal,
  });
}

/** Goes on for a while where words find nothing: each answer looks through a bounded number of old ones. */
async function page(filter: string, cursor: string | null, signal: AbortSignal): Promise<InboxList> {
  let list = await ask(filter, { limit: `${PAGE}`, ...(cursor === null ? {} : { cursor }) }, signal);
  for (let step = 1; step < STEPS && list.approvals.length === 0 && list.next !== null; step += 1)
    list = await ask(filter, { limit: `${PAGE}`, cursor: list.next }, signal);
  return list;
}

/** One part of the inbox through a filter (a query string), page by page. Nothing of it changes by itself. */
function usePages(filter: string) {
  return useInfiniteQuery({
    queryKey: ['inbox', filter],
    queryFn: ({ pageParam, signal }) => page(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: (old, now) => keepEnded(old as Pages | undefined, now as Pages),
    // Each visit begins anew.
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

/**
 * The queue. A card that is there keeps its place and its text for as long as the reader stays: what is decided elsewhere
 * is marked where it stands, what arrives is put behind the last one, and neither moves anything that a finger may be on.
 */
export function useQueue(filter: string) {
  const list = usePages(filter);
  const tick = useQuery(waiting);
  /** Asked for already, and not shown by this filter. */
  const passed = useRef(new Set<string>());
  const [unshown, setUnshown] = useState(0);
  const [lost, setLost] = useState(false);
  const items = rowsOf(list.data);
  const { hasNextPage } = list;
  const now = tick.data;
  const told = tick.dataUpdatedAt;
  const ready = list.data !== undefined;

  useEffect(() => {
    if (now === undefined) return;
    const ending = new AbortController();
    const key = ['inbox', filter];
    const held = queryClient.getQueryData<Pages>(key);
    if (held === undefined) return;
    void follow(key, held, now, ending.signal).then(
      () => setLost(false),
      () => {
        if (!ending.signal.aborted) setLost(true);
      },
    );
    return () => ending.abort();

    async function follow(at: readonly string[], pages: Pages, answer: WaitingAnswer, signal: AbortSignal) {
      const waits = new Set([...answer.tools, ...answer.scripts]);
      const shown = rowsOf(pages);
      const all = answer.tools.length < MOST_NAMED && answer.scripts.length < MOST_NAMED;
      const gone = all ? shown.filter(({ id, status }) => status === 'pending' && !waits.has(id)) : [];
      if (gone.length > 0) {
        const ids = gone.slice(0, MOST_IDS).map(({ id }) => id);
        const { approvals } = await ask('kind=all', { ids: ids.join(','), limit: `${MOST_IDS}` }, signal);
        const found = new Map(approvals.map((item) => [item.id, item]));
        queryClient.setQueryData<Pages>(at, (old) =>
          old === undefined
            ? old
            : settled(old, (item) =>
                ids.includes(item.id) ? (found.get(item.id) ?? withdrawn(item)) : item,
              ),
        );
      }
      const known = new Set(shown.map(({ id }) => id));
      const fresh = [...waits].filter((id) => !known.has(id) && !passed.current.has(id));
      // While the end of the queue is not loaded, they are behind it.
      if (fresh.length === 0 || hasNextPage) return;
      if (shown.length >= MOST_BY_ITSELF) {
        setUnshown(fresh.length);
        return;
      }
      const cursor = pages.pages.findLast(({ last }) => last !== null)?.last ?? null;
      const arrived = await page(filter, cursor, signal);
      for (const id of fresh) passed.current.add(id);
      if (arrived.approvals.length === 0) return;
      queryClient.setQueryData<Pages>(at, (old) =>
        old === undefined ? old : { pages: [...old.pages, arrived], pageParams: [...old.pageParams, cursor] },
      );
    }
    // Each answer counts, also one that says the same: what went wrong is tried again.
  }, [now, told, ready, filter, hasNextPage]);

  return {
    list,
    items,
    counts: now?.waiting ?? list.data?.pages[0]?.waiting,
    unshown,
    lost: lost || tick.isError,
    async begin() {
      passed.current.clear();
      setUnshown(0);
      await queryClient.resetQueries({ queryKey: ['inbox', filter] });
    },
  };
}

/** What is there no more at all went with its conversation. */
function withdrawn(item: InboxItem): InboxItem {
  return { ...item, status: 'cancelled', decided_at: null, decided_by: null };
}

/** What became of old ones, newest first. `newer`: something ended since the list was loaded. */
export function useDecided(filter: string) {
  const list = usePages(filter);
  const tick = useQuery(waiting);
  const last = tick.data?.last_ended ?? null;
  const [begun, setBegun] = useState<{ readonly filter: string; readonly last: string | null } | null>(null);
  const ready = list.data !== undefined && tick.data !== undefined;
  if (ready && begun?.filter !== filter) setBegun({ filter, last });
  return {
    list,
    items: rowsOf(list.data),
    counts: tick.data?.waiting,
    newer: begun?.filter === filter && begun.last !== last,
    async reload() {
      setBegun(null);
      await queryClient.resetQueries({ queryKey: ['inbox', filter] });
    },
  };
}

/** The one that the address names. */
export function useLinked(id: string | undefined) {
  return useQuery({
    queryKey: ['inbox-one', id ?? ''],
    queryFn: async ({ signal }) =>
      (await ask('kind=all', { ids: id ?? '', limit: '1' }, signal)).approvals[0] ?? null,
    enabled: id !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    // It may lie beyond the pages that are loaded, which are all that is followed.
    refetchInterval: (query) => (query.state.data?.status === 'pending' ? LIVE : false),
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

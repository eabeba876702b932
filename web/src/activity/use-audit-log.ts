import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { call } from '../api/client.ts';
import type { AuditList } from '../api/types.ts';

/** Entries that one request asks for. */
const PAGE = 100;
/** Requests in one go while a filter finds nothing. */
const STEPS = 8;
/** Between two looks for new entries. */
const LIVE = 2_000;
/** New entries beyond this many are not put on top one by one: the list begins anew. */
const BURST = 200;
/** Entries that a list which follows the log holds. */
const HELD = 600;

type Pages = InfiniteData<AuditList, number | null>;

async function ask(filter: string, extra: string, signal: AbortSignal): Promise<AuditList> {
  return call<AuditList>('GET', `/api/audit?${filter === '' ? '' : `${filter}&`}${extra}`, { signal });
}

/** Goes on for a while where a filter finds nothing: each answer looks through a bounded part of the log. */
async function older(filter: string, before: number | null, signal: AbortSignal): Promise<AuditList> {
  const page = (start: number | null) =>
    ask(filter, `limit=${PAGE}${start === null ? '' : `&before=${start}`}`, signal);
  let list = await page(before);
  for (let step = 1; step < STEPS && list.entries.length === 0 && !list.end; step += 1) {
    list = { ...(await page(list.edge)), newest: list.newest };
  }
  return list;
}

export interface Tail {
  /** Look for new entries at all. */
  readonly live: boolean;
  /** Put them on top as they come; else they are only counted. */
  readonly follow: boolean;
}

/** The log through a filter (a query string), newest first, beginning before the entry `start`; null: at its end. */
export function useAuditLog(filter: string, start: number | null, tail: Tail) {
  const client = useQueryClient();
  const log = useInfiniteQuery({
    queryKey: ['audit', filter, start],
    queryFn: ({ pageParam, signal }) => older(filter, pageParam, signal),
    initialPageParam: start,
    getNextPageParam: (last) => (last.end ? undefined : last.edge),
    staleTime: Number.POSITIVE_INFINITY,
    // Each visit begins at the end of the log.
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const [news, setNews] = useState<{ readonly count: number; readonly more: boolean } | null>(null);
  const [lost, setLost] = useState(false);
  const follow = useRef(tail.follow);
  const lookNow = useRef<(() => void) | null>(null);
  useEffect(() => {
    follow.current = tail.follow;
    if (tail.follow) lookNow.current?.();
  }, [tail.follow]);

  const ready = log.data !== undefined;
  const live = tail.live && start === null && ready;
  useEffect(() => {
    if (!live) return;
    const key = ['audit', filter, start] as const;
    const ending = new AbortController();
    const { signal } = ending;
    let timer: number | undefined;
    let running = false;
    /** Up to here the list knows the log. */
    let known = client.getQueryData<Pages>(key)?.pages[0]?.newest ?? 0;

    async function look(): Promise<void> {
      if (running) return;
      running = true;
      window.clearTimeout(timer);
      try {
        if (!document.hidden) await take();
        setLost(false);
      } catch {
        // The next look mends it; until then the page says that it may be behind.
        if (!signal.aborted) setLost(true);
      }
      running = false;
      if (!signal.aborted) timer = window.setTimeout(() => void look(), LIVE);
    }
    async function take(): Promise<void> {
      const answer = await ask(filter, `after=${known}&limit=${BURST}`, signal);
      if (!follow.current) {
        setNews(answer.entries.length === 0 ? null : { count: answer.entries.length, more: !answer.end });
        return;
      }
      setNews(null);
      if (!answer.end && answer.entries.length > 0) {
        // More than a reader could follow: the newest take the place of everything.
        const fresh = await older(filter, null, signal);
        client.setQueryData<Pages>(key, { pages: [fresh], pageParams: [null] });
        known = fresh.newest;
        return;
      }
      known = answer.edge;
      if (answer.entries.length === 0) return;
      client.setQueryData<Pages>(key, (old) => (old ? withNews(old, answer) : old));
    }
    lookNow.current = () => void look();
    timer = window.setTimeout(() => void look(), LIVE);
    return () => {
      ending.abort();
      window.clearTimeout(timer);
      lookNow.current = null;
      setNews(null);
      setLost(false);
    };
  }, [live, filter, start, client]);

  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  return { log, entries, last: log.data?.pages.at(-1) ?? null, news, lost };
}

/** New entries on top; what no longer fits can be shown again by asking for earlier ones. */
function withNews(old: Pages, { entries, newest }: AuditList): Pages {
  const [first, ...rest] = old.pages;
  if (!first) return old;
  const top = { ...first, newest, entries: [...entries].reverse().concat(first.entries) };
  const count = top.entries.length + rest.reduce((sum, page) => sum + page.entries.length, 0);
  if (count <= HELD) return { ...old, pages: [top, ...rest] };
  const kept = top.entries.concat(...rest.map((page) => page.entries)).slice(0, HELD / 2);
  const edge = kept.at(-1)?.seq ?? top.edge;
  return {
    pages: [{ ...top, entries: kept, edge, edge_at: kept.at(-1)?.at ?? null, end: false }],
    pageParams: [null],
  };
}

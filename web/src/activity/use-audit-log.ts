import { useQueryClient, useInfiniteQuery, useQuery, type InfiniteData } from '@tanstack/react-query';
import { useEffect } from 'react';
import { call } from '../api/client.ts';
import type { AuditEntryView, AuditList } from '../api/types.ts';

/** Entries a request asks for, and seqs that one step backwards looks through. */
const PAGE = 100;
/** Steps backwards in one go while a filter finds nothing. */
const STEPS = 20;
const LIVE = 3_000;

interface Batch {
  /** Newest first. */
  readonly entries: readonly AuditEntryView[];
  /** Where the next batch ends (exclusive); null when the beginning of the log was reached. */
  readonly before: number | null;
}

function path(event: string | undefined, after: number | null): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (event) query.set('event', event);
  if (after !== null) query.set('after', String(after));
  return `/api/audit?${query}`;
}

/**
 * The log, newest first. The server gives either its newest entries or those after a seq, oldest first; going back is
 * therefore done in windows of seqs, of which each holds at most as many entries as a request may ask for.
 */
async function batch(event: string | undefined, before: number | null, signal: AbortSignal): Promise<Batch> {
  if (before === null) {
    const { entries } = await call<AuditList>('GET', path(event, null), { signal });
    const sorted = [...entries].sort((a, b) => b.seq - a.seq);
    const oldest = sorted.at(-1)?.seq ?? 1;
    return { entries: sorted, before: entries.length < PAGE || oldest <= 1 ? null : oldest };
  }
  let end = before;
  for (let step = 0; step < STEPS && end > 1; step += 1) {
    const after = Math.max(0, end - 1 - PAGE);
    const { entries } = await call<AuditList>('GET', path(event, after), { signal });
    const limit = end;
    const found = entries.filter((entry) => entry.seq < limit).sort((a, b) => b.seq - a.seq);
    end = after + 1;
    if (found.length > 0) return { entries: found, before: end <= 1 ? null : end };
  }
  return { entries: [], before: end <= 1 ? null : end };
}

export function useAuditLog(event: string | undefined) {
  const client = useQueryClient();
  const key = ['audit', event ?? ''] as const;
  const log = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => batch(event, pageParam, signal),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.before ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  const newest = log.data ? (entries[0]?.seq ?? 0) : null;

  // Live: what came after the newest is put on top; what is there stays as it is.
  const fresh = useQuery({
    queryKey: ['audit-after', event ?? '', newest],
    queryFn: ({ signal }) => call<AuditList>('GET', path(event, newest), { signal }),
    enabled: newest !== null,
    refetchInterval: LIVE,
    gcTime: 0,
  });
  const added = fresh.data?.entries;
  useEffect(() => {
    if (!added || added.length === 0) return;
    client.setQueryData<InfiniteData<Batch, number | null>>(['audit', event ?? ''], (old) => {
      const first = old?.pages[0];
      if (!old || !first) return old;
      const top = old.pages.flatMap((page) => page.entries)[0]?.seq ?? 0;
      const news = added.filter((entry) => entry.seq > top).sort((a, b) => b.seq - a.seq);
      if (news.length === 0) return old;
      return {
        ...old,
        pages: [{ ...first, entries: [...news, ...first.entries] }, ...old.pages.slice(1)],
      };
    });
  }, [added, client, event]);

  return { log, entries, lost: fresh.isError };
}

import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/client.ts';
import { CONVERSATIONS } from '../api/queries.ts';
import type { Conversation } from '../api/types.ts';

interface Place {
  readonly updated: string;
  readonly id: string;
}

/** Conversations beyond the newest ones, a page at a time, when they are asked for. */
export function useOlderConversations(newest: readonly Conversation[]) {
  // Where the newest ended when the first older page was asked for: what moves up since then is in both.
  const [place, setPlace] = useState<Place | null>(null);
  const older = useInfiniteQuery({
    queryKey: ['conversations-older', place],
    queryFn: ({ pageParam, signal }) =>
      pageParam === null
        ? Promise.resolve([])
        : call<readonly Conversation[]>(
            'GET',
            `/api/sessions?${new URLSearchParams({ limit: String(CONVERSATIONS), before: pageParam.updated, before_id: pageParam.id })}`,
            { signal },
          ),
    initialPageParam: place,
    getNextPageParam: (page: readonly Conversation[]) =>
      page.length < CONVERSATIONS ? undefined : placeOf(page),
    enabled: place !== null,
    refetchOnWindowFocus: false,
  });
  const known = new Set(newest.map(({ id }) => id));
  return {
    list: (older.data?.pages.flat() ?? []).filter(({ id }) => !known.has(id)),
    /** There may be more than is loaded. */
    more: place === null ? newest.length >= CONVERSATIONS : older.hasNextPage,
    busy: older.isFetching,
    error: older.error,
    load() {
      if (place === null) setPlace(placeOf(newest) ?? null);
      else void older.fetchNextPage();
    },
  };
}

function placeOf(list: readonly Conversation[]): Place | undefined {
  const last = list.at(-1);
  return last && { updated: last.time.updated, id: last.id };
}

import type { InboxItem, InboxList } from '../api/types.ts';

/** As the library of queries keeps them: each page, and with which cursor it was asked for. */
export interface Pages {
  pages: InboxList[];
  pageParams: unknown[];
}

/** Rows are told once, whatever two answers both had. */
export function rowsOf(pages: Pages | undefined): readonly InboxItem[] {
  const seen = new Set<string>();
  return (pages?.pages ?? []).flatMap((each) =>
    each.approvals.filter(({ id }) => !seen.has(id) && Boolean(seen.add(id))),
  );
}

export function settled(pages: Pages, change: (item: InboxItem) => InboxItem): Pages {
  return {
    ...pages,
    pages: pages.pages.map((each) => ({ ...each, approvals: each.approvals.map(change) })),
  };
}

/** A page that was asked for before a decision can come after it: what has ended waits no more. */
export function keepEnded(old: Pages | undefined, now: Pages): Pages {
  const ended = new Map(
    rowsOf(old).flatMap((item) => (item.status === 'pending' ? [] : [[item.id, item] as const])),
  );
  return ended.size === 0
    ? now
    : settled(now, (item) => (item.status === 'pending' ? (ended.get(item.id) ?? item) : item));
}

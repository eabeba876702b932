import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { systemStatus, waiting } from '../api/queries.ts';
import { Page } from '../ui/page.tsx';
import { DecidedList } from './decided-list.tsx';
import { InboxFilters } from './inbox-filters.tsx';
import { inboxFilter, type InboxSearch } from './inbox-search.ts';
import { useLinked } from './use-inbox.ts';
import { WaitingList } from './waiting-list.tsx';

const route = getRouteApi('/app/approvals');

/** Everything that waits for the owner, calls and scripts, and what became of the old ones. */
export function ApprovalsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const name = useQuery(systemStatus).data?.agent_name || 'The assistant';
  const counts = useQuery(waiting).data?.waiting;
  // Only the one that the address named on arrival: what is opened by hand is where the reader looks.
  const [arrival] = useState(search);
  const linked = useLinked(arrival.id).data ?? null;

  const change = useCallback(
    (next: { readonly [Name in keyof InboxSearch]?: InboxSearch[Name] | undefined }) => {
      void navigate({
        search: (old) =>
          Object.fromEntries(
            Object.entries({ ...old, ...next }).filter(([, value]) => value !== undefined),
          ) as InboxSearch,
        replace: true,
      });
    },
    [navigate],
  );
  const { id, show, kind, state, q, tool, script, conversation } = search;
  const escape = useCallback(() => {
    // First what is open, then the filters.
    void navigate({
      search: (old) => {
        const { id: open, ...rest } = old;
        return open ? rest : old.show ? { show: old.show } : {};
      },
      replace: true,
    });
  }, [navigate]);
  const filter = inboxFilter(search);
  const filtered = [kind, state, q, tool, script, conversation].some((each) => each !== undefined);
  const here = show === arrival.show ? linked : null;

  return (
    <Page
      title="Approvals"
      lead="What the assistant may only do with your word: its calls that ask first, and the scripts that it wrote."
    >
      <InboxFilters search={search} counts={counts} onChange={change} />
      {show === 'decided' ? (
        <DecidedList
          filter={filter}
          filtered={filtered}
          linked={here}
          openId={id}
          onOpen={(open) => change({ id: open })}
          onEscape={escape}
        />
      ) : (
        <WaitingList
          key={filter}
          filter={filter}
          filtered={filtered}
          linked={here}
          agentName={name}
          onEscape={escape}
        />
      )}
    </Page>
  );
}

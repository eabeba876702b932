import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ShieldCheck, ShieldQuestion } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { approvals, systemStatus } from '../api/queries.ts';
import { cx } from '../ui/class-names.ts';
import { useListKeys } from '../ui/list-keys.ts';
import { Problem } from '../ui/notice.tsx';
import { Empty, Page, SkeletonRows } from '../ui/page.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { DecidedRow } from './decided-row.tsx';

const route = getRouteApi('/app/approvals');

/** The inbox: what waits comes first, what was decided below it, with who and when. */
export function ApprovalsPage() {
  const { show, id } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch, isFetching } = useQuery(approvals('all'));
  const waitingQuery = useQuery(approvals('pending'));
  const name = useQuery(systemStatus).data?.agent_name || 'The assistant';
  const list = useRef<HTMLDivElement>(null);
  const close = useCallback(() => {
    void navigate({ search: (old) => (old.show ? { show: old.show } : {}), replace: true });
  }, [navigate]);
  useListKeys(list, close);

  const pending = (waitingQuery.data?.approvals ?? [])
    .filter((each) => each.status === 'pending')
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
  const decided = (data?.approvals ?? [])
    .filter((each) => each.status !== 'pending')
    .sort((a, b) => (b.decided_at ?? b.created_at).localeCompare(a.decided_at ?? a.created_at));
  const onlyDecided = show === 'decided';

  // Only for a request that the address named on arrival: one that is opened by hand is where the reader looks.
  const [linked] = useState(id);
  const loaded = data !== undefined && waitingQuery.data !== undefined;
  useEffect(() => {
    if (loaded && linked) document.getElementById(`approval-${linked}`)?.scrollIntoView({ block: 'center' });
  }, [loaded, linked]);

  return (
    <Page
      title="Approvals"
      lead="What the assistant may only do with your word. Nothing here runs by itself."
    >
      <div role="group" aria-label="Filter" className="flex gap-1">
        <FilterLink active={!onlyDecided} search={{}}>
          Waiting and decided
        </FilterLink>
        <FilterLink active={onlyDecided} search={{ show: 'decided' }}>
          Decided only
        </FilterLink>
      </div>
      {error && !data ? (
        <Problem
          error={error}
          what="The requests could not be loaded."
          busy={isFetching}
          onRetry={() => {
            void refetch();
            void waitingQuery.refetch();
          }}
        />
      ) : !data || !waitingQuery.data ? (
        <SkeletonRows count={4} className="h-12" />
      ) : (
        <div ref={list} className="flex flex-col gap-8">
          {!onlyDecided && (
            <section aria-label="Waiting" className="flex flex-col gap-3">
              {pending.length === 0 ? (
                <div className="rounded-lg border border-line">
                  <Empty icon={<ShieldCheck aria-hidden size={20} />} title="Nothing waits for you">
                    When the assistant wants to do something that asks first, such as writing a file, the
                    request appears here and in its conversation.
                  </Empty>
                </div>
              ) : (
                pending.map((each) => (
                  <div key={each.id} id={`approval-${each.id}`} data-row tabIndex={-1} className="rounded-lg">
                    <ApprovalCard approval={each} agentName={name} showConversation />
                  </div>
                ))
              )}
            </section>
          )}
          <section aria-labelledby="decided-title" className="flex flex-col gap-2">
            <h2 id="decided-title" className="text-meta font-medium text-muted">
              Decided
            </h2>
            {decided.length === 0 ? (
              <Empty icon={<ShieldQuestion aria-hidden size={20} />} title="No decisions yet">
                Each decision stays here with who made it, when, and what became of the call.
              </Empty>
            ) : (
              <ul className="flex flex-col divide-y divide-line border-y border-line">
                {decided.map((each) => (
                  <li key={each.id} id={`approval-${each.id}`}>
                    <DecidedRow
                      approval={each}
                      open={id === each.id}
                      onToggle={() => {
                        void navigate({
                          search: (old) => ({
                            ...(old.show ? { show: old.show } : {}),
                            ...(id === each.id ? {} : { id: each.id }),
                          }),
                          replace: true,
                        });
                      }}
                    />
                  </li>
                ))}
              </ul>
            )}
          </section>
        </div>
      )}
    </Page>
  );
}

function FilterLink({
  active,
  search,
  children,
}: {
  readonly active: boolean;
  readonly search: { readonly show?: 'decided' };
  readonly children: React.ReactNode;
}) {
  return (
    <Link
      to="/approvals"
      search={search}
      replace
      aria-current={active ? 'true' : undefined}
      className={cx(
        'inline-flex h-8 items-center rounded-md px-3 text-meta max-md:h-10',
        active ? 'bg-selected font-medium' : 'text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {children}
    </Link>
  );
}

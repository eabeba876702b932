import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { FileCode, Plus } from 'lucide-react';
import { useCallback, useRef, useState } from 'react';
import type { ScriptSummary } from '../api/types.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Behind, Problem } from '../ui/notice.tsx';
import { Empty, Page, SkeletonRows } from '../ui/page.tsx';
import { Time } from '../ui/time.tsx';
import { WordsField } from '../ui/words-field.tsx';
import { NewScript } from './new-script.tsx';
import { RunOutcome } from './run-outcome.tsx';
import { scriptList } from './script-queries.ts';
import { StateMark } from './script-state.tsx';

const route = getRouteApi('/app/scripts');

/** Every script: whether it may run, what it could do, when it ran last. What waits for the owner comes first. */
export function ScriptsPage() {
  const { q = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch, isFetching, dataUpdatedAt } = useQuery(scriptList);
  const list = useRef<HTMLUListElement>(null);
  const [making, setMaking] = useState(false);
  const clear = useCallback(() => void navigate({ search: {}, replace: true }), [navigate]);
  const look = useCallback(
    (text: string) => void navigate({ search: text === '' ? {} : { q: text }, replace: true }),
    [navigate],
  );
  useListKeys(list, clear);
  const found = (data?.scripts ?? [])
    .filter(({ name, description }) => `${name} ${description}`.toLowerCase().includes(q.toLowerCase()))
    .toSorted(
      (a, b) =>
        Number(b.status === 'pending') - Number(a.status === 'pending') || a.name.localeCompare(b.name),
    );
  return (
    <Page
      title="Scripts"
      lead="Small programs that the assistant writes and you approve. Only the exact text that you approved runs, with the power that you saw."
      actions={
        <Button
          icon={<Plus aria-hidden size={16} />}
          onClick={() => setMaking(true)}
          data-testid="script-new"
        >
          New script
        </Button>
      }
    >
      <NewScript open={making} onClose={() => setMaking(false)} />
      {data && <Behind error={error} since={dataUpdatedAt} what="The list" />}
      {data && data.scripts.length > 0 && (
        <WordsField
          label="Search in names and descriptions"
          value={q}
          onChange={look}
          testId="scripts-search"
        />
      )}
      {error && !data ? (
        <Problem
          error={error}
          what="The scripts could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={4} className="h-20" />
      ) : data.scripts.length === 0 ? (
        <div className="rounded-lg border border-line" data-testid="scripts-empty">
          <Empty
            icon={<FileCode aria-hidden size={20} />}
            title="No script yet"
            action={
              <Link to="/chat" className={buttonClass('plain')}>
                Ask for one in the chat
              </Link>
            }
          >
            When a task comes again and again, ask the assistant to write a script for it, or begin one
            yourself with New script. It appears here and does not run before you approve it.
          </Empty>
        </div>
      ) : found.length === 0 ? (
        <p className="text-meta text-muted">No script has these words in its name or description.</p>
      ) : (
        <ul ref={list} className="flex flex-col divide-y divide-line rounded-lg border border-line">
          {found.map((each) => (
            <li key={each.name}>
              <Row script={each} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}

function Row({ script }: { readonly script: ScriptSummary }) {
  const { name, description, power, last_run: last } = script;
  return (
    <Link
      to="/scripts/$name"
      params={{ name }}
      data-row
      data-testid="script-row"
      data-script={name}
      className="flex flex-col gap-1 px-4 py-3 hover:bg-hover"
    >
      <span className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <span className="min-w-0 font-mono text-meta font-medium wrap-anywhere">{name}</span>
        <StateMark script={script} />
      </span>
      <span className="line-clamp-2 text-body wrap-anywhere">
        {description === '' ? (
          <span className="text-faint">It does not say what it does.</span>
        ) : (
          <ExactText text={description} />
        )}
      </span>
      <span className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 text-meta text-muted">
        <span className="min-w-0 wrap-anywhere">{power}</span>
        <span className="flex items-center gap-2 text-mini">
          {last ? (
            <>
              {last.kind === 'test' ? 'live test' : 'last run'}
              <RunOutcome outcome={last.outcome} />
              <Time iso={last.started_at} />
            </>
          ) : (
            'never ran'
          )}
        </span>
      </span>
    </Link>
  );
}

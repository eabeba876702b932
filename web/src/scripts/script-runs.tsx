import { useInfiniteQuery } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import { useListKeys } from '../ui/list-keys.ts';
import { Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { RunChart } from './run-chart.tsx';
import { RunRow } from './run-row.tsx';
import { scriptRuns, type RunOutcome } from './script-queries.ts';

const OUTCOMES: readonly (readonly [RunOutcome | null, string])[] = [
  [null, 'All runs'],
  ['ok', 'Done'],
  ['error', 'Failed'],
  ['killed', 'Stopped'],
  ['running', 'Running'],
  ['unknown', 'End unknown'],
];

/** The runs: how they went over time, and each with who, how it ended, what it asked for outside. */
export function ScriptRuns({ name }: { readonly name: string }) {
  const id = useId();
  const [outcome, setOutcome] = useState<RunOutcome | null>(null);
  const query = useInfiniteQuery(scriptRuns(name, outcome));
  const { data, error, refetch, isFetching, fetchNextPage, hasNextPage, isFetchingNextPage } = query;
  // Those of the choice before, until those of this one are there: they say nothing about it.
  const { isPlaceholderData: before } = query;
  const runs = data?.pages.flatMap((page) => page.runs) ?? [];
  const list = useRef<HTMLOListElement>(null);
  useListKeys(list);
  const never = outcome === null && runs.length === 0 && !before;
  return (
    <section className="flex flex-col gap-3" aria-labelledby="script-runs">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 id="script-runs" className="font-semibold">
          Runs and live tests
        </h2>
        {data && !never && (
          <div>
            <label htmlFor={id} className="sr-only">
              Which runs
            </label>
            <select
              id={id}
              value={outcome ?? ''}
              onChange={({ target }) => setOutcome(target.value === '' ? null : (target.value as RunOutcome))}
              className={cx(INPUT_CLASS, 'h-8 w-auto')}
              data-testid="script-run-outcome"
            >
              {OUTCOMES.map(([value, words]) => (
                <option key={words} value={value ?? ''}>
                  {words}
                </option>
              ))}
            </select>
          </div>
        )}
      </div>
      {error && !data ? (
        <Problem
          error={error}
          what="The runs could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={2} className="h-10" />
      ) : never ? (
        <p className="text-meta text-muted">
          It never ran. Each run will stand here with what it asked for. Tests without power are not runs.
        </p>
      ) : (
        <>
          <RunChart name={name} />
          {before ? (
            <SkeletonRows count={2} className="h-10" />
          ) : runs.length === 0 ? (
            <p className="text-meta text-muted">No run that is kept ended so.</p>
          ) : (
            <ol ref={list} className="flex flex-col divide-y divide-line rounded-lg border border-line">
              {runs.map((run) => (
                <RunRow key={run.id} run={run} />
              ))}
            </ol>
          )}
          {hasNextPage && !before && (
            <div>
              <Button
                busy={isFetchingNextPage}
                onClick={() => void fetchNextPage()}
                data-testid="script-runs-older"
              >
                Load older runs
              </Button>
            </div>
          )}
        </>
      )}
    </section>
  );
}

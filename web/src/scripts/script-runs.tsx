import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { ScriptRunView } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { Problem } from '../ui/notice.tsx';
import { SkeletonRows } from '../ui/page.tsx';
import { duration, Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { RunOutcome } from './run-outcome.tsx';
import { scriptRuns } from './script-queries.ts';

/** The last runs: when, who, how it ended, what it asked for outside. */
export function ScriptRuns({ name }: { readonly name: string }) {
  const { data, error, refetch, isFetching } = useQuery(scriptRuns(name));
  return (
    <section className="flex flex-col gap-2" aria-labelledby="script-runs">
      <h2 id="script-runs" className="font-semibold">
        Runs
      </h2>
      {error && !data ? (
        <Problem
          error={error}
          what="The runs could not be loaded."
          busy={isFetching}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <SkeletonRows count={2} className="h-10" />
      ) : data.runs.length === 0 ? (
        <p className="text-meta text-muted">
          It never ran. Each run will stand here with what it asked for. Tests without power are not runs.
        </p>
      ) : (
        <ol className="flex flex-col divide-y divide-line rounded-lg border border-line">
          {data.runs.map((run) => (
            <Run key={run.id} run={run} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Run({ run }: { readonly run: ScriptRunView }) {
  const [open, setOpen] = useState(false);
  const count = run.requests.length;
  return (
    <li data-testid="script-run" data-outcome={run.outcome}>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-10 w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-lg px-3 py-2 text-left text-meta tabular-nums hover:bg-hover"
      >
        <ChevronRight aria-hidden size={16} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <RunOutcome outcome={run.outcome} />
        <span className="min-w-0 flex-1 truncate">
          {run.kind === 'test' ? 'Test by ' : 'By '}
          {who(run.caller)}
        </span>
        <span className="text-muted">{count === 1 ? '1 request' : `${count} requests`}</span>
        <span className="text-muted">{run.duration_ms === null ? '' : duration(run.duration_ms)}</span>
        <Time iso={run.started_at} className="text-mini text-muted" />
      </button>
      {open && (
        <div className="flex flex-col gap-2 px-3 pb-3 text-meta">
          {run.message && (
            <p className="wrap-anywhere text-stop">
              {run.code}: <ExactText text={run.message} />
            </p>
          )}
          <p className="text-muted wrap-anywhere">
            {run.function ? `Called ${run.function}. ` : 'Ran the whole text. '}
            {run.secrets.length === 0 ? 'Used no secret.' : `Used ${run.secrets.join(', ')}.`}
            {Object.keys(run.redactions).length > 0 &&
              ` Hidden in what it gave back: ${Object.entries(run.redactions)
                .map(([secret, times]) => `${secret} ×${times}`)
                .join(', ')}.`}
          </p>
          {count > 0 && (
            <ul className="flex flex-col gap-1 font-mono text-mini">
              {run.requests.map((request, index) => (
                <li key={index} className="wrap-anywhere">
                  {request.method} {request.host}{' '}
                  {request.refused === undefined ? (
                    <>
                      {request.status ?? 'no answer'}
                      {request.bytes === null ? '' : `, ${request.bytes} bytes`}
                      {request.secrets.length > 0 && `, with ${request.secrets.join(', ')}`}
                    </>
                  ) : (
                    <span className="text-stop">refused: {request.refused}</span>
                  )}
                </li>
              ))}
            </ul>
          )}
          <p className="truncate font-mono text-mini text-faint" title={run.hash}>
            {run.id}, version {run.hash.slice(0, 23)}
          </p>
        </div>
      )}
    </li>
  );
}

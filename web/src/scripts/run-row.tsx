import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { ScriptRunView } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { duration, exact, Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { bytes, grantOf } from './narrow-grant.ts';
import { RunOutcome } from './run-outcome.tsx';

/** One line that opens into everything that is known of a run. */
export function RunRow({ run }: { readonly run: ScriptRunView }) {
  const [open, setOpen] = useState(false);
  const count = run.requests.length;
  return (
    <li data-testid="script-run" data-outcome={run.outcome}>
      <button
        type="button"
        data-row
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-10 w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-lg px-3 py-2 text-left text-meta tabular-nums hover:bg-hover"
      >
        <ChevronRight aria-hidden size={16} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <RunOutcome outcome={run.outcome} />
        <span className={cx('min-w-0 flex-1 truncate', run.caller.startsWith('assistant:') && 'text-ai')}>
          {run.kind === 'test' ? 'Live test by ' : 'By '}
          {who(run.caller)}
        </span>
        <span className="text-muted max-sm:hidden">{count === 1 ? '1 request' : `${count} requests`}</span>
        <span className="text-muted max-sm:hidden">
          {run.duration_ms === null ? '' : duration(run.duration_ms)}
        </span>
        <Time iso={run.started_at} className="text-mini text-muted" />
      </button>
      {open && <Facts run={run} />}
    </li>
  );
}

function Facts({ run }: { readonly run: ScriptRunView }) {
  const hidden = Object.entries(run.redactions);
  return (
    <div className="flex flex-col gap-3 px-3 pt-2 pb-4 pl-10 text-meta max-md:pl-3">
      {run.message && (
        <p className="wrap-anywhere text-stop">
          <code>{run.code}</code>: <ExactText text={run.message} />
        </p>
      )}
      <dl className="grid grid-cols-[120px_1fr] gap-x-4 gap-y-1 max-sm:grid-cols-1 max-sm:gap-y-0">
        <Fact name="Started">{exact(run.started_at)}</Fact>
        <Fact name="Called by">
          {who(run.caller)}
          {run.conversation_id !== null && (
            <>
              , in{' '}
              <Link
                to="/chat/$id"
                params={{ id: run.conversation_id }}
                className="text-link underline underline-offset-2"
              >
                this conversation
              </Link>
            </>
          )}
        </Fact>
        <Fact name="Ran">{run.function === null ? 'the whole text' : <code>{run.function}</code>}</Fact>
        <Fact name="Took">
          {run.duration_ms === null ? 'not known' : duration(run.duration_ms)}
          {run.queued_ms !== null && run.queued_ms > 0 && `, after ${duration(run.queued_ms)} in the queue`}
          {run.steps !== null && `, ${run.steps.toLocaleString()} steps by its own count`}
        </Fact>
        <Fact name="Secrets used">
          {run.secrets.length === 0 ? 'none' : <code>{run.secrets.join(', ')}</code>}
        </Fact>
        <Fact name="Hidden in its result">
          {hidden.length === 0
            ? 'nothing'
            : hidden.map(([secret, times]) => `${secret} ×${times}`).join(', ')}
        </Fact>
        <Fact name="Version">
          <code title={run.hash}>{run.hash.slice(0, 23)}</code>
        </Fact>
        <Fact name="Its grant">{run.grant === null ? 'none' : grantOf(run.grant)}</Fact>
        <Fact name="Arguments">
          <code title="A keyed digest: equal for equal arguments">{run.arguments.slice(0, 16)}</code>
        </Fact>
        <Fact name="Run">
          <code>{run.id}</code>,{' '}
          <Link to="/activity" search={{ q: run.id }} className="text-link underline underline-offset-2">
            in the log
          </Link>
        </Fact>
      </dl>
      {run.requests.length > 0 && <Requests run={run} />}
    </div>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-muted max-sm:mt-1 max-sm:text-mini">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}

function Requests({ run }: { readonly run: ScriptRunView }) {
  return (
    <div
      // A wide table scrolls here, so it can be reached by keyboard too.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="region"
      aria-label="Requests of this run"
      className="overflow-x-auto"
    >
      <table className="w-full min-w-[460px] border-collapse text-mini" data-testid="script-run-requests">
        <thead>
          <tr className="border-b border-line text-left text-muted">
            {['Method', 'Host', 'Answer', 'Bytes', 'Secrets'].map((head) => (
              <th key={head} scope="col" className="py-1 pr-4 font-medium">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {run.requests.map((request, index) => (
            <tr key={index} className="border-b border-line align-top">
              <td className="py-1 pr-4 font-mono">{request.method}</td>
              <td className="py-1 pr-4 font-mono wrap-anywhere">
                <ExactText text={request.host} />
              </td>
              <td className="py-1 pr-4 whitespace-nowrap">
                {request.refused === undefined ? (
                  (request.status ?? 'none')
                ) : (
                  <span className="text-stop">refused: {request.refused}</span>
                )}
              </td>
              <td className="py-1 pr-4 whitespace-nowrap">
                {request.bytes === null ? '' : bytes(request.bytes)}
              </td>
              <td className="py-1 pr-4 font-mono wrap-anywhere">{request.secrets.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

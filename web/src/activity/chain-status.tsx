import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ShieldAlert, ShieldCheck, ShieldQuestion } from 'lucide-react';
import { call, explain } from '../api/client.ts';
import { auditChain, place } from '../api/queries.ts';
import type { AuditChain } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { duration, Time } from '../ui/time.tsx';

/** Whether the log is whole: when that was checked last, by whom, and the entry that seals it. */
export function ChainStatus() {
  const { data, error } = useQuery(auditChain);
  const check = useMutation({
    mutationFn: () => call<AuditChain>('POST', '/api/audit/verify', { body: {} }),
    onSuccess: (answer) => place(auditChain.queryKey, answer),
  });
  const { icon: Icon, tint, title, text } = words(data, error);
  const running = data?.running ?? null;
  const broken = data !== undefined && (data.last?.ok === false || !data.head.signed);
  const share = running && running.of > 0 ? running.rows / running.of : 0;
  return (
    <section
      aria-label="State of the log"
      data-testid="chain"
      data-state={data === undefined ? 'loading' : broken ? 'broken' : data.last ? 'whole' : 'unknown'}
      className={cx(
        'flex items-start gap-3 rounded-md border px-3 py-2 text-meta',
        broken ? 'border-stop-line bg-stop-soft' : 'border-line',
      )}
    >
      <Icon aria-hidden size={16} className={cx('mt-0.5 shrink-0', tint)} />
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <p role="status">
          <span className="font-medium">{title}</span> <span className="text-muted">{text}</span>{' '}
          {data?.last && !running && (
            <span className="text-muted">
              Checked <Time iso={data.last.at} /> in {duration(data.last.duration_ms)}.
            </span>
          )}
        </p>
        {running && (
          <div
            role="progressbar"
            aria-label="Check of the log"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(share * 100)}
            className="my-1 h-1 max-w-[360px] overflow-hidden rounded-full bg-sunken"
          >
            <div className="h-full bg-accent" style={{ width: `${share * 100}%` }} />
          </div>
        )}
        {data?.head.hash && (
          <div className="flex min-w-0 items-center gap-1 text-mini text-muted max-md:hidden">
            <span className="shrink-0">Entry {data.head.seq.toLocaleString()}, sealed by</span>
            <code className="min-w-0 truncate" title={data.head.hash}>
              {data.head.hash.slice(0, 16)}…
            </code>
            <CopyButton text={data.head.hash} label="Copy the hash of the newest entry" />
          </div>
        )}
        {data?.last?.seq && !running ? (
          <Link
            to="/activity"
            search={{ seq: data.last.seq }}
            reloadDocument
            className="self-start text-link underline underline-offset-2"
          >
            Show entry {data.last.seq.toLocaleString()}
          </Link>
        ) : null}
        {check.error && (
          <p role="alert" className="text-stop">
            {explain(check.error).message}
          </p>
        )}
      </div>
      <Button
        small
        className="max-md:h-10 max-md:px-3"
        busy={running !== null || check.isPending}
        onClick={() => check.mutate()}
        data-testid="chain-verify"
      >
        {running ? `${Math.floor(share * 100)} %` : 'Check now'}
      </Button>
    </section>
  );
}

function words(data: AuditChain | undefined, error: unknown) {
  const unknown = { icon: ShieldQuestion, tint: 'text-muted' };
  if (!data)
    return error
      ? { ...unknown, title: 'The state of the log is not known.', text: explain(error).message }
      : { ...unknown, title: 'Asking for the state of the log.', text: '' };
  const { running, last, head } = data;
  const broken = { icon: ShieldAlert, tint: 'text-stop', title: 'The log is not whole.' };
  if (last && !last.ok) return { ...broken, text: `What is wrong: ${last.problem}.` };
  if (!head.signed)
    return { ...broken, text: 'Its newest entry is not the one that was signed. Check it to see more.' };
  if (running) {
    return {
      ...unknown,
      title: 'The log is being checked.',
      text: `${running.rows.toLocaleString()} of ${running.of.toLocaleString()} entries hold so far.`,
    };
  }
  if (!last) return { ...unknown, title: 'The log was not checked since OpenPact started.', text: '' };
  return {
    icon: ShieldCheck,
    tint: 'text-ok',
    title: 'The log is whole.',
    text: `${last.rows.toLocaleString()} entries follow each other without a gap or a change.`,
  };
}

import { Link } from '@tanstack/react-router';
import { Ban, Check, ChevronRight, Clock, Undo2, type LucideIcon } from 'lucide-react';
import { useId } from 'react';
import type { Approval, ApprovalStatus } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { exact, Time } from '../ui/time.tsx';
import { Digest, Labelled } from './approval-card.tsx';
import { who } from '../ui/who.ts';
import { statusText } from './status-text.ts';

const LOOK: Readonly<
  Record<ApprovalStatus, { readonly icon: LucideIcon; readonly word: string; readonly tint: string }>
> = {
  pending: { icon: Clock, word: 'Waiting', tint: 'text-ask' },
  approved: { icon: Check, word: 'Approved', tint: 'text-ok' },
  denied: { icon: Ban, word: 'Denied', tint: 'text-stop' },
  expired: { icon: Clock, word: 'Expired', tint: 'text-faint' },
  cancelled: { icon: Undo2, word: 'Withdrawn', tint: 'text-faint' },
};

/** One decided request: a line that opens into what was decided and what became of it. */
export function DecidedRow({
  approval,
  open,
  onToggle,
}: {
  readonly approval: Approval;
  readonly open: boolean;
  readonly onToggle: () => void;
}) {
  const panel = useId();
  const look = LOOK[approval.status];
  return (
    <>
      <button
        type="button"
        data-row
        data-testid="approval-decided"
        data-status={approval.status}
        aria-expanded={open}
        aria-controls={panel}
        onClick={onToggle}
        className="flex h-10 w-full items-center gap-3 rounded-sm px-2 text-left text-meta hover:bg-hover max-md:h-14"
      >
        <ChevronRight aria-hidden size={14} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <span className={cx('flex w-24 shrink-0 items-center gap-1.5 font-medium', look.tint)}>
          <look.icon aria-hidden size={14} />
          {look.word}
        </span>
        <span className="min-w-0 flex-1 truncate">
          <ExactText text={approval.summary} />
        </span>
        <span className="shrink-0 text-faint max-md:hidden">
          {approval.decided_by && who(approval.decided_by)}
        </span>
        <Time
          iso={approval.decided_at ?? approval.created_at}
          className="w-20 shrink-0 text-right text-faint tabular-nums"
        />
      </button>
      {open && (
        <div id={panel} className="flex flex-col gap-4 px-8 pt-2 pb-5 max-md:px-2">
          <p className="wrap-anywhere">
            <ExactText text={approval.summary} />
          </p>
          <p className="text-meta text-muted">
            {statusText(approval)}{' '}
            {approval.decided_at && <span className="tabular-nums">{exact(approval.decided_at)}.</span>}{' '}
            {approval.outcome && <>Outcome of the call: {approval.outcome}. </>}
            {approval.status === 'approved' && 'It covered this one call and allows nothing further.'}
          </p>
          {approval.reason && (
            <Labelled label="Reason that the assistant was told">
              <p className="whitespace-pre-wrap wrap-anywhere">
                <ExactText text={approval.reason} />
              </p>
            </Labelled>
          )}
          {approval.why.trim() !== '' && (
            <Labelled label="Why, in the assistant's own words (untrusted)">
              <blockquote className="border-l-2 border-ai-line pl-3 whitespace-pre-wrap wrap-anywhere">
                <ExactText text={approval.why} />
              </blockquote>
            </Labelled>
          )}
          <Labelled label={`Arguments of ${approval.tool}`}>
            <JsonView value={approval.arguments} empty="It had no arguments." />
          </Labelled>
          <div className="flex flex-wrap items-center justify-between gap-2">
            <Digest value={approval.digest} />
            {approval.conversation_id && (
              <Link
                to="/chat/$id"
                params={{ id: approval.conversation_id }}
                className="text-meta text-link underline underline-offset-2"
              >
                {approval.conversation_title || 'Its conversation'}
              </Link>
            )}
          </div>
        </div>
      )}
    </>
  );
}

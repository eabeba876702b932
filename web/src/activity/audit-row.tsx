import { Link } from '@tanstack/react-router';
import { Ban, Check, ChevronRight, CircleHelp, Circle, PencilLine, X, type LucideIcon } from 'lucide-react';
import { memo, useId } from 'react';
import type { AuditEntryView } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { exact, Time } from '../ui/time.tsx';
import type { ActivitySearch } from './activity-search.ts';

const OUTCOMES: Readonly<
  Record<string, { readonly icon: LucideIcon; readonly word: string; readonly tint: string }>
> = {
  ok: { icon: Check, word: 'OK', tint: 'text-ok' },
  refused: { icon: Ban, word: 'Refused', tint: 'text-stop' },
  failed: { icon: X, word: 'Failed', tint: 'text-stop' },
  intent: { icon: PencilLine, word: 'Intent', tint: 'text-muted' },
  unknown: { icon: CircleHelp, word: 'Unknown', tint: 'text-ask' },
};

/** The conversation that an entry belongs to: the same rule as the server's filter. */
function conversationOf({ details, actor, target }: AuditEntryView): string | undefined {
  const named =
    details !== null && typeof details === 'object' && 'conversation' in details && details.conversation;
  if (typeof named === 'string' && /^[\w-]{1,64}$/.test(named)) return named;
  return /^assistant:([\w-]{1,64})$/.exec(actor)?.[1] ?? /^cnv_[\w-]{1,60}$/.exec(target)?.[0];
}

/** One entry of the log: a line that opens into all of its facts. */
export const AuditRow = memo(function AuditRow({
  entry,
  open,
  onToggle,
  onFilter,
}: {
  readonly entry: AuditEntryView;
  readonly open: boolean;
  readonly onToggle: () => void;
  /** Shows only entries that have this too. */
  readonly onFilter: (filter: ActivitySearch) => void;
}) {
  const panel = useId();
  const outcome = OUTCOMES[entry.outcome] ?? { icon: Circle, word: entry.outcome, tint: 'text-muted' };
  const conversation = conversationOf(entry);
  return (
    <>
      <button
        type="button"
        data-row
        data-testid="audit-row"
        data-event={entry.event}
        aria-expanded={open}
        aria-controls={panel}
        onClick={onToggle}
        className="grid h-9 w-full grid-cols-[14px_88px_184px_minmax(0,1fr)_160px_88px] items-center gap-3 rounded-sm px-2 text-left text-meta hover:bg-hover max-lg:grid-cols-[14px_88px_168px_minmax(0,1fr)_88px] max-md:h-14 max-md:grid-cols-[14px_minmax(0,1fr)_auto] max-md:gap-x-2 max-md:gap-y-0"
      >
        <ChevronRight aria-hidden size={14} className={cx('text-faint', open && 'rotate-90')} />
        <Outcome outcome={outcome} className="max-md:hidden" />
        <span className="truncate font-mono text-mini max-md:hidden">{entry.event}</span>
        <span className="truncate text-muted max-md:hidden">
          <ExactText text={entry.target} />
        </span>
        <span className="truncate text-right text-mini text-faint max-lg:hidden">{entry.actor}</span>
        <span className="hidden min-w-0 max-md:block">
          <span className="block truncate font-mono text-mini">{entry.event}</span>
          <span className="block truncate text-mini text-muted">
            <ExactText text={entry.target || entry.actor} />
          </span>
        </span>
        <span className="flex flex-col items-end text-mini text-faint">
          <Outcome outcome={outcome} className="hidden max-md:flex" />
          <Time iso={entry.at} className="tabular-nums" />
        </span>
      </button>
      {open && (
        <div id={panel} className="flex flex-col gap-4 px-8 pt-2 pb-5 max-md:px-2">
          <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-6 gap-y-1 text-meta [&>dd]:wrap-anywhere [&>dt]:text-muted">
            <dt>Entry</dt>
            <dd className="tabular-nums">{entry.seq}</dd>
            <dt>When</dt>
            <dd className="tabular-nums">{exact(entry.at)}</dd>
            <dt>What</dt>
            <dd className="font-mono text-mini leading-5">{entry.event}</dd>
            <dt>Who</dt>
            <dd>
              {entry.actor}, from {entry.origin}{' '}
              {conversation && (
                <Link
                  to="/chat/$id"
                  params={{ id: conversation }}
                  className="text-link underline underline-offset-2"
                >
                  Open the conversation
                </Link>
              )}
            </dd>
            <dt>On what</dt>
            <dd>{entry.target === '' ? 'Nothing in particular' : <ExactText text={entry.target} />}</dd>
            <dt>Outcome</dt>
            <dd>{outcome.word}</dd>
            <dt>Hash</dt>
            <dd className="flex items-center gap-2">
              <code className="min-w-0 truncate text-mini" title={entry.hash}>
                {entry.hash}
              </code>
              <CopyButton text={entry.hash} label="Copy the hash" />
            </dd>
          </dl>
          <div className="flex flex-col gap-2">
            <p className="text-mini font-medium text-muted">Details</p>
            <JsonView value={entry.details} compact />
          </div>
          <div
            role="group"
            aria-label="Show only"
            className="flex flex-wrap items-center gap-2 text-meta text-muted"
          >
            Show only
            <Only testId="audit-only-event" onClick={() => onFilter({ event: entry.event })}>
              this event
            </Only>
            <Only testId="audit-only-actor" onClick={() => onFilter({ principal: entry.actor })}>
              this actor
            </Only>
            {entry.target !== '' && entry.target.length <= 1024 && (
              <Only testId="audit-only-target" onClick={() => onFilter({ target: entry.target })}>
                this target
              </Only>
            )}
            {conversation && (
              <Only testId="audit-only-conversation" onClick={() => onFilter({ conversation })}>
                this conversation
              </Only>
            )}
          </div>
        </div>
      )}
    </>
  );
});

function Only({
  onClick,
  testId,
  children,
}: {
  readonly onClick: () => void;
  readonly testId: string;
  readonly children: string;
}) {
  return (
    <Button small className="max-md:h-10" onClick={onClick} data-testid={testId}>
      {children}
    </Button>
  );
}

function Outcome({
  outcome,
  className,
}: {
  readonly outcome: { readonly icon: LucideIcon; readonly word: string; readonly tint: string };
  readonly className?: string;
}) {
  return (
    <span className={cx('flex items-center gap-1.5 text-mini font-medium', outcome.tint, className)}>
      <outcome.icon aria-hidden size={14} />
      {outcome.word}
    </span>
  );
}

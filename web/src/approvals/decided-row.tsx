import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { useId } from 'react';
import type { Approval, InboxItem, ScriptRequest } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { exact, Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { Digest, Labelled } from './approval-card.tsx';
import { STATE_LOOK, stateWord } from './settled-line.tsx';
import { statusText } from './status-text.ts';

const LINK = 'text-link underline underline-offset-2';

/** One that waits no more: a line that opens into what it was, who decided when and why, and what became of it. */
export function DecidedRow({
  item,
  open,
  onToggle,
}: {
  readonly item: InboxItem;
  readonly open: boolean;
  readonly onToggle: () => void;
}) {
  const panel = useId();
  const { icon: Icon, tint } = STATE_LOOK[item.status];
  return (
    <>
      <button
        type="button"
        data-row
        data-testid="approval-decided"
        data-status={item.status}
        data-approval={item.id}
        aria-expanded={open}
        aria-controls={panel}
        onClick={onToggle}
        className="flex h-10 w-full items-center gap-3 rounded-sm px-2 text-left text-meta hover:bg-hover max-md:h-14"
      >
        <ChevronRight aria-hidden size={14} className={cx('shrink-0 text-faint', open && 'rotate-90')} />
        <span className={cx('flex w-24 shrink-0 items-center gap-1.5 font-medium', tint)}>
          <Icon aria-hidden size={14} />
          {stateWord(item)}
        </span>
        <span className="min-w-0 flex-1 truncate max-md:line-clamp-2 max-md:wrap-anywhere max-md:whitespace-normal">
          {item.kind === 'script' ? (
            <>
              Script <code className="text-mini">{item.name}</code>
            </>
          ) : (
            <ExactText text={item.summary} />
          )}
        </span>
        <span className="shrink-0 text-faint max-md:hidden">{item.decided_by && who(item.decided_by)}</span>
        <Time
          iso={item.decided_at ?? item.created_at}
          className="w-20 shrink-0 text-right text-faint tabular-nums"
        />
      </button>
      {open && (
        <div id={panel} className="flex flex-col gap-4 px-8 pt-2 pb-5 max-md:px-2">
          <p className="text-meta text-muted">
            {statusText(item)}{' '}
            {item.decided_at && <span className="tabular-nums">{exact(item.decided_at)}. </span>}
            Asked for <span className="tabular-nums">{exact(item.created_at)}</span>.{' '}
            {item.kind !== 'script' && item.outcome && <>Outcome of the call: {item.outcome}. </>}
            {item.kind !== 'script' &&
              item.status === 'approved' &&
              'It covered this one call and allows nothing further.'}
          </p>
          {item.reason && (
            <Labelled label="Reason that the assistant was told">
              <p className="whitespace-pre-wrap wrap-anywhere" data-testid="decided-reason">
                <ExactText text={item.reason} />
              </p>
            </Labelled>
          )}
          {item.kind === 'script' ? <ScriptFacts item={item} /> : <CallFacts item={item} />}
          <ul className="flex flex-wrap gap-x-4 gap-y-1 text-meta">
            {item.kind === 'script' && item.script_status !== null && (
              <li>
                <Link
                  to="/scripts/$name"
                  params={{ name: item.name }}
                  className={LINK}
                  data-testid="to-script"
                >
                  The script and its versions
                </Link>
              </li>
            )}
            {item.conversation_id && (
              <li>
                <Link to="/chat/$id" params={{ id: item.conversation_id }} className={LINK}>
                  {item.conversation_title || 'Its conversation'}
                </Link>
              </li>
            )}
            <li>
              <Link
                to="/activity"
                search={
                  item.kind === 'script'
                    ? { event: 'script.', target: item.name, q: item.hash }
                    : { target: item.id }
                }
                className={LINK}
                data-testid="to-audit"
              >
                Its entries in the log
              </Link>
            </li>
          </ul>
        </div>
      )}
    </>
  );
}

function CallFacts({ item }: { readonly item: Approval }) {
  return (
    <>
      <p className="wrap-anywhere">
        <ExactText text={item.summary} />
      </p>
      {item.why.trim() !== '' && (
        <Labelled label="Why, in the assistant's own words (untrusted)">
          <blockquote className="border-l-2 border-ai-line pl-3 whitespace-pre-wrap wrap-anywhere">
            <ExactText text={item.why} />
          </blockquote>
        </Labelled>
      )}
      <Labelled label={`Arguments of ${item.tool}`}>
        <JsonView value={item.arguments} empty="It had no arguments." />
      </Labelled>
      <Digest value={item.digest} />
    </>
  );
}

function ScriptFacts({ item }: { readonly item: ScriptRequest }) {
  return (
    <>
      {item.message !== '' && (
        <Labelled label="In its author’s own words (untrusted)">
          <blockquote className="border-l-2 border-ai-line pl-3 whitespace-pre-wrap wrap-anywhere">
            <ExactText text={item.message} />
          </blockquote>
        </Labelled>
      )}
      <div className="flex flex-col">
        <Digest value={item.hash.replace(/^sha256:/, '')} what="Fingerprint of this version" />
        {item.replaced_by && (
          <Digest value={item.replaced_by.replace(/^sha256:/, '')} what="of the one that took its place" />
        )}
      </div>
    </>
  );
}

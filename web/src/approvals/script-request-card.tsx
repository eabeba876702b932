import { Link } from '@tanstack/react-router';
import { FileCode } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import type { ScriptRequest } from '../api/types.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { Notice } from '../ui/notice.tsx';
import { Time } from '../ui/time.tsx';
import { who } from '../ui/who.ts';
import { Digest, Labelled } from './approval-card.tsx';
import { ReasonForm } from './reason-form.tsx';
import { SettledLine } from './settled-line.tsx';
import { useArmed } from './use-armed.ts';
import { useFocusAfter } from '../ui/use-focus-after.ts';
import { useKeptHeight } from './use-kept-height.ts';
import { resultText, useBatch } from './use-batch.ts';

/** A version that waits: what it would be able to do in a line, and the way to its text. It is not approved from here. */
export function ScriptRequestCard({
  request,
  agentName,
  lead,
}: {
  readonly request: ScriptRequest;
  readonly agentName: string;
  readonly lead?: ReactNode;
}) {
  const batch = useBatch();
  const waits = request.status === 'pending';
  const armed = useArmed();
  const footer = useKeptHeight(!waits);
  useFocusAfter(() => footer.current?.closest<HTMLElement>('[data-row]') ?? null, batch.busy);
  const [rejecting, setRejecting] = useState(false);
  const title = useId();
  const { power } = request;
  const failed = batch.results?.find(({ outcome }) => outcome !== 'done');
  const problem = batch.problem ?? (failed && resultText(failed));

  return (
    <section
      aria-labelledby={title}
      data-testid="script-request"
      data-approval={request.id}
      data-script={request.name}
      className={cx('flex flex-col rounded-lg border bg-raised', waits ? 'border-ask-line' : 'border-line')}
    >
      <header
        className={cx(
          'flex items-center gap-2 rounded-t-lg border-b px-4 py-2 text-meta',
          waits ? 'border-ask-line bg-ask-soft' : 'border-line bg-sunken',
        )}
      >
        {lead}
        <FileCode aria-hidden size={16} className={cx('shrink-0', waits ? 'text-ask' : 'text-faint')} />
        <div className="flex min-w-0 flex-1 flex-wrap items-center justify-between gap-x-4">
          <h2 id={title} className="min-w-0 wrap-anywhere">
            <span className="font-medium">
              Script <code className="text-mini">{request.name}</code>
            </span>{' '}
            <span className="text-muted">{authorWords(request, agentName)}</span>
          </h2>
          <span className="text-mini text-muted">{stateWords(request)}</span>
        </div>
      </header>
      <div className="flex flex-col gap-4 px-4 py-4">
        <div className="flex flex-col gap-1">
          <p className="text-[15px] leading-6 font-medium wrap-anywhere" data-testid="script-request-power">
            {power?.summary ?? request.problem ?? 'What it may do stands on its page.'}
          </p>
          <p className="text-meta text-muted">
            {request.conversation_id && (
              <>
                In{' '}
                <Link
                  to="/chat/$id"
                  params={{ id: request.conversation_id }}
                  className="text-link underline underline-offset-2"
                >
                  {request.conversation_title || 'an untitled conversation'}
                </Link>
                ,{' '}
              </>
            )}
            <Time iso={request.created_at} />
            {power && power.warnings > 0 && (
              <span className="text-ask">
                {', '}
                {power.warnings === 1 ? '1 warning' : `${power.warnings} warnings`} on its page
              </span>
            )}
          </p>
        </div>
        {power && (
          <Labelled
            label={
              request.approved_hash
                ? 'New against the version that you approved'
                : 'New: no version of it was approved'
            }
          >
            {power.fresh.length === 0 ? (
              <p className="text-meta">
                {request.approved_hash
                  ? 'The text is another one; it asks for no power that it did not have.'
                  : 'It asks for no secret and no host.'}
              </p>
            ) : (
              <ul className="flex list-disc flex-col pl-5 text-meta" data-testid="script-request-fresh">
                {power.fresh.map((line) => (
                  <li key={line} className="wrap-anywhere">
                    <ExactText text={line} />
                  </li>
                ))}
                {power.fresh_count > power.fresh.length && (
                  <li>and {power.fresh_count - power.fresh.length} more</li>
                )}
              </ul>
            )}
          </Labelled>
        )}
        {(power?.description || request.message !== '') && (
          <Labelled label="In its author’s own words. Untrusted: they may be mistaken or misled.">
            <blockquote className="flex max-h-40 flex-col overflow-y-auto border-l-2 border-ai-line pl-3 text-meta wrap-anywhere">
              {power?.description && (
                <span>
                  <ExactText text={power.description} />
                </span>
              )}
              {request.message !== '' && (
                <span>
                  <ExactText text={request.message} />
                </span>
              )}
            </blockquote>
          </Labelled>
        )}
        <Digest value={request.hash.replace(/^sha256:/, '')} what="Fingerprint of this version" />
      </div>
      <footer ref={footer} className="flex flex-col gap-3 border-t border-line px-4 py-3">
        {problem && request.status === 'pending' && (
          <Notice tone="stop" testId="approval-problem">
            {problem}
          </Notice>
        )}
        {request.status !== 'pending' ? (
          <SettledLine item={request} />
        ) : rejecting ? (
          <ReasonForm
            verb="Reject"
            note="It does not run. You can still approve it later."
            busy={batch.busy}
            testId="script-request-reject"
            onBack={() => setRejecting(false)}
            onSend={(reason) =>
              void batch.send([
                {
                  id: request.id,
                  digest: request.hash,
                  decision: 'deny',
                  ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
                },
              ])
            }
          />
        ) : (
          <div className="flex flex-wrap items-center gap-2">
            <Link
              to="/scripts/$name"
              params={{ name: request.name }}
              className={buttonClass('primary')}
              data-testid="script-request-review"
              data-first-act
            >
              Read it and decide
            </Link>
            <Button
              disabled={batch.busy || !armed}
              onClick={() => setRejecting(true)}
              data-testid="script-request-reject"
            >
              Reject and tell the assistant why
            </Button>
            <p className="min-w-0 text-mini text-faint max-md:w-full">
              It is approved where its text and power stand.
            </p>
          </div>
        )}
      </footer>
    </section>
  );
}

function authorWords({ author, how, approved_hash: approved }: ScriptRequest, agentName: string): string {
  const name = author.startsWith('assistant:') ? agentName : how === 'folder' ? null : who(author);
  if (how === 'import') return 'taken over from the original';
  if (how === 'restored') return `restored by ${name ?? 'somebody'}`;
  if (name === null) return 'put in the folder as a file';
  return approved ? `changed by ${name}` : `written by ${name}`;
}

function stateWords({ script_status: status, file, approved_hash: approved }: ScriptRequest): string {
  if (file === 'missing') return 'its file is gone';
  if (file === 'unreadable') return 'its file is no text';
  if (status === 'disabled') return 'disabled';
  return approved ? 'changed since you approved it' : 'never approved';
}

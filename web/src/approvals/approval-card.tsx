import { Link } from '@tanstack/react-router';
import { Fingerprint, Hourglass } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import type { Approval } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { JsonView } from '../ui/json-view.tsx';
import { Notice } from '../ui/notice.tsx';
import { PasswordDialog } from '../ui/password-dialog.tsx';
import { Time } from '../ui/time.tsx';
import { ReasonForm } from './reason-form.tsx';
import { SettledLine } from './settled-line.tsx';
import { useArmed } from './use-armed.ts';
import { useFocusAfter } from '../ui/use-focus-after.ts';
import { useKeptHeight } from './use-kept-height.ts';
import { useDecision } from './use-decision.ts';

export interface ApprovalCardProps {
  readonly approval: Approval;
  readonly agentName: string;
  /** In the conversation itself, the link back to it says nothing. */
  readonly showConversation: boolean;
  readonly aside?: ReactNode;
  /** Before the title: the box that selects it. */
  readonly lead?: ReactNode;
  /** The facts scroll inside the card so that the buttons stay in reach. */
  readonly docked?: boolean;
}

/** Who asks, where and why; what exactly; the decision. What is shown is what the digest covers. */
export function ApprovalCard({
  approval,
  agentName,
  showConversation,
  aside,
  lead,
  docked = false,
}: ApprovalCardProps) {
  const decision = useDecision(approval);
  const [denying, setDenying] = useState(false);
  const waits = approval.status === 'pending';
  const armed = useArmed();
  const footer = useKeptHeight(!waits);
  useFocusAfter(() => footer.current?.closest<HTMLElement>('[data-row]') ?? null, decision.busy !== null);
  const title = useId();
  return (
    <section
      aria-labelledby={title}
      data-testid="approval-card"
      data-approval={approval.id}
      className={cx(
        'flex flex-col rounded-lg border bg-raised',
        waits ? 'border-ask-line' : 'border-line',
        docked && 'max-h-[min(56dvh,520px)] shadow-pop',
      )}
    >
      <header
        className={cx(
          'flex items-center gap-2 rounded-t-lg border-b px-4 py-2 text-meta',
          waits ? 'border-ask-line bg-ask-soft' : 'border-line bg-sunken',
        )}
      >
        {lead}
        <Hourglass aria-hidden size={16} className={cx('shrink-0', waits ? 'text-ask' : 'text-faint')} />
        <h2 id={title} className="min-w-0 flex-1 truncate font-medium">
          {agentName} asks to use <code className="text-mini">{approval.tool}</code>
        </h2>
        {aside}
      </header>
      <div className={cx('flex flex-col gap-4 px-4 py-4', docked && 'min-h-0 overflow-y-auto')}>
        <div className="flex flex-col gap-1">
          <p className="text-[15px] leading-6 font-medium wrap-anywhere">
            <ExactText text={approval.summary} />
          </p>
          <p className="text-meta text-muted">
            {showConversation && approval.conversation_id && (
              <>
                In{' '}
                <Link
                  to="/chat/$id"
                  params={{ id: approval.conversation_id }}
                  className="text-link underline underline-offset-2"
                >
                  {approval.conversation_title || 'an untitled conversation'}
                </Link>
                ,{' '}
              </>
            )}
            asked <Time iso={approval.created_at} />, expires <Time iso={approval.expires_at} />
          </p>
        </div>
        <Labelled label="Why, in the assistant's own words. Untrusted: it may be mistaken or misled.">
          <blockquote className="border-l-2 border-ai-line pl-3 text-body whitespace-pre-wrap wrap-anywhere">
            {approval.why.trim() === '' ? (
              <span className="text-faint">It gave no reason.</span>
            ) : (
              <ExactText text={approval.why} />
            )}
          </blockquote>
        </Labelled>
        <Labelled label="The exact arguments">
          <JsonView value={approval.arguments} empty="It has no arguments." />
        </Labelled>
        <Digest value={approval.digest} />
      </div>
      <footer ref={footer} className="flex flex-col gap-3 border-t border-line px-4 py-3">
        {decision.problem && (
          <Notice tone="stop" testId="approval-problem">
            {decision.problem}
          </Notice>
        )}
        {approval.status !== 'pending' ? (
          <SettledLine item={approval} />
        ) : denying ? (
          <ReasonForm
            verb="Deny"
            note="Nothing is run. The assistant may ask again."
            busy={decision.busy === 'deny'}
            testId="approval-deny"
            onSend={(reason) => void decision.deny(reason)}
            onBack={() => setDenying(false)}
          />
        ) : (
          <div className="flex flex-wrap items-center gap-2">
            <Button
              tone="primary"
              busy={decision.busy === 'approve'}
              disabled={decision.busy !== null || !armed}
              onClick={() => void decision.approve()}
              data-testid="approval-approve"
            >
              Approve this call
            </Button>
            <Button
              disabled={decision.busy !== null || !armed}
              onClick={() => setDenying(true)}
              data-testid="approval-deny"
            >
              Deny and tell the assistant why
            </Button>
            <p className="min-w-0 text-mini text-faint max-md:w-full">
              Approving runs it once, exactly as shown.
            </p>
          </div>
        )}
      </footer>
      <PasswordDialog
        open={decision.stepUp !== null && approval.status === 'pending'}
        problem={decision.stepUp?.problem ?? null}
        busy={decision.busy === 'approve'}
        act="Approve this call"
        cancel="Don't approve yet"
        onCancel={decision.cancelStepUp}
        onPassword={(password) => void decision.approve(password)}
      >
        <ExactText text={approval.summary} />
      </PasswordDialog>
    </section>
  );
}

export function Labelled({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <p className="text-mini font-medium text-muted">{label}</p>
      {children}
    </div>
  );
}

/** The fingerprint of the exact call, in groups that can be compared by eye. */
export function Digest({
  value,
  what = 'Fingerprint of this call',
}: {
  readonly value: string;
  readonly what?: string;
}) {
  const short = (value.slice(0, 16).match(/.{1,4}/g) ?? []).join(' ');
  return (
    <div className="flex min-h-6 flex-wrap items-center gap-x-2 text-mini text-muted">
      <Fingerprint aria-hidden size={14} className="shrink-0" />
      <span>{what}</span>
      <code title={value} className="whitespace-nowrap text-ink">
        {short}
      </code>
      <CopyButton text={value} label="Copy the whole fingerprint" />
    </div>
  );
}

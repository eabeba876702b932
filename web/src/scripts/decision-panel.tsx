import { useId, useState, type FormEvent } from 'react';
import { Digest, Labelled } from '../approvals/approval-card.tsx';
import { useArmedFor } from '../approvals/use-armed.ts';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { ExactText } from '../ui/exact-text.tsx';
import { INPUT_CLASS } from '../ui/field.tsx';
import { NarrowForm } from './narrow-form.tsx';
import { grantSentences, narrowed, QUOTA_NAMES, readQuota, type Narrowing } from './narrow-grant.ts';
import { PowerCard } from './power-card.tsx';
import type { ScriptAct } from './use-script-act.ts';

/**
 * What a version asks for, how much of it is given, and the decision; it covers the text and the power shown here. Somebody
 * else's decision on the same text leaves what the reader left out as it is.
 */
export function DecisionPanel({
  script,
  act,
  without,
  onWithout,
}: {
  readonly script: Script;
  readonly act: ScriptAct;
  /** What the reader leaves out. It lives longer than this panel, which goes while the script is disabled or edited. */
  readonly without: Narrowing;
  readonly onWithout: (next: Narrowing) => void;
}) {
  const [wantsReject, setRejecting] = useState(false);
  const rejecting = wantsReject && script.status !== 'rejected';
  const armed = useArmedFor(script.revision);
  const asks = script.proposed_grant;
  const { usual, most } = script.quotas;
  const grant = narrowed(asks, without, most);
  const unclear = QUOTA_NAMES.some((name) => readQuota(name, without.quotas[name], most) === null);
  const broken = script.problems.length > 0;
  return (
    <section
      id="decision"
      tabIndex={-1}
      aria-label="The decision"
      className="flex flex-col rounded-lg border border-ask-line bg-raised"
      data-testid="script-decision"
    >
      <div className="flex flex-col gap-5 px-4 py-4">
        {broken ? (
          <Labelled label="The text has mistakes, so what it asks for can’t be read off">
            <ul className="flex flex-col text-body" data-testid="script-broken">
              {script.problems.map(({ line, message }) => (
                <li key={`${line} ${message}`} className="wrap-anywhere">
                  Line {line}: <ExactText text={message} />
                </li>
              ))}
            </ul>
          </Labelled>
        ) : (
          <>
            <PowerCard title="What this version asks for" power={script.proposed_power} />
            <NarrowForm asks={asks} quotas={script.quotas} without={without} onChange={onWithout} />
            <Labelled label="What your approval gives it">
              <ul className="flex flex-col text-body" data-testid="script-grant">
                {grantSentences(grant, usual).map((line) => (
                  <li key={line} className="wrap-anywhere">
                    <ExactText text={line} />.
                  </li>
                ))}
              </ul>
            </Labelled>
          </>
        )}
        <Digest value={script.hash.replace(/^sha256:/, '')} what="Fingerprint of this version" />
      </div>
      <footer className="flex flex-col gap-3 border-t border-line px-4 py-3">
        {rejecting ? (
          <RejectForm
            busy={act.busy !== null}
            onBack={() => setRejecting(false)}
            onReject={(reason) =>
              void act.run({
                method: 'POST',
                path: '/reject',
                body: { hash: script.hash, ...(reason === '' ? {} : { reason }) },
                hash: script.hash,
                done: 'Rejected. It does not run, and the assistant can read why.',
                act: 'Reject this version',
              })
            }
          />
        ) : (
          <div className="flex flex-wrap items-center gap-2">
            <Button
              tone="primary"
              busy={act.busy === 'Approve this version'}
              disabled={act.busy !== null || !armed || broken || unclear}
              onClick={() =>
                void act.run({
                  method: 'POST',
                  path: '/approve',
                  body: {
                    hash: script.hash,
                    revision: script.revision,
                    grant,
                  },
                  hash: script.hash,
                  done: 'Approved. Exactly this text runs from now on; disabling or rejecting it takes that back at once.',
                  act: 'Approve this version',
                })
              }
              data-testid="script-approve"
            >
              Approve this version
            </Button>
            {script.status !== 'rejected' && (
              <Button
                disabled={act.busy !== null || !armed}
                onClick={() => setRejecting(true)}
                data-testid="script-reject"
              >
                Reject and tell the assistant why
              </Button>
            )}
            <p className="min-w-0 text-mini text-faint max-md:w-full">
              {broken
                ? 'It can’t be approved while the text has mistakes: change the code above.'
                : unclear
                  ? 'A limit above is no number that can be given.'
                  : 'Approving covers this text and this power, and nothing that comes later.'}
            </p>
          </div>
        )}
      </footer>
    </section>
  );
}

function RejectForm({
  busy,
  onReject,
  onBack,
}: {
  readonly busy: boolean;
  readonly onReject: (reason: string) => void;
  readonly onBack: () => void;
}) {
  const [reason, setReason] = useState('');
  const id = useId();
  function submit(event: FormEvent) {
    event.preventDefault();
    onReject(reason.trim());
  }
  return (
    <form className="flex flex-col gap-2" onSubmit={submit}>
      <label htmlFor={id} className="text-meta font-medium">
        Why not? The assistant reads this and can do better.
      </label>
      <textarea
        id={id}
        rows={2}
        maxLength={2_000}
        // The person has just asked for this field.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={reason}
        onChange={(event) => setReason(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          onBack();
        }}
        className={cx(INPUT_CLASS, 'h-auto max-md:h-auto resize-none py-2')}
        data-testid="script-reject-reason"
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" tone="danger" busy={busy} data-testid="script-reject-send">
          {reason.trim() === '' ? 'Reject without a reason' : 'Reject and send the reason'}
        </Button>
        <Button disabled={busy} onClick={onBack}>
          Back
        </Button>
        <p className="text-mini text-faint">It does not run. You can still approve it later.</p>
      </div>
    </form>
  );
}

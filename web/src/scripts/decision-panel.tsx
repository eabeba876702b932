import { useId, useState, type FormEvent } from 'react';
import { Digest, Labelled } from '../approvals/approval-card.tsx';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { INPUT_CLASS } from '../ui/field.tsx';
import { grantSentences, hostsOf, narrowed, NOTHING_LEFT_OUT, type Narrowing } from './narrow-grant.ts';
import { PowerCard } from './power-card.tsx';
import type { ScriptAct } from './use-script-act.ts';

const ENDS: readonly (readonly [number | null, string])[] = [
  [null, 'Until I take it back'],
  [1, 'For one day'],
  [7, 'For 7 days'],
  [30, 'For 30 days'],
];

function endAfter(value: string): Narrowing['end'] {
  const days = Number(value);
  return value === 'null' ? null : { days, at: new Date(Date.now() + days * 86_400_000).toISOString() };
}

/** What a version asks for, how much of it is given, and the decision; it covers the text and the power shown here. */
export function DecisionPanel({ script, act }: { readonly script: Script; readonly act: ScriptAct }) {
  const [without, setWithout] = useState<Narrowing>(NOTHING_LEFT_OUT);
  const [rejecting, setRejecting] = useState(false);
  const asks = script.proposed_grant;
  const grant = narrowed(asks, without);
  const broken = script.problems.length > 0;
  return (
    <section
      aria-label="The decision"
      className="flex flex-col rounded-lg border border-ask-line bg-raised"
      data-testid="script-decision"
    >
      <div className="flex flex-col gap-5 px-4 py-4">
        <PowerCard title="What this version asks for" power={script.proposed_power} />
        <Narrow asks={asks} without={without} onChange={setWithout} />
        <Labelled label="What your approval gives it">
          <ul className="flex flex-col text-body" data-testid="script-grant">
            {grantSentences(grant).map((line) => (
              <li key={line} className="wrap-anywhere">
                {line}.
              </li>
            ))}
          </ul>
        </Labelled>
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
              disabled={act.busy !== null || broken}
              onClick={() =>
                void act.run({
                  method: 'POST',
                  path: '/approve',
                  body: {
                    hash: script.hash,
                    revision: script.revision,
                    grant,
                  },
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
                disabled={act.busy !== null}
                onClick={() => setRejecting(true)}
                data-testid="script-reject"
              >
                Reject and tell the assistant why
              </Button>
            )}
            <p className="min-w-0 text-mini text-faint max-md:w-full">
              {broken
                ? 'It can’t be approved while the text has mistakes.'
                : 'Approving covers this text and this power, and nothing that comes later.'}
            </p>
          </div>
        )}
      </footer>
    </section>
  );
}

function Narrow({
  asks,
  without,
  onChange,
}: {
  readonly asks: Script['proposed_grant'];
  readonly without: Narrowing;
  readonly onChange: (next: Narrowing) => void;
}) {
  const end = useId();
  const groups = [
    { key: 'secrets', label: 'Secrets', items: Object.keys(asks.secrets) },
    { key: 'hosts', label: 'Hosts', items: hostsOf(asks) },
    { key: 'methods', label: 'Methods', items: asks.methods },
  ] as const;
  return (
    <div className="flex flex-wrap gap-x-8 gap-y-3" data-testid="script-narrow">
      {groups.map(
        ({ key, label, items }) =>
          items.length > 0 && (
            <fieldset key={key} className="flex min-w-0 flex-col gap-1">
              <legend className="mb-1 text-mini font-medium text-muted">{label}: give it</legend>
              {items.map((item) => {
                const given = !without[key].includes(item);
                return (
                  <label key={item} className="flex min-h-6 items-center gap-2 text-meta max-md:min-h-10">
                    <input
                      type="checkbox"
                      checked={given}
                      onChange={() =>
                        onChange({
                          ...without,
                          [key]: given
                            ? [...without[key], item]
                            : without[key].filter((each) => each !== item),
                        })
                      }
                      className="size-4 shrink-0 accent-accent"
                    />
                    <code className="min-w-0 wrap-anywhere">{item}</code>
                  </label>
                );
              })}
            </fieldset>
          ),
      )}
      <div className="flex flex-col gap-1">
        <label htmlFor={end} className="text-mini font-medium text-muted">
          How long
        </label>
        <select
          id={end}
          value={String(without.end?.days ?? null)}
          onChange={({ target }) => onChange({ ...without, end: endAfter(target.value) })}
          className={cx(INPUT_CLASS, 'w-auto')}
          data-testid="script-expiry"
        >
          {ENDS.map(([days, words]) => (
            <option key={words} value={String(days)}>
              {words}
            </option>
          ))}
        </select>
      </div>
    </div>
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

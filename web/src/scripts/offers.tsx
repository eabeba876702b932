import { useState } from 'react';
import { Digest } from '../approvals/approval-card.tsx';
import type { Script } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { ExactText } from '../ui/exact-text.tsx';
import { Time } from '../ui/time.tsx';
import { additions, cannotExtend, extended, placesFor, type Offer } from './extend-grant.ts';
import { grantSentences } from './narrow-grant.ts';
import type { ScriptAct } from './use-script-act.ts';

const EXTEND = 'Extend the grant';
const DISMISS = 'Dismiss';

/** What runs asked for and were refused. Each can be given, one at a time, in the way that an approval gives it. */
export function Offers({ script, act }: { readonly script: Script; readonly act: ScriptAct }) {
  /** With the script as it was when it was asked for: what is decided is what the dialog showed from the beginning. */
  const [taking, setTaking] = useState<{ readonly offer: Offer; readonly of: Script } | null>(null);
  const dialog = taking && (
    <Extend script={taking.of} offer={taking.offer} act={act} onClose={() => setTaking(null)} />
  );
  // In a place of its own, so that it stays when what was offered goes meanwhile.
  return (
    <>
      {script.offers.length > 0 && <List script={script} act={act} onTake={setTaking} />}
      {dialog}
    </>
  );
}

function List({
  script,
  act,
  onTake,
}: {
  readonly script: Script;
  readonly act: ScriptAct;
  readonly onTake: (taking: { readonly offer: Offer; readonly of: Script }) => void;
}) {
  return (
    <section
      aria-labelledby="script-offers"
      className="flex flex-col rounded-lg border border-ask-line"
      data-testid="script-offers"
    >
      <h2
        id="script-offers"
        className="rounded-t-lg border-b border-ask-line bg-ask-soft px-4 py-2 text-meta font-medium"
      >
        Refused while it ran, because it is not in the grant
      </h2>
      <ul className="flex flex-col divide-y divide-line">
        {script.offers.map((offer) => {
          const cannot = cannotExtend(script, offer);
          return (
            <li
              key={`${offer.kind} ${offer.what}`}
              className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 text-meta"
              data-testid="script-offer"
              data-what={offer.what}
            >
              <div className="flex min-w-0 flex-1 flex-col max-md:basis-full">
                <span className="wrap-anywhere">
                  The {offer.kind}{' '}
                  <code className="font-medium">
                    <ExactText text={offer.what} />
                  </code>
                </span>
                <span className="text-mini text-muted">
                  {offer.times === 1 ? 'Once, ' : `${offer.times} times, last `}
                  <Time iso={offer.last_at} />
                  {cannot !== null && `. ${cannot}`}
                </span>
              </div>
              {cannot === null && (
                <Button
                  small
                  disabled={act.busy !== null}
                  onClick={() => onTake({ offer, of: script })}
                  data-testid="script-offer-take"
                >
                  Give it this {offer.kind}…
                </Button>
              )}
              <Button
                small
                tone="quiet"
                aria-label={`Dismiss: the ${offer.kind} ${offer.what}`}
                disabled={act.busy !== null}
                onClick={() =>
                  void act.run({
                    method: 'POST',
                    path: '/offers/dismiss',
                    body: { kind: offer.kind, what: offer.what, hash: offer.hash },
                    done: 'Dismissed. It is still refused, and shown again when a newer version is refused it.',
                    act: DISMISS,
                  })
                }
                data-testid="script-offer-dismiss"
              >
                {DISMISS}
              </Button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Extend({
  script,
  offer,
  act,
  onClose,
}: {
  readonly script: Script;
  readonly offer: Offer;
  readonly act: ScriptAct;
  readonly onClose: () => void;
}) {
  const grant = script.grant ?? script.proposed_grant;
  const possible = offer.kind === 'secret' ? placesFor(script, grant, offer.what) : [];
  const [places, setPlaces] = useState(possible);
  const next = extended(grant, offer, places);
  return (
    <Confirm
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Give ${script.name} this ${offer.kind}?`}
      act={EXTEND}
      tone="primary"
      onAct={async () => {
        await act.run({
          method: 'POST',
          path: '/approve',
          body: { hash: script.hash, revision: script.revision, grant: next },
          hash: script.hash,
          done: 'The grant is extended. Disabling the script takes all of it back at once.',
          act: EXTEND,
        });
      }}
      testId="script-extend"
    >
      <div className="flex flex-col gap-3">
        <p className="font-medium text-ink" data-testid="script-extend-adds">
          <ExactText text={additions(grant, offer, places)} />
        </p>
        {possible.length > 0 && (
          <fieldset className="flex flex-col">
            <legend className="mb-1 text-mini font-medium">Hosts to which it may send the secret</legend>
            {possible.map((host) => (
              <label
                key={host}
                className="flex min-h-7 items-center gap-2 text-meta text-ink max-md:min-h-10"
              >
                <input
                  type="checkbox"
                  checked={places.includes(host)}
                  onChange={() =>
                    setPlaces(
                      places.includes(host) ? places.filter((each) => each !== host) : [...places, host],
                    )
                  }
                  className="size-4 shrink-0 accent-accent"
                />
                <code className="wrap-anywhere">{host}</code>
              </label>
            ))}
          </fieldset>
        )}
        <div className="flex flex-col gap-1">
          <p className="text-mini font-medium">Everything that it may do then</p>
          <ul className="flex list-disc flex-col pl-5 text-meta" data-testid="script-extend-grant">
            {grantSentences(next, script.quotas.usual).map((line) => (
              <li key={line} className="wrap-anywhere">
                <ExactText text={line} />.
              </li>
            ))}
          </ul>
        </div>
        <p className="text-meta">
          It counts for this text alone. A run that is under way is stopped, because it began with less.
        </p>
        <Digest value={script.hash.replace(/^sha256:/, '')} what="Fingerprint of this version" />
      </div>
    </Confirm>
  );
}

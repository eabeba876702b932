// Guarantees: what a run was refused stays away from the owner's page only where a person dismissed it, for the text that
// was refused it and for no other; that and its entry in the audit log are one transaction. Dismissing gives and takes no
// power: the run is refused as before, and each refusal stands in the audit log.
// Does not: know who is logged in (the edge does).
// An attacker may control: the texts of an offer, and how many there are.
import { AppError, principalText, type Clock, type Principal } from '../../core/index.ts';
import type { Transactions } from '../../host/storage/index.ts';
import type { ScriptOfferRow, ScriptStore } from '../../host/storage/script-store.ts';
import type { Audit } from '../audit/index.ts';
import type { ScriptLibrary } from './library.ts';

export interface DismissDeps {
  readonly library: Pick<ScriptLibrary, 'require'>;
  readonly store: ScriptStore;
  readonly database: Transactions;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** `hash`: of the text that was refused, as it was shown. A second time it does nothing. Errors: `not_found`, `not_a_person`. */
export function dismissOffer(
  { library, store, database, audit, clock }: DismissDeps,
  offer: Pick<ScriptOfferRow, 'name' | 'hash' | 'kind' | 'what'>,
  by: Principal,
): void {
  if (by.kind !== 'user')
    throw new AppError({
      family: 'forbidden',
      code: 'not_a_person',
      message: 'Only a person can dismiss what a script was refused.',
    });
  const { name, hash, kind, what } = offer;
  library.require(name);
  database.tx(() => {
    if (store.isDismissed(offer)) return;
    const open = store
      .offers(name)
      .some((row) => row.hash === hash && row.kind === kind && row.what === what);
    if (!open)
      throw new AppError({
        family: 'missing',
        code: 'not_found',
        message: 'That is not offered any more.',
        fix: 'Look at the script as it is now.',
      });
    store.dismissOffer(offer, { at: clock.now(), by: principalText(by) });
    audit.append({
      event: 'script.offer_dismissed',
      principal: by,
      origin: 'page',
      target: name,
      outcome: 'ok',
      details: { hash, kind, what },
    });
  });
}

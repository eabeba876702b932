import type { Script, ScriptGrantView } from '../api/types.ts';
import { boundHosts, hostsOf } from './narrow-grant.ts';

export type Offer = Script['offers'][number];

/** Where a secret of an offer could be sent: where the text wants it, at hosts that the grant has already. */
export function placesFor(script: Script, grant: ScriptGrantView, secret: string): readonly string[] {
  const wanted = script.proposed_grant.secrets[secret];
  const reached = hostsOf(grant);
  return wanted === undefined ? [] : boundHosts(wanted).filter((host) => reached.includes(host));
}

/** Why an offer can't be taken up as things stand; null: it can. */
export function cannotExtend(script: Script, offer: Offer): string | null {
  const { grant } = script;
  if (grant === null || script.approved_hash !== script.hash)
    return 'Decide on the newest version first: what it may do is decided there.';
  if (script.refused?.code === 'approval_expired')
    return 'The approval has run out: approve this version anew first.';
  if (offer.kind !== 'secret') return null;
  if (!script.required_secrets.includes(offer.what))
    return 'The text does not declare it in "# @secrets:". Only a new version that does can be given it.';
  return placesFor(script, grant, offer.what).length === 0
    ? 'It may speak to no host where this secret may be sent.'
    : null;
}

/** The grant with what was offered, and nothing else. `places`: of a secret. */
export function extended(grant: ScriptGrantView, offer: Offer, places: readonly string[]): ScriptGrantView {
  switch (offer.kind) {
    case 'host':
      return { ...grant, hosts: [...new Set([...grant.hosts, offer.what])] };
    case 'method':
      return { ...grant, methods: [...new Set([...grant.methods, offer.what])] };
    case 'secret':
      return { ...grant, secrets: { ...grant.secrets, [offer.what]: [...places] } };
  }
}

/** Exactly what becomes possible that is not now. */
export function additions(grant: ScriptGrantView, offer: Offer, places: readonly string[]): string {
  const methods = grant.methods.length === 0 ? 'no method yet' : grant.methods.join(', ');
  switch (offer.kind) {
    case 'host':
      return `It may then speak to ${offer.what} with ${methods}. No secret may be sent there.`;
    case 'method':
      return `It may then use ${offer.what} with every host that it has: ${hostsOf(grant).join(', ') || 'none'}.`;
    case 'secret':
      return places.length === 0
        ? `It may then hold the secret ${offer.what}, and send it nowhere.`
        : `It may then send the secret ${offer.what} to ${places.join(', ')}, in any part of a request.`;
  }
}

// Guarantees: what a run sends goes to a host of the grant under which it began, and with a secret only to an origin of that
// secret. This compares the request as it leaves, after the broker judged it and whatever became of it since.
// Does not: judge methods, places and addresses (the broker and the egress guard do).
// An attacker may control: everything in the request, where the broker is mistaken.
import type { OutgoingRequest, ScriptGrant } from '../secrets/broker/index.ts';

export function mayLeave(
  { url, secrets }: Pick<OutgoingRequest, 'url' | 'secrets'>,
  grant: ScriptGrant,
): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, host, hostname, port, protocol } = new URL(url);
  // URL leaves the usual port out; a grant may name it.
  const names = port === '' ? [host, `${hostname}:${protocol === 'https:' ? 443 : 80}`] : [host];
  const granted = [...grant.secrets.values()];
  return (
    (granted.some(({ origins }) => origins.includes(origin)) ||
      names.some((name) => grant.hosts.includes(name))) &&
    secrets.every((name) => grant.secrets.get(name)?.origins.includes(origin) === true)
  );
}

import type { Json, ScriptGrantView } from '../api/types.ts';

/** What the owner leaves out of what a script asks for. */
export interface Narrowing {
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
  readonly methods: readonly string[];
  /** When it runs out, as the owner chose it; null: not by itself. */
  readonly end: { readonly days: number; readonly at: string } | null;
}

export const NOTHING_LEFT_OUT: Narrowing = { hosts: [], secrets: [], methods: [], end: null };

/** The origins that a secret is bound to, as hosts. */
export function boundHosts(binding: Json): readonly string[] {
  const list = Array.isArray(binding) ? binding : ((binding as { origins?: readonly Json[] }).origins ?? []);
  return list.map((origin) => String(origin).replace(/^https:\/\//, ''));
}

/** Every host that is granted by itself or as the place of a secret. */
export function hostsOf({ hosts, secrets }: ScriptGrantView): readonly string[] {
  return [...new Set([...hosts, ...Object.values(secrets).flatMap(boundHosts)])].toSorted();
}

/** A grant without what was left out: a secret loses the hosts that are left out as well. */
export function narrowed(grant: ScriptGrantView, without: Narrowing): ScriptGrantView {
  const stays = (host: string): boolean => !without.hosts.includes(host.replace(/^https:\/\//, ''));
  const secrets = Object.entries(grant.secrets)
    .filter(([name]) => !without.secrets.includes(name))
    .map(([name, binding]): [string, Json] => {
      if (Array.isArray(binding)) return [name, binding.filter((host) => stays(String(host)))];
      const bound = binding as { readonly origins?: readonly string[] };
      return [name, { ...bound, origins: (bound.origins ?? []).filter(stays) }];
    });
  return {
    ...grant,
    secrets: Object.fromEntries(secrets),
    hosts: grant.hosts.filter(stays),
    methods: grant.methods.filter((method) => !without.methods.includes(method)),
    ...(without.end === null ? {} : { expires_at: without.end.at }),
  };
}

/** What a grant gives, as sentences: the owner reads them once more before approving. */
export function grantSentences(grant: ScriptGrantView): readonly string[] {
  const hosts = hostsOf(grant);
  const methods = grant.methods.length === 0 ? 'no method' : grant.methods.join(', ');
  const lines = Object.entries(grant.secrets).map(([name, binding]) => {
    const to = boundHosts(binding);
    return to.length === 0 ? `${name} may be sent nowhere` : `${name} may be sent to ${to.join(', ')}`;
  });
  return [
    hosts.length === 0 ? 'It reaches no host' : `It reaches ${hosts.join(', ')} with ${methods}`,
    Object.keys(grant.secrets).length === 0 ? 'It gets no secret' : lines.join('; '),
    grant.expires_at === undefined
      ? 'It holds for this text until you take it back'
      : `It runs out at ${grant.expires_at.slice(0, 16).replace('T', ' ')} UTC`,
  ];
}

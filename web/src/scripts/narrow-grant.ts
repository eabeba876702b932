import type { Json, Script, ScriptGrantView, ScriptQuotas } from '../api/types.ts';

export type QuotaName = keyof ScriptQuotas;

/** What the owner leaves out of what a script asks for, and how much and how long it may. */
export interface Narrowing {
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
  readonly methods: readonly string[];
  /** When it runs out, as the owner chose it; null: not by itself. */
  readonly end: { readonly days: number; readonly at: string } | null;
  /** As they were typed, bytes in MiB; empty: the usual limit. */
  readonly quotas: Readonly<Record<QuotaName, string>>;
}

const MIB = 1024 * 1024;
export const QUOTA_NAMES: readonly QuotaName[] = ['runs_per_hour', 'requests_per_hour', 'bytes_per_hour'];

/** Everything that it asks for, with the limits that the approved version has. */
export function nothingLeftOut(script: Pick<Script, 'grant'>): Narrowing {
  const before = script.grant?.quotas ?? {};
  return {
    hosts: [],
    secrets: [],
    methods: [],
    end: null,
    quotas: {
      runs_per_hour: typed('runs_per_hour', before.runs_per_hour),
      requests_per_hour: typed('requests_per_hour', before.requests_per_hour),
      bytes_per_hour: typed('bytes_per_hour', before.bytes_per_hour),
    },
  };
}

/** A limit as it stands in its field. */
export function typed(name: QuotaName, value: number | undefined): string {
  if (value === undefined) return '';
  return String(name === 'bytes_per_hour' ? value / MIB : value);
}

/** Undefined for an empty field, null for what is no limit that can be given. */
export function readQuota(name: QuotaName, text: string, most: ScriptQuotas): number | null | undefined {
  if (text.trim() === '') return undefined;
  const number = Number(text.trim());
  const value = name === 'bytes_per_hour' ? Math.round(number * MIB) : number;
  return Number.isSafeInteger(value) && value >= 0 && value <= most[name] ? value : null;
}

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
export function narrowed(grant: ScriptGrantView, without: Narrowing, most: ScriptQuotas): ScriptGrantView {
  const stays = (host: string): boolean => !without.hosts.includes(host.replace(/^https:\/\//, ''));
  const secrets = Object.entries(grant.secrets)
    .filter(([name]) => !without.secrets.includes(name))
    .map(([name, binding]): [string, Json] => {
      if (Array.isArray(binding)) return [name, binding.filter((host) => stays(String(host)))];
      const bound = binding as { readonly origins?: readonly string[] };
      return [name, { ...bound, origins: (bound.origins ?? []).filter(stays) }];
    });
  const quotas = Object.fromEntries(
    QUOTA_NAMES.flatMap((name) => {
      const value = readQuota(name, without.quotas[name], most);
      return typeof value === 'number' ? [[name, value]] : [];
    }),
  );
  return {
    ...grant,
    secrets: Object.fromEntries(secrets),
    hosts: grant.hosts.filter(stays),
    methods: grant.methods.filter((method) => !without.methods.includes(method)),
    ...(without.end === null ? {} : { expires_at: without.end.at }),
    ...(Object.keys(quotas).length === 0 ? {} : { quotas }),
  };
}

export function bytes(count: number): string {
  if (count >= MIB) return `${Number((count / MIB).toFixed(1))} MiB`;
  return count >= 1024 ? `${Number((count / 1024).toFixed(1))} KiB` : `${count} bytes`;
}

/** Where it reaches and with what, in one line. */
export function grantOf(grant: ScriptGrantView): string {
  const secrets = Object.keys(grant.secrets);
  const hosts = hostsOf(grant);
  const reach =
    hosts.length === 0 ? 'no host' : `${grant.methods.join(', ') || 'no method'} to ${hosts.join(', ')}`;
  return secrets.length === 0 ? `${reach}, no secret` : `${reach}, with ${secrets.join(', ')}`;
}

/** What a grant gives, as sentences: the owner reads them once more before approving. */
export function grantSentences(grant: ScriptGrantView, usual: ScriptQuotas): readonly string[] {
  const hosts = hostsOf(grant);
  const methods = grant.methods.length === 0 ? 'no method' : grant.methods.join(', ');
  const lines = Object.entries(grant.secrets).map(([name, binding]) => {
    const to = boundHosts(binding);
    return to.length === 0 ? `${name} may be sent nowhere` : `${name} may be sent to ${to.join(', ')}`;
  });
  const most = { ...usual, ...grant.quotas };
  return [
    hosts.length === 0 ? 'It reaches no host' : `It reaches ${hosts.join(', ')} with ${methods}`,
    Object.keys(grant.secrets).length === 0 ? 'It gets no secret' : lines.join('; '),
    hosts.length === 0
      ? `In an hour it runs at most ${most.runs_per_hour} times`
      : `In an hour it runs at most ${most.runs_per_hour} times, with ${most.requests_per_hour} requests and ${bytes(most.bytes_per_hour)} of answers`,
    grant.expires_at === undefined
      ? 'It holds for this text until you take it back'
      : `It runs out at ${grant.expires_at.slice(0, 16).replace('T', ' ')} UTC`,
  ];
}

/** What a script may do, in words, with what is new against the last approved version, and what can't be known. */
import type { GrantView, Quotas } from './grants.ts';
import type { ScriptHeader } from './header.ts';
import type { Analysis } from './ports.ts';

export interface PowerLine {
  readonly kind: 'secret' | 'host' | 'method' | 'limit' | 'none';
  readonly text: string;
  /** Not so in the last approved version. */
  readonly fresh: boolean;
}

export interface Power {
  /** One line for lists. */
  readonly summary: string;
  readonly lines: readonly PowerLine[];
  /** What nobody can tell before it runs, and what will not work as it stands. */
  readonly warnings: readonly string[];
}

const MIB = 1024 * 1024;
const UNDECIDED = {
  url: 'puts an address together while it runs; only the hosts of the grant are reached, whatever it says',
  secret: 'puts the name of a secret together while it runs; only the secrets of the grant are found',
  http: 'hands the module http on, so that not every request can be read off the text',
  secrets: 'hands the module secrets on, so that not every use can be read off the text',
} as const;

const LIMIT_WORDS: Readonly<Record<keyof Quotas, string>> = {
  runs_per_hour: 'has a limit on runs:',
  requests_per_hour: 'has a limit on requests:',
  bytes_per_hour: 'has a limit on the bytes of answers:',
};

export function powerOf(
  grant: GrantView,
  before: GrantView | undefined,
  facts: { readonly header: ScriptHeader; readonly analysis: Analysis },
): Power {
  const lines: PowerLine[] = [];
  const secrets = Object.entries(grant.secrets);
  for (const [name, value] of secrets) {
    const { origins, places } = bindingOf(value);
    const old = before?.secrets[name];
    const where = places === undefined ? 'in any part of a request' : `in ${places.join(', ')}`;
    lines.push({
      kind: 'secret',
      text:
        origins.length === 0
          ? `holds the secret ${name}, and may send it nowhere`
          : `may send the secret ${name} to ${origins.join(', ')}, ${where}`,
      fresh: old === undefined || JSON.stringify(old) !== JSON.stringify(value),
    });
  }
  const methods = grant.methods.length === 0 ? 'no method' : grant.methods.join(', ');
  for (const host of reach(grant)) {
    lines.push({
      kind: 'host',
      text: `may speak to ${host} (${methods})`,
      fresh: before === undefined || !reach(before).includes(host),
    });
  }
  for (const method of grant.methods) {
    if (before === undefined || before.methods.includes(method)) continue;
    lines.push({ kind: 'method', text: `may use ${method}`, fresh: true });
  }
  if (lines.length === 0)
    lines.push({ kind: 'none', text: 'computes only: no secret, no host', fresh: false });
  const { quotas, expires_at: expires } = grant;
  for (const [name, value] of Object.entries(quotas ?? {}))
    lines.push({
      kind: 'limit',
      text: `${LIMIT_WORDS[name as keyof Quotas]} at most ${amount(name, value)} in an hour`,
      fresh: false,
    });
  if (expires !== undefined)
    lines.push({ kind: 'limit', text: `may do this until ${expires}`, fresh: false });
  return { summary: summary(grant), lines, warnings: warnings(grant, facts) };
}

function amount(quota: string, value: number): string {
  return quota === 'bytes_per_hour' && value > 0 && value % MIB === 0 ? `${value / MIB} MiB` : String(value);
}

/** Hosts that are granted by themselves or as the place of a secret. */
function reach(grant: GrantView): string[] {
  const bound = Object.values(grant.secrets).flatMap((value) =>
    bindingOf(value).origins.map((origin) => origin.replace(/^https:\/\//, '')),
  );
  return [...new Set([...grant.hosts, ...bound])].toSorted();
}

function bindingOf(value: unknown): { origins: readonly string[]; places: readonly string[] | undefined } {
  if (Array.isArray(value)) return { origins: value.map(String), places: undefined };
  const { origins, in: places } = value as { origins?: readonly string[]; in?: readonly string[] };
  return { origins: origins ?? [], places };
}

function summary(grant: GrantView): string {
  const names = Object.keys(grant.secrets);
  const hosts = reach(grant);
  if (names.length === 0 && hosts.length === 0) return 'Computes only.';
  const to = hosts.length === 0 ? 'no host' : hosts.join(', ');
  const how = grant.methods.length === 0 ? 'Nothing' : grant.methods.join(', ');
  return `${how} to ${to}${names.length === 0 ? '' : ` with ${names.join(', ')}`}.`;
}

function warnings(
  grant: GrantView,
  { header, analysis }: { readonly header: ScriptHeader; readonly analysis: Analysis },
): string[] {
  const hosts = reach(grant);
  const free = Object.entries(grant.secrets)
    .filter(([, value]) => {
      const { origins, places } = bindingOf(value);
      return (
        origins.length > 0 && (places === undefined || places.includes('body') || places.includes('path'))
      );
    })
    .map(([name]) => name);
  return [
    ...analysis.problems.map(({ line, message }) => `Line ${line}: ${message}`),
    ...header.problems.map((problem) => `In its header: ${problem}.`),
    ...analysis.undecided.map(({ line, what }) => `Line ${line}: it ${UNDECIDED[what]}.`),
    ...analysis.secrets
      .filter((name) => header.secrets?.includes(name) !== true)
      .map((name) => `It asks for the secret ${name}, which its header does not declare: it gets None.`),
    ...analysis.hosts
      .filter((host) => !hosts.includes(host))
      .map((host) => `It names the host ${host}, which is not in the grant: such a request is refused.`),
    ...(free.length === 0
      ? []
      : [
          `${free.join(', ')} may stand in the body or the path of a request, which can publish it on the host that it goes to.`,
        ]),
  ];
}

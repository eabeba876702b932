/** What a script may do, in words, with what is new against the last approved version, and what can't be known. */
import { USUAL_QUOTAS, type GrantView } from './grants.ts';
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

export function powerOf(
  grant: GrantView,
  before: GrantView | undefined,
  facts: { readonly header: ScriptHeader; readonly analysis: Analysis },
): Power {
  const lines: PowerLine[] = [];
  const secrets = Object.entries(grant.secrets);
  for (const [name, value] of secrets) {
    const { origins, places, answers } = bindingOf(value);
    const old = before?.secrets[name];
    const place =
      places === undefined
        ? 'in any part of a request'
        : places.length === 0
          ? 'in no part of a request'
          : `in ${places.join(', ')}`;
    const where =
      answers === 'shown' ? `${place}, and sees the answers even where it could be guessed` : place;
    lines.push({
      kind: 'secret',
      text:
        origins.length === 0
          ? `holds the secret ${name}, and may send it nowhere`
          : `may send the secret ${name} to ${origins.join(', ')}, ${where}`,
      fresh: old === undefined || meaning(old) !== meaning(value),
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
  lines.push(...limits(grant, before));
  const broken = facts.analysis.problems.length > 0;
  return {
    summary: broken ? "The text has mistakes, so it can't run." : summary(grant),
    lines,
    warnings: warnings(grant, facts),
  };
}

/** `fresh`: more than in the last approved version. */
function limits(grant: GrantView, before: GrantView | undefined): PowerLine[] {
  const quotas = { ...USUAL_QUOTAS, ...grant.quotas };
  const old = { ...USUAL_QUOTAS, ...before?.quotas };
  const traffic =
    reach(grant).length === 0
      ? ''
      : `, with ${quotas.requests_per_hour} requests and ${sizeOf(quotas.bytes_per_hour)} of answers`;
  const more =
    quotas.runs_per_hour > old.runs_per_hour ||
    quotas.requests_per_hour > old.requests_per_hour ||
    quotas.bytes_per_hour > old.bytes_per_hour;
  const text = `runs at most ${quotas.runs_per_hour} times in an hour${traffic}`;
  const lines: PowerLine[] = [{ kind: 'limit', text, fresh: before !== undefined && more }];
  const [end, oldEnd] = [grant.expires_at, before?.expires_at];
  if (end !== undefined)
    lines.push({
      kind: 'limit',
      text: `holds until ${end}`,
      fresh: oldEnd !== undefined && Date.parse(end) > Date.parse(oldEnd),
    });
  else if (oldEnd !== undefined) lines.push({ kind: 'limit', text: 'holds without an end', fresh: true });
  const hidden = grant.hidden_fields ?? [];
  for (const field of hidden)
    lines.push({ kind: 'limit', text: `is not shown ${field} in answers`, fresh: false });
  for (const field of before?.hidden_fields ?? [])
    if (!hidden.includes(field))
      lines.push({ kind: 'limit', text: `is shown ${field} in answers, which was hidden`, fresh: true });
  return lines;
}

function sizeOf(bytes: number): string {
  return bytes > 0 && bytes % MIB === 0 ? `${bytes / MIB} MiB` : `${bytes} bytes`;
}

/** Hosts that are granted by themselves or as the place of a secret. */
function reach(grant: GrantView): string[] {
  const bound = Object.values(grant.secrets).flatMap((value) =>
    bindingOf(value).origins.map((origin) => origin.replace(/^https:\/\//, '')),
  );
  return [...new Set([...grant.hosts, ...bound])].toSorted();
}

function bindingOf(value: unknown): {
  readonly origins: readonly string[];
  readonly places: readonly string[] | undefined;
  readonly answers: string | undefined;
} {
  if (Array.isArray(value)) return { origins: value.map(String), places: undefined, answers: undefined };
  const binding = value as { origins?: readonly string[]; in?: readonly string[]; answers?: string };
  return { origins: binding.origins ?? [], places: binding.in, answers: binding.answers };
}

/** Equal for two that allow the same, however they are written. */
function meaning(value: unknown): string {
  const { origins, places, answers } = bindingOf(value);
  const hosts = origins.map((origin) => origin.replace(/^https:\/\//, '').replace(/:443$/, ''));
  return JSON.stringify([hosts.toSorted(), places?.toSorted() ?? null, answers === 'shown']);
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

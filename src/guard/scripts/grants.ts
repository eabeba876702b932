// Guarantees: what is stored as a grant was read by the broker's own reader, holds no secret that the script's header does
// not declare, and is kept in one spelling, so that two grants are equal when their texts are.
// Does not: decide what is wise; the owner does, and sees it in words (`power.ts`).
// An attacker may control: the script's header and its literals, which only propose.
import { AppError, canonicalJson, isJsonObject, type Json } from '../../core/index.ts';
import { parseGrant, type ScriptGrant, type SecretGrant } from '../secrets/broker/index.ts';
import type { ScriptHeader } from './header.ts';
import type { Analysis } from './ports.ts';

/** The rest of an hour is the measure of all three. */
export interface Quotas {
  readonly runs_per_hour?: number;
  readonly requests_per_hour?: number;
  readonly bytes_per_hour?: number;
}

/** As the API speaks of it. */
export interface GrantView {
  readonly secrets: Readonly<Record<string, Json>>;
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  readonly hidden_fields?: readonly string[];
  /** ISO time: from then on the script does not run. */
  readonly expires_at?: string;
  readonly quotas?: Quotas;
}

export interface Granted {
  readonly view: GrantView;
  /** Canonical JSON of the view. */
  readonly text: string;
  readonly grant: ScriptGrant;
  /** Milliseconds. */
  readonly expiresAt: number | undefined;
  readonly quotas: Required<Quotas>;
}

/** What counts where a grant says nothing. */
export const USUAL_QUOTAS: Required<Quotas> = {
  runs_per_hour: 60,
  requests_per_hour: 600,
  bytes_per_hour: 200 * 1024 * 1024,
};
/** What a grant can give. */
export const MOST_QUOTAS: Required<Quotas> = {
  runs_per_hour: 10_000,
  requests_per_hour: 100_000,
  bytes_per_hour: 10 * 1024 * 1024 * 1024,
};

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

function refuse(message: string): AppError {
  return new AppError({
    family: 'input',
    code: 'grant_invalid',
    message,
    fix: 'Correct the grant; what the script asks for is its proposed grant.',
  });
}

/** Errors: input `grant_invalid`. */
export function readGranted(data: unknown): Granted {
  if (!isJsonObject(data)) throw refuse('The grant is not an object.');
  const { expires_at: expires, quotas, ...rest } = data;
  const grant = parseGrant(rest);
  const given = isJsonObject(rest['secrets']) ? rest['secrets'] : {};
  let expiresAt: number | undefined;
  if (expires !== undefined && expires !== null) {
    // Without a zone it would be an hour of the machine's own.
    expiresAt = typeof expires === 'string' && TIME.test(expires) ? Date.parse(expires) : NaN;
    // Beyond the year 9999 a time is written in another way, and could not be read again.
    if (!Number.isFinite(expiresAt) || !TIME.test(new Date(expiresAt).toISOString()))
      throw refuse('"expires_at" is not a time such as 2030-01-31T12:00:00Z.');
  }
  const limits = readQuotas(quotas);
  const view: GrantView = {
    secrets: Object.fromEntries(
      [...grant.secrets]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, secret]) => [name, secretView(secret, Array.isArray(given[name]))]),
    ),
    hosts: [...new Set(grant.hosts)].toSorted(),
    methods: [...new Set(grant.methods)].toSorted(),
    ...(Array.isArray(rest['hidden_fields']) && rest['hidden_fields'].length > 0
      ? { hidden_fields: rest['hidden_fields'] as readonly string[] }
      : {}),
    ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
    ...(Object.keys(limits).length === 0 ? {} : { quotas: limits }),
  };
  return { view, text: canonicalJson(view), grant, expiresAt, quotas: { ...USUAL_QUOTAS, ...limits } };
}

/** `asList`: in the short form, in which it came. */
function secretView({ origins, in: places, showAnswers }: SecretGrant, asList: boolean): Json {
  const once = [...new Set(origins)].toSorted();
  if (asList) return once.map((origin) => origin.slice('https://'.length));
  return {
    origins: once,
    ...(places === undefined ? {} : { in: [...new Set(places)].toSorted() }),
    ...(showAnswers ? { answers: 'shown' } : {}),
  };
}

function readQuotas(data: Json | undefined): Quotas {
  if (data === undefined || data === null) return {};
  if (!isJsonObject(data)) throw refuse('"quotas" is not an object.');
  for (const [name, value] of Object.entries(data)) {
    if (!Object.hasOwn(MOST_QUOTAS, name))
      throw refuse(`"quotas" has the unknown member "${name.slice(0, 80)}".`);
    const most = MOST_QUOTAS[name as keyof Quotas];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most)
      throw refuse(`The quota ${name} is not a whole number from 0 to ${most}.`);
  }
  return data;
}

/** What a script asks for: the secrets of its header, the hosts of its header or of its literals, its methods. */
export function proposeGrant(
  header: ScriptHeader,
  analysis: Analysis,
  boundHosts: (secret: string) => readonly string[] | undefined,
): GrantView {
  const hosts = header.hosts ?? analysis.hosts;
  return {
    secrets: Object.fromEntries(
      (header.secrets ?? []).map((name) => {
        const bound = boundHosts(name);
        return [name, hosts.filter((host) => bound === undefined || bound.includes(host))];
      }),
    ),
    hosts,
    methods: analysis.methods,
  };
}

/** Errors: input `grant_invalid` for a secret that the header does not declare. */
export function requireDeclared(granted: Granted, header: ScriptHeader): void {
  const stray = Object.keys(granted.view.secrets).find((name) => header.secrets?.includes(name) !== true);
  if (stray === undefined) return;
  throw refuse(
    `The script does not declare the secret ${stray}: a grant holds only what stands in "# @secrets:".`,
  );
}

/** The grant without what the settings of its secrets say against: an approval never widens where a secret may be sent. */
export function narrowToBound(
  grant: ScriptGrant,
  settings: { mayReach(name: string, host: string): boolean },
): ScriptGrant {
  const secrets = [...grant.secrets].map(([name, secret]) => {
    const origins = secret.origins.filter((origin) => settings.mayReach(name, new URL(origin).host));
    return [name, { ...secret, origins }] as const;
  });
  return { ...grant, secrets: new Map(secrets) };
}

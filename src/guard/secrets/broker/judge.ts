// Guarantees: whether a request may be sent depends on its shape, the grant and the public facts of its secrets. No value
// is opened here. Every reference, those inside hashes too, must be granted, bound to the origin and allowed in its place.
// Does not: check the address that the host has (the sender does that for every hop).
// An attacker may control: everything in the request.
import { referencesOf, type WireNode, type WireRope } from '../../../sandbox/wire/index.ts';
import type { Placement, ScriptGrant } from './grant.ts';
import type { SecretClass, SecretFacts } from './ports.ts';
import type { References } from './references.ts';
import type { RefusalCode } from './refusals.ts';
import { planUrl, type UrlPlan } from './url-plan.ts';

export interface Request {
  readonly method: string;
  readonly url: WireRope;
  /** Names in lower case once judged. */
  readonly headers: readonly (readonly [name: string, value: WireRope])[];
  readonly body: WireRope;
}

export interface JudgedRequest extends Request {
  readonly plan: UrlPlan;
  /** Ids of all references in it. */
  readonly carried: ReadonlySet<string>;
}

export type Judgement = { readonly allowed: JudgedRequest } | { readonly refused: JudgeRefusal };

export interface JudgeRefusal {
  readonly code: RefusalCode;
  /** Where it was to go, when that is known. */
  readonly host: string | null;
  /** The public name that it is about. */
  readonly about: string | undefined;
}

export interface Judge {
  judge(request: Request): Judgement;
  /** The class of a reference that this run may use; undefined for all others. */
  factsOf(id: string): SecretFacts | undefined;
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** They decide about framing, routing, or what the sender has to know. */
const RESERVED =
  /^(?:host|content-length|content-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|accept-encoding|http2-settings|proxy-.*|sec-.*)$/;
const HEADER_TEXT = /^[\t\x20-\x7e]*$/;

export interface JudgeDeps {
  readonly grant: ScriptGrant;
  readonly facts: (name: string) => SecretFacts | undefined;
  /** What the settings of the secret say now. */
  readonly mayReach: (name: string, origin: string) => boolean;
  readonly references: References;
}

export function createJudge(deps: JudgeDeps): Judge {
  const { grant, references } = deps;
  const origins = new Set([...grant.secrets.values()].flatMap((secret) => secret.origins));

  function factsOf(id: string): SecretFacts | undefined {
    if (grant.secrets.has(id)) return deps.facts(id);
    const found = references.find(id);
    if (found?.value === undefined) return undefined;
    const valueClass: SecretClass = /^[\x21-\x7e]+$/.test(found.value) ? 'token' : 'text';
    return { class: valueClass, strength: 'strong' };
  }

  /** Why a reference may not go to this origin. */
  function boundTo(id: string, origin: string): RefusalCode | undefined {
    const secret = grant.secrets.get(id);
    if (secret === undefined) {
      const found = references.find(id);
      if (found === undefined) return 'secret_not_granted';
      if (found.value === undefined) return 'secret_inert';
      return found.origin === origin ? undefined : 'secret_not_bound';
    }
    const facts = deps.facts(id);
    if (facts === undefined) return 'secret_not_granted';
    if (!secret.origins.includes(origin) || !deps.mayReach(id, origin)) return 'secret_not_bound';
    return facts.class === 'url' && facts.origin !== origin ? 'secret_not_bound' : undefined;
  }

  function placed(id: string, place: Placement): boolean {
    const allowed = grant.secrets.get(id)?.in;
    if (factsOf(id)?.class === 'url') return false;
    return (
      allowed === undefined ||
      allowed.includes(place) ||
      allowed.includes(place.split(':', 1)[0] as Placement)
    );
  }

  /** Whether the text that it will be can be a header's value, judged by classes. */
  function fitsHeader(rope: WireRope): boolean {
    return rope.every((node: WireNode) => {
      if (typeof node === 'string') return HEADER_TEXT.test(node);
      if (node[0] === 'ref') return factsOf(node[1])?.class === 'token';
      return node[0] !== 'json' || fitsHeader(node[1]);
    });
  }

  function judgeHeaders(headers: Request['headers']): RefusalCode | readonly (readonly [string, WireRope])[] {
    const out = new Map<string, WireRope>();
    for (const [given, value] of headers) {
      const name = given.toLowerCase();
      if (!HEADER_NAME.test(name) || RESERVED.test(name) || out.has(name)) return 'header_refused';
      if (value.some((node) => typeof node === 'string' && !HEADER_TEXT.test(node))) return 'header_refused';
      const ids = [...referencesOf(value)];
      if (!ids.every((id) => placed(id, `header:${name}`)) || !fitsHeader(value)) return 'secret_place';
      out.set(name, value);
    }
    return [...out];
  }

  function judge(request: Request): Judgement {
    const plan = planUrl(request.url, (id) =>
      grant.secrets.has(id) && deps.facts(id)?.class === 'url' ? deps.facts(id)?.origin : undefined,
    );
    if (typeof plan === 'string') return { refused: { code: plan, host: null, about: undefined } };
    const host = new URL(plan.origin).host;
    const no = (code: RefusalCode, about?: string): Judgement => ({ refused: { code, host, about } });
    if (!hostGranted(grant, origins, plan.origin)) return no('host_not_granted', host);
    if (!grant.methods.includes(request.method)) return no('method_not_granted', request.method);
    const carried = new Set<string>();
    for (const rope of [request.url, request.body, ...request.headers.map(([, value]) => value)])
      referencesOf(rope, carried);
    if (carried.size > 0 && plan.scheme !== 'https:') return no('scheme_refused');
    for (const id of carried) {
      const refused = boundTo(id, plan.origin);
      if (refused !== undefined) return no(refused, id);
    }
    const headers = judgeHeaders(request.headers);
    if (typeof headers === 'string') return no(headers);
    const stray =
      plan.places.find(({ id, place }) => !placed(id, place)) ??
      [...referencesOf(request.body)].map((id) => ({ id })).find(({ id }) => !placed(id, 'body'));
    if (stray !== undefined) return no('secret_place', stray.id);
    return { allowed: { ...request, headers, plan, carried } };
  }

  return { judge, factsOf };
}

function hostGranted(grant: ScriptGrant, origins: ReadonlySet<string>, origin: string): boolean {
  if (origins.has(origin)) return true;
  // URL.host leaves the usual port out.
  const { host, hostname, protocol, port } = new URL(origin);
  return grant.hosts.some(
    (granted) =>
      granted === host || (port === '' && granted === `${hostname}:${protocol === 'https:' ? 443 : 80}`),
  );
}

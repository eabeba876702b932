// Guarantees: strong secrets of the grant are looked for in every answer; weaker ones only in answers of the origins that
// they may be sent to: elsewhere a script could guess, and see whether the guess is hidden.
// Does not: search.
// An attacker may control: what was derived, through the requests.
import { isStrong } from '../strength.ts';
import { factsOf, strengthOf } from './secret-facts.ts';
import type { Derived } from './evaluate.ts';
import type { ScriptGrant } from './grant.ts';
import type { Needle } from './needles.ts';
import type { ScriptSecrets, SecretStrength } from './ports.ts';
import type { References } from './references.ts';

/** Shorter values would be found everywhere. In UTF-16 units. */
const LEAST_SHOWN = 4;
const LEAST_DERIVED = 8;

export interface NeedleSources {
  readonly grant: ScriptGrant;
  readonly secrets: ScriptSecrets;
  readonly references: References;
  /** Values that this run has sent, by name: they may have been changed since. */
  readonly sentValues: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What to look for in an answer of this origin. */
export function needlesFor(
  { grant, secrets, references, sentValues }: NeedleSources,
  origin: string,
  derived: Iterable<Derived>,
): Needle[] {
  const mayBeSeen = (name: string, strengths: readonly (SecretStrength | undefined)[]): boolean => {
    const known = strengths.filter((strength) => strength !== undefined);
    const own = grant.secrets.get(name)?.origins.includes(origin) === true;
    return known.includes('strong') || (known.length > 0 && own);
  };
  /** Functions of a secret: of what it is, or was when this run sent it. */
  const looked = (id: string): boolean => {
    if (!grant.secrets.has(id)) return true;
    const sent = [...(sentValues.get(id) ?? [])].map(strengthOf);
    return mayBeSeen(id, [secrets.facts(id)?.strength, ...sent]);
  };
  const out: Needle[] = [];
  const add = (value: string, id: string | undefined, name: string): void => {
    if (value.length < LEAST_SHOWN) return;
    out.push({ value, id, ids: [name] });
    const facts = factsOf(value);
    if (facts?.class !== 'url') return;
    // The part of a webhook's address that is secret.
    const path = value.slice(new URL(value).origin.length + 1);
    if (isStrong(path)) out.push({ value: path, id: undefined, ids: [name] });
  };
  for (const name of grant.secrets.keys()) {
    const now = secrets.openValue(name);
    if (now !== undefined && mayBeSeen(name, [secrets.facts(name)?.strength])) add(now, name, name);
    const sent = [...(sentValues.get(name) ?? [])].filter((value) => mayBeSeen(name, [strengthOf(value)]));
    const former = (secrets.formerValues?.(name) ?? []).map((value) => value.trim()).filter(isStrong);
    // What it was can be shown as a marker, but not sent any more.
    for (const value of new Set([...sent, ...former])) if (value !== now) add(value, undefined, name);
  }
  for (const { value, ids } of derived) {
    if (value.length >= LEAST_DERIVED && ids.every(looked)) out.push({ value, id: undefined, ids });
  }
  for (const { id, value } of references.fresh()) {
    if (value !== undefined && isStrong(value)) out.push({ value, id, ids: [] });
  }
  return out;
}

/**
 * The secret because of which no answer of this origin may be seen: one that could be guessed by looking at what is
 * hidden, unless the grant allows it. An answer may hold it although its request did not: hosts remember.
 */
export function hidingSecret(
  { grant, secrets, sentValues }: Omit<NeedleSources, 'references'>,
  origin: string,
): string | undefined {
  for (const [name, secret] of grant.secrets) {
    if (secret.showAnswers || !secret.origins.includes(origin)) continue;
    const sent = [...(sentValues.get(name) ?? [])];
    if (secrets.facts(name)?.strength === 'weak' || sent.some((value) => strengthOf(value) === 'weak'))
      return name;
  }
  return undefined;
}

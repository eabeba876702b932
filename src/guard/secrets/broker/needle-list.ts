// Guarantees: strong secrets of the grant are looked for in every answer; weaker ones only in answers of the origins that
// they may be sent to: elsewhere a script could guess, and see whether the guess is hidden.
// Does not: search.
// An attacker may control: what was derived, through the requests.
import { isStrong } from '../strength.ts';
import { strengthOf } from './secret-facts.ts';
import type { Derived } from './evaluate.ts';
import type { ScriptGrant } from './grant.ts';
import type { Needle } from './needles.ts';
import type { ScriptSecrets } from './ports.ts';
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
  const isOwn = (name: string, from: string): boolean =>
    grant.secrets.get(name)?.origins.includes(from) === true;
  const looked = (id: string): boolean => {
    const secret = grant.secrets.get(id);
    if (secret === undefined) return true;
    const strength = secrets.facts(id)?.strength;
    return strength === 'strong' || (strength !== undefined && secret.origins.includes(origin));
  };
  const out: Needle[] = [];
  for (const name of grant.secrets.keys()) {
    const now = secrets.openValue(name);
    const sent = [...(sentValues.get(name) ?? [])].filter((value) => isStrong(value) || isOwn(name, origin));
    const former = [
      ...sent,
      ...(secrets.formerValues?.(name) ?? []).filter((value) => isStrong(value.trim())),
    ];
    // What it was can be shown as a marker, but not sent any more.
    for (const value of new Set(former.map((text) => text.trim()))) {
      if (value !== now && value.length >= LEAST_SHOWN) out.push({ value, id: undefined, ids: [name] });
    }
    const value = looked(name) ? now : undefined;
    if (value === undefined || value.length < LEAST_SHOWN) continue;
    out.push({ value, id: name, ids: [name] });
    if (secrets.facts(name)?.class !== 'url') continue;
    // The part of a webhook's address that is secret.
    const path = value.slice(new URL(value).origin.length + 1);
    if (isStrong(path)) out.push({ value: path, id: undefined, ids: [name] });
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

// Guarantees: strong secrets of the grant are looked for in every answer; weaker ones only where the request carried them,
// because elsewhere a script could guess, and see whether the guess is hidden.
// Does not: search.
// An attacker may control: what was derived, through the requests.
import { isStrong } from '../strength.ts';
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
}

/** What to look for in the answer to a request that carried these references. */
export function needlesFor(
  { grant, secrets, references }: NeedleSources,
  carried: ReadonlySet<string>,
  derived: readonly Derived[],
): Needle[] {
  const looked = (id: string): boolean => {
    if (!grant.secrets.has(id)) return true;
    const strength = secrets.facts(id)?.strength;
    return strength === 'strong' || (strength !== undefined && carried.has(id));
  };
  const out: Needle[] = [];
  for (const name of grant.secrets.keys()) {
    const value = looked(name) ? secrets.reveal(name) : undefined;
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
 * The secret because of which the answer to a request must not be seen at all: one that could be guessed by looking
 * at what is hidden, unless the grant allows it.
 */
export function hidingSecret(
  { grant, secrets }: NeedleSources,
  carried: ReadonlySet<string>,
): string | undefined {
  return [...carried].find((id) => {
    const secret = grant.secrets.get(id);
    return secret !== undefined && !secret.showAnswers && secrets.facts(id)?.strength === 'weak';
  });
}

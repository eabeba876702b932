// Guarantees: the public facts of a secret follow from its value once, when it is opened; a script never learns more
// about a value than these.
// Does not: measure real randomness (see `strength.ts`).
// An attacker may control: nothing here.
import { guessBits, isStrong } from '../strength.ts';
import type { SecretFacts, SecretStrength } from './ports.ts';

const TOKEN = /^[\x21-\x7e]+$/;
const LEAST_BYTES = 12;
/** A million guesses fit into one answer: what needs fewer is not looked for at all. */
const FAIR_BITS = 20;

export function strengthOf(value: string): SecretStrength {
  if (isStrong(value)) return 'strong';
  return Buffer.byteLength(value) >= LEAST_BYTES && guessBits(value) >= FAIR_BITS ? 'fair' : 'weak';
}

/** Undefined for a blank value. A value that is an https address with something secret in it is of class `url`. */
export function factsOf(value: string): SecretFacts | undefined {
  const bare = value.trim();
  if (bare === '') return undefined;
  const strength = strengthOf(bare);
  const address = webhookOf(bare);
  if (address !== undefined) return { class: 'url', origin: address.origin, strength };
  return { class: TOKEN.test(bare) ? 'token' : 'text', strength };
}

/** An https address without user, fragment or strange spellings, and with more than its origin. */
function webhookOf(value: string): URL | undefined {
  if (!/^https:\/\/[a-z0-9.-]+(?::\d+)?\/[^\\\s#]+$/.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.href === value ? url : undefined;
}

// Guarantees: a bcrypt hash of the original (Go) is taken only in its canonical form and with a cost that one login can pay;
// a password that bcrypt would cut off or read as another one never matches: more than 72 bytes, a NUL, half a character.
// Does not: make new bcrypt hashes; the first login that succeeds replaces the hash by argon2id (login.ts).
// An attacker may control: the password, and, before the owner imports it, the text of the hash.
import { compare } from 'bcryptjs';

/** What bcrypt looks at; the rest of a longer password would not count. */
const MOST_BYTES = 72;
const LOWEST_COST = 4;
/** 2^14 rounds: about a second here. The original uses 10. */
export const HIGHEST_COST = 14;

// The last letter of the salt carries two bits, that of the hash four: others are no text that bcrypt writes.
const SHAPE = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/;

/** The cost of a hash; undefined for what is none, or costs too much. */
export function bcryptCost(text: string): number | undefined {
  const cost = Number(SHAPE.exec(text)?.[1] ?? Number.NaN);
  return cost >= LOWEST_COST && cost <= HIGHEST_COST ? cost : undefined;
}

export function isBcrypt(stored: string): boolean {
  return bcryptCost(stored) !== undefined;
}

/** Takes as long for a password that can't be the one. */
export async function bcryptMatches(password: string, hash: string): Promise<boolean> {
  const same = await compare(password, hash);
  const whole =
    Buffer.byteLength(password) <= MOST_BYTES && !password.includes('\0') && password.isWellFormed();
  return same && whole;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_BYTES = 10;

/**
 * A new id: a prefix that says the kind, 48 bits of time, 80 random bits, in Crockford's base 32.
 * Sorts by time of creation; can't be guessed, but is not a credential.
 */
export function newId(prefix: string, now: number = Date.now()): string {
  let time = '';
  let rest = Math.trunc(now);
  for (let i = 0; i < 10; i += 1) {
    time = (ALPHABET[rest % 32] ?? '0') + time;
    rest = Math.floor(rest / 32);
  }
  const bytes = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  let bits = 0;
  let value = 0;
  let random = '';
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      random += ALPHABET[(value >> bits) & 31] ?? '0';
    }
    value &= (1 << bits) - 1;
  }
  return `${prefix}_${time}${random}`;
}

/** Whether a text from outside has the form of an id of this kind. */
export function isId(prefix: string, text: string): boolean {
  return new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`).test(text);
}

/** 256 random bits as base64url: for tokens, tickets and codes. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

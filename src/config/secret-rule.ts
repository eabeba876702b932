/** What a secret for scripts may be called and may hold; the same rules as in the vault. Nothing here repeats a value. */

const LEAST_BYTES = 4;
const MOST_BYTES = 4096;

export function secretNameProblem(name: string): string | undefined {
  if (/^[A-Z][A-Z0-9_]{0,63}$/.test(name)) return undefined;
  return 'a secret is named with 1 to 64 of A-Z, 0-9 and "_", beginning with a letter';
}

export function secretValueProblem(value: string): string | undefined {
  const bytes = Buffer.byteLength(value.trim());
  if (bytes >= LEAST_BYTES && bytes <= MOST_BYTES) return undefined;
  return `must hold ${LEAST_BYTES} to ${MOST_BYTES} bytes`;
}

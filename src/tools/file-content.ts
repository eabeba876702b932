const MAX_CONTENT_BYTES = 1024 * 1024;

/** In UTF-8 bytes, as on the disk. */
function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The same for people. */
export function sizeOf(text: string): string {
  const bytes = bytesOf(text);
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}

/** Why a text can't be written, or undefined. */
export function contentProblem(text: string): string | undefined {
  if (!text.isWellFormed()) return 'content: it holds half of a character (a lone surrogate)';
  if (text.includes('\0')) return 'content: it holds a NUL character, so it is not text';
  const bytes = bytesOf(text);
  if (bytes > MAX_CONTENT_BYTES) return `content: ${bytes} bytes, at most ${MAX_CONTENT_BYTES} are allowed`;
  return undefined;
}

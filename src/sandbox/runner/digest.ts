import { createHash } from 'node:crypto';

/** Of a script's text as UTF-8: `sha256:` and 64 hex digits (requirement K-15). */
export function digestOf(source: string): string {
  return `sha256:${createHash('sha256').update(source, 'utf8').digest('hex')}`;
}

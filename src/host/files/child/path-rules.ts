import { FileRefusal } from '../protocol.ts';

const MAX_PART_BYTES = 255;
const MAX_PATH_BYTES = 1024;
/** Control and format characters, separators of lines, halves of characters; and the backslash, a separator elsewhere. */
const REFUSED_CHARACTERS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\\]/u;

/**
 * The parts of a relative path, or a refusal. Only the one plain spelling of a path passes: no `.`, `..`, empty or hidden
 * part, so that what policy decided on is what is opened. `''` is the root itself and has no parts.
 */
export function partsOf(path: string): readonly string[] {
  if (path === '') return [];
  if (path.startsWith('/')) throw new FileRefusal('path_absolute');
  if (REFUSED_CHARACTERS.test(path)) throw new FileRefusal('path_characters');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new FileRefusal('path_too_long');
  const parts = path.split('/');
  for (const part of parts) {
    if (part === '' || part === '.') throw new FileRefusal('path_part_empty');
    if (part === '..') throw new FileRefusal('path_parent');
    if (part.startsWith('.')) throw new FileRefusal('path_hidden');
    if (Buffer.byteLength(part) > MAX_PART_BYTES) throw new FileRefusal('path_too_long');
  }
  return parts;
}

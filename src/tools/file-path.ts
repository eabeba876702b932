// Guarantees: a tool's path has one spelling from here on: policy decides on the very text that is opened. A path that a
// file system with other rules (case, Unicode forms, ignored characters) could take for SOUL.md or USER.md is classed as
// `identity`; one that it could take for another reserved name is refused, so that no freer class is had by spelling.
// Does not: open or resolve anything (the jail checks again, and links there).
// An attacker may control: the path.
import type { ToolTarget } from '../core/index.ts';

/** Classes of targets that policy names. */
export type FileResource = 'identity' | 'memory' | 'scripts' | 'workspace';

export type PathCheck =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly problem: string };

const REFUSED_CHARACTERS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\\]/u;
const MAX_PART_BYTES = 255;
const MAX_PATH_BYTES = 1024;
const RESERVED = ['MEMORY.md', 'memory', 'scripts', 'skills'];
const encoder = new TextEncoder();

/** The plain form of a relative path: `./notes//a.md` is `notes/a.md`, the workspace folder itself is `''`. */
export function checkPath(raw: string): PathCheck {
  const refuse = (problem: string): PathCheck => ({ ok: false, problem: `path: ${problem}` });
  if (REFUSED_CHARACTERS.test(raw)) {
    return refuse('backslashes, control characters and invisible characters are not allowed');
  }
  if (raw.startsWith('/')) {
    return refuse('give it relative to the workspace folder, without a slash at the start');
  }
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    const problem = partProblem(part);
    if (problem !== undefined) return refuse(problem);
  }
  const path = parts.join('/');
  if (encoder.encode(path).length > MAX_PATH_BYTES) return refuse(`at most ${MAX_PATH_BYTES} bytes in all`);
  const first = fold(parts[0] ?? '');
  const reserved = RESERVED.find((name) => fold(name) === first);
  if (reserved !== undefined && reserved !== parts[0]) return refuse(`write it exactly as ${reserved}`);
  return { ok: true, path };
}

function partProblem(part: string): string | undefined {
  // Characters that look like dots and slashes, and become them in some systems, count as such.
  const plain = part.normalize('NFKC');
  if (part === '..' || plain === '..')
    return '".." is not allowed: paths lead down from the workspace folder only';
  if (plain.startsWith('.')) return 'names that start with a dot are hidden and not accessible';
  if (/[/\\]/.test(plain)) return 'characters that stand for a slash are not allowed';
  if (/^\s|[\s.]$/.test(plain)) return 'a name may not start or end with a space, nor end with a dot';
  if (encoder.encode(part).length > MAX_PART_BYTES) return `at most ${MAX_PART_BYTES} bytes a name`;
  return undefined;
}

/** What the most lenient file system would take for the same name. */
function fold(name: string): string {
  const [beforeStream = ''] = name.normalize('NFKC').split(':');
  return beforeStream.toUpperCase().toLowerCase().normalize('NFKC');
}

/** The class of a path that `checkPath` gave. */
export function resourceOf(path: string): FileResource {
  // The first part alone: a folder in the place of SOUL.md would take its place.
  const first = fold(path.split('/')[0] ?? '');
  if (first === 'soul.md' || first === 'user.md') return 'identity';
  if (path === 'MEMORY.md' || /^memory\/[^/]+\.md$/.test(path)) return 'memory';
  if (path === 'scripts' || path.startsWith('scripts/')) return 'scripts';
  return 'workspace';
}

export function targetOf(path: string): ToolTarget {
  return { target: path === '' ? '/' : path, resource: resourceOf(path) };
}

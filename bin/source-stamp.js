import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// What each side is made from. Tests change nothing.
const PROGRAM = ['src', 'scripts/build.ts', 'package.json', 'package-lock.json'];
const PAGE = [
  'web',
  'src/core',
  'src/edge/admin/api.ts',
  'src/edge/admin/account-api.ts',
  'scripts/build.ts',
  'package-lock.json',
];

/** A hash over the names and contents of the sources of each side of the build. */
export function sourceStamps(root) {
  return { program: stamp(root, PROGRAM), page: stamp(root, PAGE) };
}

function stamp(root, parts) {
  const hash = createHash('sha256');
  for (const file of parts.flatMap((part) => filesOf(root, part)).sort()) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function filesOf(root, part) {
  if (part.includes('.') && existsSync(join(root, part))) return [part];
  if (!existsSync(join(root, part))) return [];
  return readdirSync(join(root, part), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test(-support)?\.tsx?$|^\./.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .filter((file) => !file.includes('node_modules'));
}

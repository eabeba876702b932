import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * Every regular file below a folder of our own, whole, by its path with `/`. Empty when there is no such folder.
 * Links are left out: what is served is what was built.
 */
export function readTree(folder: string): ReadonlyMap<string, { readonly body: Uint8Array }> {
  const files = new Map<string, { readonly body: Uint8Array }>();
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return files;
    throw error;
  }
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).split(sep).join('/'), { body: readFileSync(path) });
  }
  return files;
}

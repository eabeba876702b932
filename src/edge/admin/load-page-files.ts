import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { PageFile, PageFiles } from './ports.ts';

/** Reads the built page whole, once, at start. A folder that isn't there gives no files: the page says so then. */
export function loadPageFiles(folder: string): PageFiles {
  const files = new Map<string, PageFile>();
  for (const entry of entriesOf(folder)) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length).split(sep).filter(Boolean).join('/'), { body: readFileSync(path) });
  }
  return files;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

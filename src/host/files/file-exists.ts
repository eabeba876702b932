import { existsSync } from 'node:fs';

/** Whether something is at a path of our own. */
export function fileExists(path: string): boolean {
  return existsSync(path);
}

import { existsSync, lstatSync, statSync } from 'node:fs';

/** Whether something is at a path of our own. */
export function fileExists(path: string): boolean {
  return existsSync(path);
}

/** Whether a file of our own is there and holds at least a byte. */
export function fileHasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** The owner of something of our own, or undefined where it is not. */
export function fileOwner(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.uid;
}

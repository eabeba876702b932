/** What the machine itself says, looked at now. */
import { accessSync, constants, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A small text such as one of /proc, or undefined where it can not be read. */
export function textOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Whether it is missing or closed: there is nothing to be had.
    return undefined;
  }
}

/** What keeps this process from writing there: `EROFS`, `EACCES` and so on; undefined: nothing does. */
export function writeRefusal(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

export interface FoundMode {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  readonly folder: boolean;
}

/** Owner and mode of one path, links not followed; undefined where there is none. */
export function modeOf(path: string): FoundMode | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return { path, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777, folder: stats.isDirectory() };
}

/** The path and everything beneath it. */
export function modesBelow(path: string): readonly FoundMode[] {
  const found = modeOf(path);
  if (found === undefined) return [];
  if (!found.folder) return [found];
  return [found, ...readdirSync(path).flatMap((name) => modesBelow(join(path, name)))];
}

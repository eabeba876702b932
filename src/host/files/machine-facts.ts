/** What the machine itself says, looked at now. */
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
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

/** Whether the kernel takes no write there, whoever asks; undefined where it does not say (no /proc). */
export function isReadOnly(path: string): boolean | undefined {
  const mounts = textOrNothing('/proc/self/mounts');
  if (mounts === undefined) return undefined;
  // The last of the longest is the one on top. Spaces in paths are written as \040.
  const above = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, point = '', , options = '']) => ({ point: point.replaceAll('\\040', ' '), options }))
    .filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
    .toSorted((one, other) => one.point.length - other.point.length)
    .at(-1);
  return above?.options.split(',').includes('ro');
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

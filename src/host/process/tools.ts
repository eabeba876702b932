import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { Tools } from './order.ts';

/** Fixed folders, not $PATH: these programs run before the fences stand. */
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

export function findTool(name: string): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** The programs of the launch chain, or null where the chain can't be. */
export function findTools(): Tools | null {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return null;
  const setpriv = findTool('setpriv');
  const prlimit = findTool('prlimit');
  const perl = findTool('perl');
  return setpriv === undefined || prlimit === undefined || perl === undefined
    ? null
    : { setpriv, prlimit, perl };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

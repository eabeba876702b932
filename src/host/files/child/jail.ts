// Guarantees: every open, rename and listing happens in a folder that was reached from the root step by step through real
// folders. Each step is looked at (lstat), entered (chdir) and looked at again: a link that is swapped in between shows as
// another inode. The last name is opened with O_NOFOLLOW. So no symbolic link is ever followed, raced or not.
// Does not: stop a real folder or file from being moved in from outside by somebody who can write on both sides. The fence
// around this process (only `ai-data/` can be opened) stands even if this file is wrong.
// An attacker may control: the path and, through tools, every name and content below the root.
//
// Node has no openat(2) and the child no /proc, so the working directory is the directory handle; that is why this
// program does one thing at a time, synchronously.
import { lstatSync, mkdirSync, statSync, type BigIntStats } from 'node:fs';
import { FileRefusal } from '../protocol.ts';

/** Makes the folder the working directory. `create` is the mode of folders that are made when missing. */
export function enterFolder(
  root: string,
  parts: readonly string[],
  create?: (depth: number) => number,
): void {
  process.chdir(root);
  for (const [depth, part] of parts.entries()) {
    const before = lookAt(part) ?? made(part, create?.(depth));
    if (before.isSymbolicLink()) throw new FileRefusal('file_link');
    if (!before.isDirectory()) throw new FileRefusal('file_not_folder');
    process.chdir(part);
    if (!sameFile(before, statSync('.', { bigint: true }))) throw new FileRefusal('file_changed');
  }
}

function made(part: string, mode: number | undefined): BigIntStats {
  if (mode === undefined) throw new FileRefusal('file_missing');
  mkdirSync(part, { mode });
  return lstatSync(part, { bigint: true });
}

/** What stands under a name in the working directory, itself and not what it may point to. */
export function lookAt(name: string): BigIntStats | undefined {
  return lstatSync(name, { bigint: true, throwIfNoEntry: false });
}

export function sameFile(left: BigIntStats, right: BigIntStats): boolean {
  return left.dev === right.dev && left.ino === right.ino;
}

/** Refuses all but a plain file with one name: a second name may lie outside the root. */
export function mustBePlainFile(stats: BigIntStats): void {
  if (stats.isSymbolicLink()) throw new FileRefusal('file_link');
  if (stats.isDirectory()) throw new FileRefusal('file_is_folder');
  if (!stats.isFile()) throw new FileRefusal('file_special');
  if (stats.nlink > 1n) throw new FileRefusal('file_hard_link');
}

// Guarantees: a folder that somebody else filled is only read, and only within itself: each step below it is opened with
// O_NOFOLLOW beneath the folder that is held open, so no link is followed, raced or not (on Linux; elsewhere each step is
// looked at first). A file is a plain one, no larger than was asked for, and UTF-8 without NUL, or it is not read.
// Does not: keep out hard links (backups are made of them), nor look at who owns it.
// An attacker may control: every name and every byte in it, also while it is read; not the path of the folder itself.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  opendirSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError, errorText } from '../../core/index.ts';

export type ForeignText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  /** In words that follow the name of the file. */
  | { readonly kind: 'refused'; readonly why: string };

export type ForeignList =
  | { readonly kind: 'entries'; readonly entries: readonly ForeignEntry[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly why: string };

export type ForeignEntry = { readonly name: string; readonly kind: 'file' | 'folder' | 'link' | 'other' };

export interface ForeignFolder {
  /** Absolute, without links. */
  readonly path: string;
  /** `path` is ours to say: names with `/`, none of them `..`. */
  read(path: string, mostBytes: number): ForeignText;
  /** By name; `most` and one more at the most. */
  list(path: string, most: number): ForeignList;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Errors: input `no_such_folder`, `folder_unreadable`. */
export function openForeignFolder(path: string): ForeignFolder {
  const root = realFolder(path);
  return {
    path: root,
    read(file, mostBytes) {
      const parts = file.split('/');
      const name = parts.pop() ?? '';
      try {
        return inFolder(root, parts, (at) => readAt(at(name), mostBytes)) ?? { kind: 'missing' };
      } catch (error) {
        return { kind: 'refused', why: reasonOf(error) };
      }
    },
    list(folder, most) {
      try {
        const entries = inFolder(root, folder.split('/'), (at) => entriesOf(at('.'), most));
        return entries === undefined ? { kind: 'missing' } : { kind: 'entries', entries };
      } catch (error) {
        return { kind: 'refused', why: reasonOf(error) };
      }
    },
  };
}

function realFolder(path: string): string {
  try {
    const real = realpathSync(path);
    closeSync(openSync(real, FOLDER));
    return real;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AppError({
      family: 'input',
      code: code === 'ENOENT' || code === 'ENOTDIR' ? 'no_such_folder' : 'folder_unreadable',
      message:
        code === 'ENOENT' || code === 'ENOTDIR'
          ? `There is no folder ${path}.`
          : `The folder ${path} can't be read: ${errorText(error)}.`,
      fix:
        code === 'ENOENT' || code === 'ENOTDIR'
          ? 'Name the folder that holds secure/ and ai-data/.'
          : `It must be readable for the user who runs this: user ${process.geteuid?.() ?? '?'}. Started as root, that is openpact-system.`,
      cause: error,
    });
  }
}

/** Undefined where a step is missing. Throws where one is no plain folder, or can't be entered. */
function inFolder<T>(
  root: string,
  parts: readonly string[],
  act: (at: (name: string) => string) => T,
): T | undefined {
  let path = root;
  let fd = openSync(root, FOLDER);
  try {
    for (const part of parts) {
      const next = process.platform === 'linux' ? `/proc/self/fd/${fd}/${part}` : join(path, part);
      const stats = lstatSync(next, { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      if (stats.isSymbolicLink()) throw new StepRefusal(`lies behind the symbolic link ${part}`);
      if (!stats.isDirectory()) throw new StepRefusal(`lies behind ${part}, which is no folder`);
      const entered = openSync(next, FOLDER);
      closeSync(fd);
      fd = entered;
      path = join(path, part);
    }
    return act((name) => (process.platform === 'linux' ? `/proc/self/fd/${fd}/${name}` : join(path, name)));
  } finally {
    closeSync(fd);
  }
}

class StepRefusal extends Error {}

function readAt(path: string, mostBytes: number): ForeignText {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined) return { kind: 'missing' };
  if (before.isSymbolicLink()) return refused('is a symbolic link');
  if (!before.isFile()) return refused('is no plain file');
  const fd = openSync(path, FILE);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return refused('is no plain file');
    const tooLarge = refused(`is larger than ${sizeText(mostBytes)}`);
    if (stats.size > mostBytes) return tooLarge;
    // One more, to see a file that grew.
    const buffer = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
      if (length > mostBytes) return tooLarge;
    }
    return textOf(buffer.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

function textOf(bytes: Uint8Array): ForeignText {
  if (bytes.includes(0)) return refused('is no text: it holds a NUL character');
  try {
    return {
      kind: 'text',
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    };
  } catch {
    return refused('is no text in UTF-8');
  }
}

function entriesOf(path: string, most: number): readonly ForeignEntry[] {
  const entries: ForeignEntry[] = [];
  const open = opendirSync(path);
  try {
    for (let one = open.readSync(); one !== null && entries.length <= most; one = open.readSync()) {
      const kind = one.isFile()
        ? 'file'
        : one.isDirectory()
          ? 'folder'
          : one.isSymbolicLink()
            ? 'link'
            : 'other';
      entries.push({ name: one.name, kind });
    }
  } finally {
    open.closeSync();
  }
  return entries.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function refused(why: string): ForeignText {
  return { kind: 'refused', why };
}

function reasonOf(error: unknown): string {
  if (error instanceof StepRefusal) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `can't be read by the user who runs this (user ${process.geteuid?.() ?? '?'})`;
    case 'ELOOP':
    case 'ENOTDIR':
      return 'was changed into a link while it was read';
    case undefined:
      throw error;
    default:
      return `can't be read (${code})`;
  }
}

function sizeText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / (1024 * 1024)} MiB` : `${bytes / 1024} KiB`;
}

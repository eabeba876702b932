// Guarantees: a small secret file that only its owner can read: it is made with mode 0600, never through a link, whole or
// not at all, and on the disk before the call returns. A file that others can read or that has a second name is refused.
// Does not: protect from root, nor make the folder (workspace set-up does).
// An attacker may control: nothing in `secure/`; an operator may restore files with the wrong mode or owner.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AppError, errorText } from '../../core/index.ts';

export interface PrivateFile {
  /** The text, or undefined when there is no file. Errors (config): `private_file_open`, `private_file_unreadable`. */
  read(): string | undefined;
  /** Errors (config): `private_file_exists`, `private_file_unwritable`. */
  create(text: string): void;
  /** Creates or replaces. Errors (config): `private_file_unwritable`. */
  replace(text: string): void;
  /** Whether there was one. */
  remove(): boolean;
}

const MAX_BYTES = 64 * 1024;

/** `path` is absolute and in a folder that only we can write. */
export function createPrivateFile(path: string): PrivateFile {
  return {
    read() {
      const fd = openIfThere(path);
      if (fd === undefined) return undefined;
      try {
        mustBePrivate(path, fd);
        return readFileSync(fd, 'utf8');
      } finally {
        closeSync(fd);
      }
    },
    create: (text) => store(path, text, false),
    replace: (text) => store(path, text, true),
    remove() {
      try {
        unlinkSync(path);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false;
        throw unwritable(path, error);
      }
      syncFolder(path);
      return true;
    },
  };
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new AppError({
      family: 'config',
      code: 'private_file_unreadable',
      message: `${path} can't be read: ${errorText(error)}.`,
      fix: 'It must be a plain file that belongs to the user who runs OpenPact, with mode 0600.',
      cause: error,
    });
  }
}

function mustBePrivate(path: string, fd: number): void {
  const stats = fstatSync(fd);
  const us = process.getuid?.() ?? stats.uid;
  const refuse = (message: string, fix: string): AppError =>
    new AppError({ family: 'config', code: 'private_file_open', message: `${path} ${message}.`, fix });
  if (!stats.isFile() || stats.nlink !== 1) {
    throw refuse('is not a plain file with one name', 'Replace it by a plain copy of itself.');
  }
  if (stats.size > MAX_BYTES) throw refuse('is larger than 64 KiB', 'Restore the right file from a backup.');
  if (stats.uid !== us) {
    throw refuse(
      `belongs to user ${stats.uid}, not to the user ${us} who runs OpenPact`,
      `chown ${us} ${path}`,
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    throw refuse(`can be opened by others (mode ${mode})`, `chmod 600 ${path}`);
  }
}

function store(path: string, text: string, replace: boolean): void {
  const temporary = `${path}.new`;
  try {
    removeLeftover(temporary);
    const fd = openSync(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (replace) {
      renameSync(temporary, path);
    } else {
      // Unlike rename, link fails when the name is taken: of two who create at once one loses.
      linkSync(temporary, path);
      unlinkSync(temporary);
    }
    syncFolder(path);
  } catch (error) {
    removeLeftover(temporary);
    if (codeOf(error) === 'EEXIST') {
      throw new AppError({
        family: 'config',
        code: 'private_file_exists',
        message: `${path} exists already and was left as it is.`,
        cause: error,
      });
    }
    throw unwritable(path, error);
  }
}

function removeLeftover(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unwritable(path, error);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function unwritable(path: string, cause: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'private_file_unwritable',
    message: `${path} can't be written: ${errorText(cause)}.`,
    fix: 'Check the owner and mode of its folder, and that the disk is not full.',
    cause,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

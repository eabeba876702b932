import { AppError, type ErrorFamily } from '../../core/index.ts';
import type { RefusalCode } from './protocol.ts';

interface Wording {
  readonly family: ErrorFamily;
  /** Follows the path in quotes. */
  readonly says: string;
  readonly fix?: string;
}

const WORDINGS: Readonly<Record<RefusalCode, Wording>> = {
  path_empty: { family: 'input', says: 'names no file', fix: 'Give a path such as notes/todo.md.' },
  path_absolute: {
    family: 'input',
    says: 'is an absolute path',
    fix: 'Give a path relative to the workspace folder, without a slash at the start.',
  },
  path_parent: {
    family: 'input',
    says: 'contains ".."',
    fix: 'Paths lead down from the workspace folder only.',
  },
  path_part_empty: {
    family: 'input',
    says: 'has an empty part or a "."',
    fix: 'Write each folder once: a/b/c.md.',
  },
  path_hidden: {
    family: 'forbidden',
    says: 'has a part that starts with a dot; hidden files are not accessible',
  },
  path_too_long: { family: 'input', says: 'is too long (255 bytes a part, 1,024 bytes in all)' },
  path_characters: {
    family: 'input',
    says: 'contains a backslash, a control character or an invisible character',
  },
  file_link: { family: 'forbidden', says: 'is a symbolic link or lies behind one; links are not followed' },
  file_hard_link: {
    family: 'forbidden',
    says: 'is a file with several names (hard links), which is not accessible',
  },
  file_special: { family: 'forbidden', says: 'is neither a file nor a folder' },
  file_missing: { family: 'missing', says: 'does not exist' },
  file_is_folder: { family: 'input', says: 'is a folder, not a file' },
  file_not_folder: { family: 'input', says: 'needs a folder where there is a file' },
  file_too_large: { family: 'limit', says: 'is larger than 1 MiB, the most that can be read or written' },
  file_not_text: { family: 'input', says: 'is not UTF-8 text' },
  file_changed: { family: 'conflict', says: 'was exchanged while it was opened', fix: 'Try again.' },
  file_denied: { family: 'forbidden', says: 'may not be accessed: the operating system refuses it' },
  disk_full: {
    family: 'limit',
    says: 'could not be written: the disk is full. The old content is unchanged',
    fix: 'Free some disk space.',
  },
  file_failed: { family: 'upstream', says: 'could not be accessed' },
};

export function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(WORDINGS, code);
}

/** The error for a refusal. `errno` is the system's short name for it, as `EIO`. */
export function refusalError(code: RefusalCode, path: string, errno?: string): AppError {
  const { family, says, fix } = WORDINGS[code];
  const shown =
    path === '' ? 'The path' : JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
  const why = code === 'file_failed' && errno !== undefined ? ` (${errno})` : '';
  return new AppError({ family, code, message: `${shown} ${says}${why}.`, fix });
}

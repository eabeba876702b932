// Guarantees: a text file comes into a folder of the workspace whole or not at all, and is on the disk before the call
// returns; what stands under the name, a link too, stays unless it was to be replaced; a link is never written through.
// Does not: look at the folders above, which are ours (`workspace.ts`); serve while the assistant runs (file-child.ts does).
// An attacker may control: names and contents in `ai-data/memory/`, from before.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** `mode`: of a new file, whatever the umask. False: there was something already, which stays. */
export function placeFile(
  path: string,
  text: string,
  options: { readonly mode: number; readonly replace: boolean },
): boolean {
  const temporary = join(dirname(path), `.${randomBytes(9).toString('hex')}.new`);
  const fd = openSync(temporary, CREATE, 0o600);
  try {
    try {
      writeFileSync(fd, text);
      fchmodSync(fd, options.mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (options.replace) {
      renameSync(temporary, path);
    } else {
      // Unlike rename, link fails where the name is taken.
      linkSync(temporary, path);
      unlinkSync(temporary);
    }
  } catch (error) {
    unlinkSync(temporary);
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return true;
}

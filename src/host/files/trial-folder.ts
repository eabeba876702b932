// Guarantees: everything it makes lies in one new folder below the given one, and goes with `remove`.
// Does not: touch anything else there. An attacker may control: nothing; the folder is made with mode 0750 by its owner.
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError, errorText } from '../../core/index.ts';

export interface TrialFolder {
  readonly path: string;
  /** Paths are relative to the folder. */
  /** Default mode: 0600. */
  write(path: string, text: string, mode?: number): void;
  read(path: string): Buffer;
  link(kind: 'symbolic' | 'hard', from: string, to: string): void;
  remove(): void;
}

/** Errors (config): `workspace_unusable` where nothing can be made. */
export function makeTrialFolder(parent: string): TrialFolder {
  let path: string;
  let made: string | undefined;
  try {
    made = mkdirSync(parent, { recursive: true, mode: 0o750 });
    path = mkdtempSync(join(parent, '.doctor-'));
    chmodSync(path, 0o750);
  } catch (error) {
    throw new AppError({
      family: 'config',
      code: 'workspace_unusable',
      message: `Nothing can be tried in ${parent}: ${errorText(error)}.`,
      fix: 'Name a folder that you may write with --workspace.',
      cause: error,
    });
  }
  return {
    path,
    write(name, text, mode = 0o600) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { mode: 0o600 });
      // Whatever the umask.
      chmodSync(file, mode);
    },
    read: (name) => readFileSync(join(path, name)),
    link: (kind, from, to) =>
      kind === 'hard'
        ? linkSync(join(path, to), join(path, from))
        : symlinkSync(join(path, to), join(path, from)),
    remove() {
      rmSync(path, { recursive: true, force: true });
      if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}

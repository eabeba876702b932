// Guarantees: `openpact-system` and the users of children can read the program that they run: where it lies in a folder
// that is closed to others (a checkout in a home of mode 700), root puts a copy of the bundles and of node into a folder
// of its own that only root can write.
// Does not: copy sources; a checkout that can't be read by others needs its bundle, which `openpact start` builds.
// An attacker may control: nothing; the folder is root's.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  realpathSync,
} from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { AppError, errorText } from '../../core/index.ts';
import { mayEnter, type Owner } from './own-workspace.ts';

export interface ProgramPlace {
  /** Absolute. */
  readonly node: string;
  /** The file that runs now: `dist/openpact.js`, or one of the sources. */
  readonly program: string;
  /** `bin/openpact.js`. */
  readonly starter: string | undefined;
}

export interface PlaceInput extends ProgramPlace {
  readonly user: Owner;
  /** Made where it is needed, with mode 0755. */
  readonly runtime: string;
}

/** Where the same program can be run from by `user`. Errors (config): `program_unreachable`, `runtime_unusable`. */
export function placeProgram({ user, runtime, ...here }: PlaceInput): ProgramPlace {
  const node = canRead(here.node, user) ? here.node : copyOfNode(here.node, runtime);
  const folder = dirname(here.program);
  const files = [here.program, ...(here.starter === undefined ? [] : [here.starter])];
  if (files.every((file) => canRead(file, user))) return { ...here, node };
  if (basename(folder) !== 'dist') {
    throw new AppError({
      family: 'config',
      code: 'program_unreachable',
      message: `OpenPact does not run as root, and the user openpact-system (${user.uid}) can not read ${here.program}.`,
      fix: 'Start it with bin/openpact.js, which builds a copy that can be read, or move it to a folder that others may enter.',
    });
  }
  const copy = copyOfBundles(dirname(folder), runtime);
  return {
    node,
    program: join(copy, 'dist', basename(here.program)),
    starter: here.starter === undefined ? undefined : join(copy, 'bin', basename(here.starter)),
  };
}

function canRead(file: string, user: Owner): boolean {
  const path = realpathSync(file);
  const stats = statSync(path);
  const bit = stats.uid === user.uid ? 0o400 : stats.gid === user.gid ? 0o040 : 0o004;
  if ((stats.mode & bit) === 0) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!mayEnter(statSync(folder), user)) return false;
    // A child of another user must pass too.
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === parse(folder).root) return true;
  }
}

function copyOfNode(node: string, runtime: string): string {
  const { size, mtimeMs } = statSync(node);
  const name = `node-${process.version}-${stampOf(`${node}\0${size}\0${mtimeMs}`)}`;
  return join(
    made(runtime, name, (folder) => copyFileSync(node, join(folder, 'node'))),
    'node',
  );
}

/** `bin`, `dist` and package.json: what a package of OpenPact holds. */
function copyOfBundles(root: string, runtime: string): string {
  const stamp = stampOf(
    readdirSync(join(root, 'dist'))
      .map((name) => content(join(root, 'dist', name)))
      .join('\0'),
  );
  return made(runtime, `program-${stamp}`, (folder) => {
    for (const part of ['bin', 'dist', 'package.json']) {
      cpSync(join(root, part), join(folder, part), { recursive: true, dereference: true });
    }
  });
}

function content(path: string): string {
  return statSync(path).isFile()
    ? stampOf(readFileSync(path))
    : readdirSync(path, { recursive: true }).join();
}

function stampOf(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}

/** Whole or not there at all. */
function made(runtime: string, name: string, fill: (folder: string) => void): string {
  const folder = join(runtime, name);
  const temporary = `${folder}.${process.pid}.new`;
  const umask = process.umask(0o022);
  try {
    mkdirSync(runtime, { recursive: true, mode: 0o755 });
    mustBeRoots(runtime);
    if (existsSync(folder)) {
      mustBeRoots(folder);
      return folder;
    }
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { mode: 0o755 });
    fill(temporary);
    readableByAll(temporary);
    renameSync(temporary, folder);
    return folder;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (error instanceof AppError) throw error;
    throw unusable(runtime, errorText(error), error);
  } finally {
    process.umask(umask);
  }
}

function readableByAll(path: string): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) {
    chmodSync(path, 0o755);
    for (const name of readdirSync(path)) readableByAll(join(path, name));
  } else {
    chmodSync(path, basename(path) === 'node' ? 0o755 : 0o644);
  }
}

function mustBeRoots(path: string): void {
  const stats = lstatSync(path);
  if (stats.isDirectory() && stats.uid === 0 && (stats.mode & 0o022) === 0) return;
  throw unusable(path, 'it is not a folder that only root can write', undefined);
}

function unusable(path: string, why: string, cause: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'runtime_unusable',
    message: `The program can't be copied to ${path}, where openpact-system could read it: ${why}.`,
    fix: 'Move OpenPact to a folder that others may enter, or put that right.',
    ...(cause === undefined ? {} : { cause }),
  });
}

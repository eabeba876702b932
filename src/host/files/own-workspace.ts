// Guarantees: what root takes over for `openpact-system` lies inside the workspace: in `secure/`, `ai-data/` and `engine/`,
// and is a folder or a plain file with one name. Every step is opened with O_NOFOLLOW beneath a folder that is held open,
// and owner and mode are set on what was opened, never on a name: links and swaps by the assistant's user lead nowhere.
// It refuses rather than go on with a workspace that `openpact-system` could not use, or with a folder that is none.
// Does not: change what it finds in `secure/` with modes open to others, or owned by somebody unexpected (the check of the
// workspace refuses that afterwards), nor follow hard links: a file with a second name keeps its owner.
// An attacker may control: every name and content in `ai-data/memory/` and `engine/`, also while this runs.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { AppError, errorText } from '../../core/index.ts';
import type { WorkspacePaths } from './workspace-paths.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What was left as it was, in words. */
export interface Taken {
  readonly left: readonly string[];
}

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Nobody nests folders like this but to hurt. */
const MOST_DEPTH = 64;

/** As root, before it becomes `system`. `ai` may keep what it made in `memory/` and `engine/`. */
export function takeWorkspace(paths: WorkspacePaths, system: Owner, ai: Pick<Owner, 'uid'>): Taken {
  const left: string[] = [];
  const fresh = makeRoot(paths.root);
  mustBeReachable(paths.root, system);
  const root = openFolder(paths.root, paths.root);
  try {
    const found = fstatSync(root);
    if (!fresh && found.uid !== system.uid) mustBeWorkspace(paths.root);
    const takesFrom = new Set([0, found.uid, system.uid]);
    fchownSync(root, system.uid, system.gid);
    fchmodSync(root, 0o750);
    for (const zone of ZONES) takeZone(root, paths.root, zone, { system, ai, takesFrom, left });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unusable(paths.root, errorText(error), error);
  } finally {
    closeSync(root);
  }
  return { left };
}

interface Modes {
  readonly folder: number;
  readonly file: number;
}

interface Zone {
  readonly name: string;
  /** Undefined: modes are checked later, not repaired. */
  readonly modes: Modes | undefined;
  /** The AI user may own things in here. */
  readonly shared: boolean;
  readonly within?: readonly Zone[];
}

const OWN: Modes = { folder: 0o750, file: 0o640 };
const SHARED: Modes = { folder: 0o2770, file: 0o660 };

/** Requirements §2.2. */
const ZONES: readonly Zone[] = [
  { name: 'secure', modes: undefined, shared: false },
  { name: 'engine', modes: SHARED, shared: true },
  {
    name: 'ai-data',
    modes: OWN,
    shared: false,
    within: [{ name: 'memory', modes: SHARED, shared: true }],
  },
];

interface Means {
  readonly system: Owner;
  readonly ai: Pick<Owner, 'uid'>;
  readonly takesFrom: ReadonlySet<number>;
  readonly left: string[];
}

function takeZone(parent: number, parentPath: string, zone: Zone, means: Means): void {
  const path = join(parentPath, zone.name);
  const stats = lookAt(parent, zone.name);
  // The check of the workspace makes what is missing, as its owner.
  if (stats === undefined) return;
  if (!stats.isDirectory()) throw unusable(path, 'it is no folder', undefined);
  const folder = openFolder(beneath(parent, zone.name), path);
  try {
    take(folder, path, zone, means, zone.modes?.folder);
    takeBeneath(folder, path, zone, means, 1);
  } finally {
    closeSync(folder);
  }
}

function takeBeneath(folder: number, path: string, zone: Zone, means: Means, depth: number): void {
  if (depth > MOST_DEPTH) {
    throw unusable(path, `folders are nested more than ${MOST_DEPTH} deep`, undefined);
  }
  for (const name of readdirSync(`/proc/self/fd/${folder}`)) {
    const inner = depth === 1 ? zone.within?.find((each) => each.name === name) : undefined;
    if (inner !== undefined) {
      takeZone(folder, path, inner, means);
      continue;
    }
    takeEntry(folder, path, name, zone, means, depth);
  }
}

function takeEntry(
  folder: number,
  path: string,
  name: string,
  zone: Zone,
  means: Means,
  depth: number,
): void {
  const stats = lookAt(folder, name);
  // Gone between listing and looking.
  if (stats === undefined) return;
  const here = join(path, name);
  if (stats.isDirectory()) {
    const entered = openFolder(beneath(folder, name), here);
    try {
      take(entered, here, zone, means, zone.modes?.folder);
      takeBeneath(entered, here, zone, means, depth + 1);
    } finally {
      closeSync(entered);
    }
  } else if (stats.isFile()) {
    const opened = openSync(beneath(folder, name), OPEN_FILE);
    try {
      const file = name === 'MEMORY.md' && zone.name === 'ai-data' ? SHARED.file : zone.modes?.file;
      take(opened, here, zone, means, file);
    } finally {
      closeSync(opened);
    }
  } else if (!stats.isSocket()) {
    means.left.push(`${here} is no plain file`);
  }
}

/** Sets owner and mode of what is open, unless it is not ours to take. */
function take(fd: number, path: string, zone: Zone, means: Means, mode: number | undefined): void {
  const stats = fstatSync(fd);
  const { system, ai, takesFrom, left } = means;
  if (!stats.isDirectory() && (!stats.isFile() || stats.nlink !== 1)) {
    left.push(`${path} has a second name, or is no plain file any more`);
    return;
  }
  if (zone.shared && stats.uid === ai.uid && !stats.isDirectory()) return;
  if (zone.modes === undefined && !takesFrom.has(stats.uid)) return;
  if (stats.uid !== system.uid || stats.gid !== system.gid) fchownSync(fd, system.uid, system.gid);
  else if (!stats.isDirectory()) return;
  if (mode !== undefined && (stats.mode & 0o7777) !== mode) fchmodSync(fd, mode);
}

function beneath(folder: number, name: string): string {
  return `/proc/self/fd/${folder}/${name}`;
}

function lookAt(folder: number, name: string): Stats | undefined {
  return lstatSync(beneath(folder, name), { throwIfNoEntry: false });
}

function openFolder(at: string, path: string): number {
  try {
    return openSync(at, OPEN_FOLDER);
  } catch (error) {
    throw unusable(path, `it can't be opened as a folder: ${errorText(error)}`, error);
  }
}

/** True: it was not there before. */
function makeRoot(root: string): boolean {
  if (lstatSync(root, { throwIfNoEntry: false }) !== undefined) return false;
  const umask = process.umask(0o022);
  try {
    mkdirSync(root, { recursive: true, mode: 0o755 });
    return true;
  } catch (error) {
    throw unusable(root, errorText(error), error);
  } finally {
    process.umask(umask);
  }
}

/** Whether the user may go through all folders above. */
export function canPass(path: string, user: Owner): boolean {
  return closedAbove(path, user) === undefined;
}

/** The nearest folder above that the user may not enter. */
function closedAbove(path: string, user: Owner): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats !== undefined && !mayEnter(stats, user)) return folder;
    if (folder === parse(folder).root) return undefined;
  }
}

/** Root's own folders are closed to others: say so before the start fails with "permission denied". */
function mustBeReachable(path: string, user: Owner): void {
  const folder = closedAbove(path, user);
  if (folder === undefined) return;
  throw new AppError({
    family: 'config',
    code: 'workspace_unreachable',
    message: `OpenPact does not run as root: it becomes the user openpact-system (${user.uid}), who may not enter ${folder}, so it can not use ${path}.`,
    fix: `Choose a workspace elsewhere, such as --workspace /var/lib/openpact/workspace, or let others pass through the folder: chmod o+x ${folder}`,
    details: { folder },
  });
}

export function mayEnter(stats: Stats, user: Owner): boolean {
  if (stats.uid === user.uid) return (stats.mode & 0o100) !== 0;
  if (stats.gid === user.gid) return (stats.mode & 0o010) !== 0;
  return (stats.mode & 0o001) !== 0;
}

/** Ownership is taken of a workspace or of an empty folder, never of somebody's home by a slip of the hand. */
function mustBeWorkspace(root: string): void {
  const names = readdirSync(root);
  if (root !== parse(root).root && (names.length === 0 || names.includes('secure'))) return;
  throw unusable(root, 'it is not empty and is no workspace, so root did not take it over', undefined);
}

function unusable(path: string, why: string, cause: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'workspace_unusable',
    message: `The workspace folder ${path} can't be used: ${why}.`,
    fix: 'Choose another folder with --workspace, or put that right and start again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

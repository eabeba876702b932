// Guarantees: the folders of the workspace exist with the charter's modes (requirements §2.2), and nothing in `secure/`
// belongs to or is open to anybody else: otherwise the start is refused with the command that repairs it. What we did
// not create we never change. From here on the process makes files that are its own alone (umask 077).
// Does not: look at access control lists or at the folders above the workspace, nor watch after the start.
// An attacker may control: names and contents in `ai-data/` and `engine/`, never what is looked at here.
import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError, errorText } from '../../core/index.ts';
import { workspacePaths, type WorkspacePaths } from './workspace-paths.ts';

/**
 * Makes what is missing and checks the rest (W-05, W-09). Idempotent. `user` is who must own `secure/`.
 * Errors of family `config`: `workspace_modes` with every finding and its repair, `workspace_unusable`.
 */
export function prepareWorkspace(path: string, user = process.geteuid?.()): WorkspacePaths {
  const paths = workspacePaths(path);
  process.umask(0o077);
  const tree: readonly (readonly [string, number])[] = [
    [paths.root, 0o750],
    [paths.secure, 0o700],
    [paths.data, 0o700],
    [paths.aiData, 0o750],
    [paths.memory, 0o2770],
    [paths.scripts, 0o750],
    [paths.skills, 0o750],
    [paths.engine, 0o2770],
  ];
  try {
    mkdirSync(dirname(paths.root), { recursive: true });
    for (const [folder, mode] of tree) makeFolder(folder, mode);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unusable(paths.root, errorText(error), error);
  }
  const findings = inspect(paths, user);
  if (findings.length > 0) throw refusal(findings);
  return paths;
}

function makeFolder(folder: string, mode: number): void {
  const there = lstatSync(folder, { throwIfNoEntry: false });
  if (there === undefined) {
    mkdirSync(folder, { mode });
    // The set-group bit and what the umask took.
    chmodSync(folder, mode);
  } else if (!there.isDirectory()) {
    throw unusable(folder, there.isSymbolicLink() ? 'it is a symbolic link' : 'it is no folder');
  }
}

interface Finding {
  readonly path: string;
  readonly what: string;
  /** Shell words; the quoted path follows. */
  readonly repair: string;
}

function inspect(paths: WorkspacePaths, user: number | undefined): readonly Finding[] {
  // Windows has no modes to look at; the isolation level says so.
  if (user === undefined) return [];
  const findings: Finding[] = [];
  const root = lstatSync(paths.root);
  // Who can write the root can put another `secure` in place.
  if ((root.mode & 0o022) !== 0) {
    findings.push({ path: paths.root, what: 'others can write it', repair: 'chmod go-w' });
  }
  if (root.uid !== user && root.uid !== 0) {
    findings.push({ path: paths.root, what: owner(root, user), repair: `chown ${user}` });
  }
  const visit = (path: string): void => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // Gone between listing and looking: SQLite removes files of its own.
    if (stats === undefined) return;
    if (stats.isSymbolicLink()) {
      findings.push({ path, what: 'is a symbolic link, which may lead anywhere', repair: 'rm' });
      return;
    }
    if (stats.uid !== user) findings.push({ path, what: owner(stats, user), repair: `chown ${user}` });
    if ((stats.mode & 0o077) !== 0) {
      const found = (stats.mode & 0o7777).toString(8);
      const wanted = stats.isDirectory() ? '700' : '600';
      findings.push({ path, what: `has mode ${found} instead of ${wanted}`, repair: `chmod ${wanted}` });
    }
    if (!stats.isDirectory()) return;
    try {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
    } catch (error) {
      findings.push({ path, what: `can't be listed: ${errorText(error)}`, repair: 'chmod 700' });
    }
  };
  visit(paths.secure);
  return findings;
}

function owner(stats: Stats, user: number): string {
  return `belongs to user ${stats.uid}, not to ${user}, who starts OpenPact`;
}

function refusal(findings: readonly Finding[]): AppError {
  const shown = findings.slice(0, 20);
  const more = findings.length - shown.length;
  const byRepair = new Map<string, string[]>();
  for (const { repair, path } of findings) {
    byRepair.set(repair, [...(byRepair.get(repair) ?? []), shellQuote(path)]);
  }
  const commands = [...byRepair].map(([repair, paths]) => `${repair} ${paths.join(' ')}`);
  return new AppError({
    family: 'config',
    code: 'workspace_modes',
    message: [
      'The workspace is not protected as it must be, so nothing was started:',
      ...shown.map(({ path, what }) => `  ${path} ${what}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n'),
    fix: `If you know why it is so, repair it with:\n${commands.map((command) => `  ${command}`).join('\n')}`,
    details: { paths: findings.map(({ path }) => path), commands },
  });
}

function unusable(path: string, why: string, cause?: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'workspace_unusable',
    message: `The workspace folder ${path} can't be used: ${why}.`,
    fix: 'Choose another folder with --workspace, or put a folder there that belongs to the user who starts OpenPact.',
    cause,
  });
}

/** One word for a POSIX shell, whatever is in it. */
function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

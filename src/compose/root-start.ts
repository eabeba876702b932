// Guarantees: a command that touches a workspace does not go on as root on Linux: where it starts OpenPact it takes the
// workspace over for `openpact-system`, and it becomes that user. Whatever can't be had is refused.
// Does not: apply where no workspace of `openpact-system` is there and nothing is to be started (`config check`).
// An attacker may control: nothing but what own-workspace.ts says.
import { resolve } from 'node:path';
import { loadConfig, withDotenv, type LoadOptions, type Surroundings } from '../config/index.ts';
import { fileExists, fileOwner } from '../host/files/file-exists.ts';
import { canPass, takeWorkspace } from '../host/files/own-workspace.ts';
import { placeProgram } from '../host/files/runtime-folder.ts';
import { workspacePaths } from '../host/files/workspace-paths.ts';
import { becomeSystem, findUsers, heldCapabilities, type Users } from '../host/process/index.ts';

/** Verbs that take the workspace over. */
const TAKING: readonly (string | undefined)[] = ['start', 'serve', 'doctor', 'import'];
/** Where root puts what `openpact-system` could not read otherwise. */
const RUNTIME = '/var/lib/openpact/runtime';

export interface LeaveOptions extends LoadOptions {
  /** Arguments that are paths, as they were given. */
  readonly paths?: readonly string[] | undefined;
}

/** Returns where nothing is to be done. Else this process starts its program again as another user. */
export function leaveRoot(options: LeaveOptions, surroundings: Surroundings): void {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return;
  const users = findUsers();
  const { argv } = surroundings;
  const trial = argv[0] === 'import' && argv.includes('--dry-run');
  const taking = TAKING.includes(argv[0]) && !trial;
  let next: Again = { args: ownArguments(), environment: options.environment, folder: options.folder };
  // Root that was left without these (in a container) may not even read the configuration; its owner can.
  if (heldCapabilities(['chown', 'dac_override', 'fowner']).length === 3) {
    const { workspace } = loadConfig(options).config;
    const paths = workspacePaths(workspace.path);
    const owner = fileOwner(paths.secure);
    // A trial takes nothing over. It reads what somebody else wrote as the other user all the same, where that one gets.
    const lesser = trial && owner === undefined && canPass(paths.config, users.system);
    if (!taking && !lesser && owner !== users.system.uid) return;
    if (taking) {
      const { left } = takeWorkspace(paths, users.system, users.ai);
      for (const what of left.slice(0, 20)) process.stderr.write(`Left as it was: ${what}\n`);
    }
    next = away(next, options, paths.root, users);
  }
  startAgain(next, surroundings, users);
}

interface Again {
  readonly args: readonly string[];
  readonly environment: LoadOptions['environment'];
  readonly folder: string;
}

/** What root could read and find in its folder goes along, where the other user can't. */
function away(
  again: Again,
  { flags, folder, paths = [] }: LeaveOptions,
  workspace: string,
  users: Users,
): Again {
  const dotenv = fileExists(resolve(folder, '.env'));
  if (!dotenv && canPass(resolve(folder, 'x'), users.system)) return again;
  const environment: Record<string, string | undefined> = {
    ...withDotenv(again.environment, folder).environment,
  };
  for (const [name, value] of Object.entries(environment)) {
    if (value && (name === 'CONFIG_PATH' || name.endsWith('_FILE')))
      environment[name] = resolve(folder, value);
  }
  const args = [...absolute(withoutPaths(again.args), paths, folder), '--workspace', workspace];
  if (flags.config !== undefined) args.push('--config', resolve(folder, flags.config));
  return { args, environment, folder: '/' };
}

/** The verb in front is none of them, nor is what a flag was given. */
function absolute(args: readonly string[], paths: readonly string[], folder: string): string[] {
  return args.map((arg, index) =>
    index > 0 && paths.includes(arg) && args[index - 1] !== '--user' ? resolve(folder, arg) : arg,
  );
}

function withoutPaths(args: readonly string[]): string[] {
  return args.filter(
    (arg, index) =>
      !/^--(workspace|config)(=|$)/.test(arg) && !/^--(workspace|config)$/.test(args[index - 1] ?? ''),
  );
}

function startAgain(
  { args, environment, folder }: Again,
  { starter, handedOver }: Surroundings,
  users: Users,
): never {
  const place = placeProgram({
    node: process.execPath,
    program: process.argv[1] ?? '',
    starter,
    user: users.system,
    runtime: RUNTIME,
  });
  // Who gave us the environment out of sight gets it out of sight again; so does what root read from `.env`.
  const wipe = handedOver || folder === '/' ? ['--wipe-environment'] : [];
  const command = place.starter === undefined ? [place.program, ...wipe] : [place.starter];
  process.chdir(folder);
  return becomeSystem({
    user: users.system,
    command: [place.node, ...process.execArgv, ...command, ...args],
    env: Object.fromEntries(
      Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
  });
}

/** What this program was told, without what its starter told it. */
function ownArguments(): string[] {
  return process.argv
    .slice(2)
    .filter((arg) => !/^--(environment-fd|starter)=|^--wipe-environment$/.test(arg));
}

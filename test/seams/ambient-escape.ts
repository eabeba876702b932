/**
 * Runs as OpenPact does after root: not root, with ambient SETUID, SETGID and KILL. Launches a child as openpact-ai that
 * tries to become root, with the controls left out that the first argument names, and prints what came of it. `spawn` as
 * the first argument: the child is started by Node's own means, as no code of the product does.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { nodeFences } from '../../src/host/process/index.ts';
import { systemLibraries } from '../../src/host/process/node-fences.ts';
import { findTool } from '../../src/host/process/tools.ts';
import { weakLauncher, type LauncherControl } from './weak-launcher.ts';

const AI = { uid: 41_002, gid: 41_000 };
const perl = findTool('perl') ?? '';
const [setresuid, getuid] = process.arch === 'x64' ? [117, 102] : [147, 174];
const CODE = `syscall(${setresuid}, 0, 0, 0); print syscall(${getuid}) == 0 ? "became root\\n" : "refused\\n";`;

const off = (process.argv[2] ?? '').split(',').filter((name) => name !== '');
if (off[0] === 'spawn') {
  process.stdout.write(spawnSync(perl, ['-e', CODE], { ...AI, encoding: 'utf8' }).stdout);
} else {
  const { launcher, folder } = weakLauncher(off as LauncherControl[]);
  try {
    const child = await launcher.launch({
      program: perl,
      args: ['-e', CODE],
      env: {},
      user: AI,
      fences: {
        network: 'none',
        files: [...nodeFences({ node: perl }).files, ...systemLibraries()],
      },
    });
    await child.exited;
    process.stdout.write(`${child.stdout.tail().at(-1)}\n`);
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Starts a child with its pipes and without any fence: what an attack meets when the launcher's controls are off. Another
 * user, where one is ordered, is a control of its own.
 */
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { setprivArguments } from '../../src/host/process/order.ts';
import type { Child, Exit, Launcher, LineStream } from '../../src/host/process/index.ts';

const silent: LineStream = { onLine: () => () => undefined, tail: () => [], droppedBytes: 0 };

/** `wrapper` is put before the program, such as `['unshare', '-rm']`. */
export function createUnfencedLauncher(wrapper: readonly string[] = []): Launcher {
  return {
    async launch(order) {
      const [file = order.program, ...args] = [
        ...wrapper,
        ...(order.user === undefined ? [] : ['setpriv', ...setprivArguments(order.user), '--']),
        'sh',
        '-c',
        `umask ${(order.umask ?? 0o077).toString(8)}; exec "$@"`,
        'sh',
        order.program,
        ...order.args,
      ];
      const spawned = spawn(file, args, {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...order.env },
        cwd: order.cwd ?? '/',
        stdio: ['ignore', 'ignore', 'inherit', ...(order.fds ?? []).map(() => 'pipe' as const)],
      });
      const exited = new Promise<Exit>((resolve) => {
        spawned.once('exit', (code, signal) => resolve({ code, signal, reason: 'exited' }));
      });
      await new Promise((resolve, reject) => {
        spawned.once('spawn', resolve);
        spawned.once('error', reject);
      });
      const kill = (): Promise<Exit> => {
        spawned.kill('SIGKILL');
        return exited;
      };
      const child: Child = {
        pid: spawned.pid ?? 0,
        fds: spawned.stdio.slice(3) as Duplex[],
        stdout: silent,
        stderr: silent,
        fence: { fenced: false, landlockAbi: 0, notes: [] },
        exited,
        kill,
        stop: kill,
      };
      return child;
    },
  };
}

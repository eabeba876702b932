import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { readLines } from './line-stream.ts';
import type { Child, Exit, ExitReason, FenceReport, OutputCap } from './types.ts';

/** How long a dead child's last lines may take to arrive. */
const drainMs = 100;

const reasons: Partial<Record<NodeJS.Signals, ExitReason>> = {
  SIGSYS: 'forbidden_call',
  SIGXCPU: 'cpu_limit',
  SIGXFSZ: 'file_size_limit',
};

export interface Supervised {
  readonly child: Child;
  /** A fence was found down: the reason of the coming exit. */
  killForFence(): Promise<Exit>;
}

/** Puts our `Child` around a process that has started. */
export function supervise(
  spawned: ChildProcess & { readonly pid: number },
  fds: readonly Duplex[],
  fence: () => FenceReport,
  output: OutputCap | undefined,
): Supervised {
  const stdout = readLines(spawned.stdout as Readable, output);
  const stderr = readLines(spawned.stderr as Readable, output);
  // A child that dies while it is written to must not take the parent with it; `exited` tells of it.
  for (const fd of fds) fd.on('error', () => undefined);
  // EPERM while signalling a child of another user.
  spawned.on('error', () => undefined);

  let intent: ExitReason | undefined;
  const exited = new Promise<Exit>((resolve) => {
    spawned.once('exit', (code, signal) => {
      const reason = intent ?? (signal === null ? 'exited' : (reasons[signal] ?? 'signal'));
      void drained(spawned).then(() => resolve({ code, signal, reason }));
    });
  });

  const killNow = (): void => {
    if (spawned.exitCode !== null || spawned.signalCode !== null) return;
    if (!fence().fenced) killGroup(spawned.pid);
    // Through the handle, never by number: the number may be another process by now.
    spawned.kill('SIGKILL');
  };
  const kill = (reason: ExitReason): Promise<Exit> => {
    intent ??= reason;
    killNow();
    return exited;
  };

  const child: Child = {
    pid: spawned.pid,
    fds,
    stdout,
    stderr,
    get fence() {
      return fence();
    },
    exited,
    kill: () => kill('killed'),
    async stop(graceMs) {
      intent ??= 'stopped';
      spawned.kill('SIGTERM');
      const timer = setTimeout(killNow, graceMs);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
  return { child, killForFence: () => kill('fence_failed') };
}

/** A fenced child is one process; an unfenced one may have started others, in the group that it leads. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No such group: the platform has none, or the launch chain did not get that far.
    return;
  }
}

/** The last lines of a dead child. */
function drained(spawned: ChildProcess): Promise<void> {
  const open = [spawned.stdout, spawned.stderr].filter((stream) => stream !== null && !stream.readableEnded);
  if (open.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    let left = open.length;
    const timer = setTimeout(resolve, drainMs);
    for (const stream of open) {
      stream?.once('close', () => {
        left -= 1;
        if (left > 0) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
}

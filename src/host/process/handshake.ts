/**
 * The talk with fence.pl, up to the program's first instruction.
 *
 * Guarantees: the program starts only after the fence has said that all stands and the kernel has confirmed in /proc what
 * it can confirm; once it runs, the kernel is asked again. Does not: see Landlock from outside. An attacker may
 * control: nothing until the end of the pipe; after it, only the process that is looked at.
 */
import type { Duplex } from 'node:stream';
import { AppError } from '../../core/index.ts';
import { deviations, isEnded, type ReadStatus } from './process-status.ts';
import type { Supervised } from './supervise.ts';
import type { Exit, FenceReport, LaunchOrder } from './types.ts';

export interface Agreement {
  readonly report: FenceReport;
}

export interface HandshakeInput {
  readonly order: LaunchOrder;
  readonly status: Duplex;
  readonly supervised: Supervised;
  readonly readStatus: ReadStatus;
}

const mostStatusText = 64 * 1024;

export async function agreeOnFences(input: HandshakeInput): Promise<Agreement> {
  const { order, status } = input;
  let text = '';
  let standing: Standing | undefined;
  try {
    for await (const chunk of status) {
      text += String(chunk);
      if (text.length > mostStatusText) throw fenceFailed(order, 'the fence talks too much');
      if (standing === undefined) {
        standing = readStanding(text);
        if (standing !== undefined) {
          verify(input, standing, false);
          status.write(environmentMessage(order.env));
        }
      }
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    // A reset pipe is an end.
  }
  // The pipe closes on exec: either the program runs now, or the chain has ended.
  const failure = /^(?:failed|missing) (.*)$/m.exec(text)?.[1];
  if (failure !== undefined || standing === undefined) {
    const exit = await endOfChain(input.supervised);
    const words = input.supervised.child.stderr.tail().join(' | ');
    throw fenceFailed(
      order,
      failure ?? `the launch chain ended (${exit.signal ?? `exit ${exit.code}`}) ${words}`.trim(),
      exit.code,
    );
  }
  verify(input, standing, true);
  const { landlockAbi, seccomp, notes } = standing;
  return { report: { fenced: landlockAbi > 0 && seccomp, landlockAbi, notes } };
}

/** The chain ends by itself after a failure; its exit code is worth a moment. */
async function endOfChain(supervised: Supervised): Promise<Exit> {
  let timer: NodeJS.Timeout | undefined;
  const moment = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 500);
  });
  await Promise.race([supervised.child.exited, moment]);
  clearTimeout(timer);
  return supervised.killForFence();
}

interface Standing {
  readonly landlockAbi: number;
  readonly seccomp: boolean;
  readonly notes: readonly string[];
}

function readStanding(text: string): Standing | undefined {
  const ready = /^ready landlock=(\d+) seccomp=([01])$/m.exec(text);
  if (ready === null || !text.endsWith('\n')) return undefined;
  const notes = [...text.matchAll(/^note (.*)$/gm)].map((match) => match[1] ?? '');
  return { landlockAbi: Number(ready[1]), seccomp: ready[2] === '1', notes };
}

function verify(
  { order, supervised, readStatus }: HandshakeInput,
  standing: Standing,
  running: boolean,
): void {
  let child: string;
  try {
    child = readStatus(supervised.child.pid);
  } catch (error) {
    // A short program may be gone by now; before it started, it was looked at and found in order.
    if (running) return;
    throw fenceFailed(order, 'the child can not be looked at', undefined, error);
  }
  if (running && isEnded(child)) return;
  const found = deviations(child, readStatus(process.pid), {
    parentPid: process.pid,
    user: order.user,
    seccomp: standing.seccomp,
  });
  if (found.length > 0) throw fenceFailed(order, `the child was killed because ${found.join('; ')}`);
}

/** Read by fence.pl: the length in bytes, a newline, NUL-ended entries. */
function environmentMessage(env: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
  const bytes = Buffer.from(entries.join(''), 'utf8');
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
}

function fenceFailed(order: LaunchOrder, what: string, exitCode?: number | null, cause?: unknown): AppError {
  return new AppError({
    family: 'config',
    code: 'fence_failed',
    message: `${order.program} was not started: ${what}.`,
    fix: fixFor(what),
    ...(exitCode === undefined ? {} : { details: { exit_code: exitCode } }),
    cause,
  });
}

function fixFor(what: string): string {
  if (what.includes('Landlock')) {
    return 'Use a kernel with Landlock (5.13 or later, "landlock" in the lsm= list) and a container profile that allows its calls.';
  }
  if (what.includes('seccomp')) return 'Use a kernel with CONFIG_SECCOMP_FILTER.';
  if (what.startsWith('file rule')) return 'See that the path exists and that this user may reach it.';
  if (what.startsWith('starting'))
    return 'See that the program exists and that a file rule lets it be executed.';
  return 'See docs/isolation.md for what each fence needs.';
}

/**
 * The only way in which anything untrusted starts.
 *
 * Guarantees: `launch` resolves only for a program that runs behind every fence of its order (files, network, one
 * process, no privilege, limits, an environment from nothing), and not one instruction of it runs before the parent has
 * seen in /proc that the fences stand. Any doubt ends the child and rejects. The child dies with this process, also when
 * this process is killed with -9.
 *
 * Does not: judge the order (a file rule for `/` opens everything), hide that paths exist, bound what the child does with
 * the pipes it was given, or fence anything on a machine without setpriv, perl, Landlock and seccomp: there it starts
 * only what says `allowUnfenced`. The parent-death signal hangs on the thread that launches: launch from the main one.
 *
 * An attacker may control: everything the child does once it runs, its output and pipes; nothing of the order.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { AppError, errorText } from '../../core/index.ts';
import { agreeOnFences, type Agreement } from './handshake.ts';
import { chain, checkOrder, type Tools } from './order.ts';
import { readProcessStatus, type ReadStatus } from './process-status.ts';
import { supervise, type Supervised } from './supervise.ts';
import { findTools } from './tools.ts';
import type { Architecture } from './syscalls.ts';
import type { ChildLedger } from './strays.ts';
import type { Child, FenceReport, Launcher, LaunchOrder } from './types.ts';

export interface LauncherDependencies {
  /** The folder of fence.pl; set it when this module is bundled. */
  readonly assets?: string | undefined;
  /** Null on a machine that can't fence. */
  readonly tools?: Tools | null | undefined;
  readonly readStatus?: ReadStatus | undefined;
  /** Remembers children beyond this process, so that its successor finds what it left behind. */
  readonly ledger?: ChildLedger | undefined;
}

const defaultDeadlineMs = 10_000;
const unfenced: FenceReport = { fenced: false, landlockAbi: 0, notes: ['nothing is fenced on this machine'] };

export function createLauncher(dependencies: LauncherDependencies = {}): Launcher {
  const assets = dependencies.assets ?? import.meta.dirname;
  const readStatus = dependencies.readStatus ?? readProcessStatus;
  const tools = dependencies.tools === undefined ? findTools() : dependencies.tools;
  const { ledger } = dependencies;

  return {
    async launch(order) {
      checkOrder(order);
      const started = (pid: number): (() => void) => ledger?.add(pid) ?? (() => undefined);
      if (tools !== null) {
        const fencePath = path.join(assets, 'fence.pl');
        return startFenced(order, { tools, readStatus, fencePath, started });
      }
      if (order.fences.allowUnfenced === true) return startPlainly(order, started);
      throw new AppError({
        family: 'config',
        code: 'fence_failed',
        message: `${order.program} was not started: this machine has no means to fence it.`,
        fix: 'Run on Linux (x64 or arm64) with setpriv and prlimit (util-linux) and perl, or allow an unsandboxed start.',
      });
    },
  };
}

interface FencedMeans {
  readonly tools: Tools;
  readonly readStatus: ReadStatus;
  readonly fencePath: string;
  readonly started: Started;
}

/** Told of every process; returns what to call when it is gone. */
type Started = (pid: number) => () => void;

async function startFenced(order: LaunchOrder, means: FencedMeans): Promise<Child> {
  const statusFd = 3 + (order.fds?.length ?? 0);
  const { file, args } = chain(order, {
    tools: means.tools,
    fencePath: means.fencePath,
    architecture: process.arch as Architecture,
    parentPid: process.pid,
    statusFd,
  });
  // The chain has an environment of its own: what the program gets arrives over the status pipe.
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const { spawned, pipes } = await start(order, file, args, env, statusFd - 3 + 1);
  const status = pipes.pop() as Duplex;
  let agreement: Agreement | undefined;
  const report = (): FenceReport => agreement?.report ?? unfenced;
  const supervised = supervise(spawned, pipes, report, order.output);
  void supervised.child.exited.then(means.started(spawned.pid));
  return untilDeadline(order, supervised, async () => {
    agreement = await agreeOnFences({ order, status, supervised, readStatus: means.readStatus });
    await ready(order, supervised.child);
    return supervised.child;
  });
}

async function startPlainly(order: LaunchOrder, started: Started): Promise<Child> {
  const count = order.fds?.length ?? 0;
  const { spawned, pipes } = await start(order, order.program, order.args, order.env, count);
  const supervised = supervise(spawned, pipes, () => unfenced, order.output);
  void supervised.child.exited.then(started(spawned.pid));
  return untilDeadline(order, supervised, async () => {
    await ready(order, supervised.child);
    return supervised.child;
  });
}

type Spawned = ChildProcess & { readonly pid: number };

async function start(
  order: LaunchOrder,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  pipeCount: number,
): Promise<{ spawned: Spawned; pipes: Duplex[] }> {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  for (let index = 0; index < pipeCount; index += 1) stdio.push('pipe');
  try {
    // A session of its own: no terminal to type into, and Ctrl-C reaches the parent alone, which stops it in order.
    const spawned = spawn(file, [...args], { env, cwd: order.cwd ?? '/', stdio, detached: true });
    await new Promise((resolve, reject) => {
      spawned.once('spawn', resolve);
      spawned.once('error', reject);
    });
    return { spawned: spawned as Spawned, pipes: spawned.stdio.slice(3) as Duplex[] };
  } catch (error) {
    throw new AppError({
      family: 'upstream',
      code: 'launch_failed',
      message: `${order.program} could not be started: ${errorText(error)}`,
      cause: error,
    });
  }
}

/** Runs the launch's steps; whatever goes wrong, or takes too long, ends the child. */
async function untilDeadline(
  order: LaunchOrder,
  supervised: Supervised,
  steps: () => Promise<Child>,
): Promise<Child> {
  const deadlineMs = order.deadlineMs ?? defaultDeadlineMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new AppError({
          family: 'limit',
          code: 'launch_deadline',
          message: `${order.program} was not ready within ${deadlineMs} ms and was killed.`,
        }),
      );
    }, deadlineMs);
  });
  const done = steps();
  try {
    return await Promise.race([done, late]);
  } catch (error) {
    // The steps end with the child; what they then say is a consequence.
    done.catch(() => undefined);
    await supervised.killForFence();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the first byte on the order's ready pipe, and leaves it there. */
async function ready(order: LaunchOrder, child: Child): Promise<void> {
  if (order.readyFd === undefined) return;
  const pipe = child.fds[order.readyFd - 3];
  if (pipe === undefined) return;
  const spoke = await new Promise<boolean>((resolve) => {
    pipe.once('readable', () => resolve(pipe.readableLength > 0));
    void child.exited.then(() => resolve(pipe.readableLength > 0));
  });
  if (spoke) return;
  const exit = await child.exited;
  throw new AppError({
    family: 'upstream',
    code: 'launch_failed',
    message: `${order.program} ended before it was ready (${exit.signal ?? `exit ${exit.code}`}): ${lastWords(child)}`,
  });
}

function lastWords(child: Child): string {
  return child.stderr.tail().slice(-5).join(' | ') || 'it said nothing';
}

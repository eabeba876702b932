/**
 * What an earlier run left behind. Children die with their parent (the kernel sends the signal); this is for the day on
 * which that failed.
 *
 * Guarantees: what is ended was started by an earlier run on this workspace: it is in the list that the launcher keeps,
 * with the moment of its start, or in the session of such a process. Where everything in this PID namespace comes
 * from us (in a container of our own: our own user is PID 1), every process of the children's two users is ended.
 * Nothing else is, whatever user it runs as.
 *
 * Does not: find, outside of a container, a process that left its session. No fenced child can: seccomp refuses it, and a
 * second process too.
 *
 * An attacker may control: its own processes' names and arguments, which are not looked at. The list is in `secure/`.
 */
import { readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { field } from './process-status.ts';
import type { Users } from './users.ts';

export interface ChildLedger {
  /** Returns what to call when the process is gone. */
  add(pid: number): () => void;
}

/**
 * Keeps the list of living children. Where there is no /proc it keeps none. A list that can't be written (the disk is full)
 * is told of and stops nothing: it is the second line, behind the kernel's signal.
 */
export function createChildLedger(file: string, tell: (problem: unknown) => void): ChildLedger {
  const here = whereWeAre();
  const living = new Map<number, string>();
  const write = (): void => {
    const lines = [...living].map(([pid, start]) => `${pid} ${start}\n`);
    try {
      writeFileSync(`${file}.new`, `${here}\n${lines.join('')}`, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch (error) {
      tell(error);
    }
  };
  return {
    add(pid) {
      const seen = here === undefined ? undefined : lookAtProcess(pid);
      if (seen === undefined) return () => undefined;
      living.set(pid, seen.start);
      write();
      return () => {
        if (living.get(pid) !== seen.start) return;
        living.delete(pid);
        write();
      };
    },
  };
}

export interface Swept {
  readonly killed: readonly number[];
  /** Still there: signals were refused, or it does not end. */
  readonly left: readonly number[];
}

const goneWithinMs = 1_000;

/** Ends what the list of an earlier run names. Call while the workspace is locked, before anything is launched. */
export async function sweepStrays(file: string, users: Users | null): Promise<Swept> {
  const all = processes();
  const known = recorded(file);
  const isStray = ({ pid, start, session }: Seen): boolean => {
    if (known.get(pid) === start) return true;
    if (!known.has(session) || pid === process.pid) return false;
    // A session's number is not given away while it has members; a leader that is another one began a session anew.
    const leader = all.find((each) => each.pid === session);
    return leader === undefined || leader.start === known.get(session);
  };
  const ours = users !== null && ownsNamespace() ? [users.ai.uid, users.script.uid] : [];
  const strays = all.filter((seen) => !seen.ended && (isStray(seen) || ours.includes(seen.uid)));
  for (const { pid } of strays) signal(pid);
  const deadline = performance.now() + goneWithinMs;
  const remaining = (): Seen[] =>
    strays.filter(({ pid, start }) => {
      const now = lookAtProcess(pid);
      return now !== undefined && !now.ended && now.start === start;
    });
  while (remaining().length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const left = remaining().map(({ pid }) => pid);
  return { killed: strays.map(({ pid }) => pid).filter((pid) => !left.includes(pid)), left };
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile, or not ours to end: `left` tells.
  }
}

interface Seen {
  readonly pid: number;
  readonly uid: number;
  readonly session: number;
  /** In ticks since the start of the machine: with the pid it names one process for good. */
  readonly start: string;
  /** Dead, but not yet waited for. */
  readonly ended: boolean;
}

function processes(): Seen[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => lookAtProcess(Number(name)))
    .filter((seen) => seen !== undefined);
}

function lookAtProcess(pid: number): Seen | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    // proc(5): after the name, which may hold anything, come state (3), parent, group, session (6), ... start (22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      uid: Number(field(status, 'Uid')?.split('\t')[0]),
      session: Number(fields[6 - 3]),
      start: fields[22 - 3] ?? '',
      ended: /^[ZX]/.test(fields[0] ?? ''),
    };
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Pids mean something only within one start of the machine and one PID namespace. */
function whereWeAre(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // No /proc: nothing can be recorded, and nothing looked up.
    return undefined;
  }
}

function recorded(file: string): Map<number, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map();
    throw error;
  }
  const [where, ...lines] = text.split('\n');
  if (where !== whereWeAre()) return new Map();
  return new Map(
    lines
      .map((line) => /^(\d+) (\d+)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, pid, start]) => [Number(pid), start ?? '']),
  );
}

/** PID 1 runs as our own user, which is nobody's but ours: this is a container that was started for us. */
function ownsNamespace(): boolean {
  const uid = process.geteuid?.();
  const first = lookAtProcess(1);
  return uid !== undefined && uid !== 0 && first?.uid === uid;
}

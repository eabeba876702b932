import type { Duplex } from 'node:stream';

/** What a child may do beneath a path: read, read and execute, read and change, everything. */
export type FileAccess = 'ro' | 'rox' | 'rw' | 'rwx';

export interface FileRule {
  /** Absolute. A folder stands for everything beneath it. */
  readonly path: string;
  readonly access: FileAccess;
  /** A missing path is skipped instead of failing the launch. */
  readonly optional?: boolean | undefined;
}

/** `none` gives the seccomp profile `pipes`, ports give the profile `tcp`. */
export type NetworkFence = 'none' | { readonly connect: readonly number[]; readonly bind: readonly number[] };

export interface Fences {
  readonly files: readonly FileRule[];
  readonly network: NetworkFence;
  /** Start the program plainly where this machine has no Landlock and seccomp. Never weakens a machine that has them. */
  readonly allowUnfenced?: boolean | undefined;
}

/** Core dumps are always off. What is not given is not limited, but for `openFiles` (256). */
export interface Limits {
  /** At least 64: Node crashes below. */
  readonly openFiles?: number | undefined;
  /** RLIMIT_AS. Node needs about 1.5 GB of address space. */
  readonly addressSpaceBytes?: number | undefined;
  /** RLIMIT_DATA: heap, buffers and WASM. Node's own baseline is about 600 MB. */
  readonly dataBytes?: number | undefined;
  readonly cpuSeconds?: number | undefined;
  /** Counted per user, threads included; the kernel ignores it for uid 0. */
  readonly processes?: number | undefined;
  readonly fileBytes?: number | undefined;
}

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** A pipe from fd 3 on, seen from the parent. */
export type PipeDirection = 'to-child' | 'from-child' | 'both';

export interface LaunchOrder {
  /** Absolute path of the program. */
  readonly program: string;
  /** Visible to every user of the machine: never a secret. */
  readonly args: readonly string[];
  /** The whole environment. Names beyond PATH, HOME, LANG, TZ, TMPDIR and XDG_* must stand in `allowEnv`. */
  readonly env: Readonly<Record<string, string>>;
  readonly allowEnv?: readonly string[] | undefined;
  /** The first is fd 3 in the child, the second fd 4, and so on. */
  readonly fds?: readonly PipeDirection[] | undefined;
  readonly fences: Fences;
  readonly limits?: Limits | undefined;
  /** Default `/`. */
  readonly cwd?: string | undefined;
  /** Needs SETUID and SETGID. Without it the child runs as the parent's user. */
  readonly user?: UserIds | undefined;
  /** Default 0o077. */
  readonly umask?: number | undefined;
  /** Resolve only after the child's first byte on this fd (it stays in the stream). Default: once the program runs. */
  readonly readyFd?: number | undefined;
  /** How long the launch may take, `readyFd` included. Default 10 s. */
  readonly deadlineMs?: number | undefined;
  readonly output?: OutputCap | undefined;
}

/** A flood of output costs the parent no memory: what is over the cap is dropped and counted. */
export interface OutputCap {
  /** A longer line is cut. Default 8 KiB. */
  readonly lineBytes?: number | undefined;
  /** Sustained rate handed on. Default 64 KiB/s, with a burst of the same. */
  readonly bytesPerSecond?: number | undefined;
  /** How many last lines `tail()` keeps. Default 50. */
  readonly tailLines?: number | undefined;
}

export interface LineStream {
  /** Called for every line that is within the cap, from now on; earlier ones are in `tail()`. Returns how to stop. */
  onLine(listener: (line: string) => void): () => void;
  /** The last lines, oldest first. */
  tail(): readonly string[];
  /** Bytes that the cap took. */
  readonly droppedBytes: number;
}

export type ExitReason =
  /** It ended by itself, with a code. */
  | 'exited'
  /** `kill()` or `stop()`. */
  | 'killed'
  | 'stopped'
  /** A fence could not be put up, or was found to be down. */
  | 'fence_failed'
  /** seccomp ended it (SIGSYS). */
  | 'forbidden_call'
  | 'cpu_limit'
  | 'file_size_limit'
  /** A signal that we did not send: a crash, the kernel's memory killer, an operator. */
  | 'signal';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: ExitReason;
}

export interface FenceReport {
  /** False only where `allowUnfenced` let a program start on a machine without fences. */
  readonly fenced: boolean;
  /** Landlock's ABI; 0 when unfenced. */
  readonly landlockAbi: number;
  /** What this kernel could not enforce and what stands in for it. Empty on a current kernel. */
  readonly notes: readonly string[];
}

export interface Child {
  readonly pid: number;
  /** `fds[0]` is fd 3 in the child. */
  readonly fds: readonly Duplex[];
  readonly stdout: LineStream;
  readonly stderr: LineStream;
  readonly fence: FenceReport;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<Exit>;
  /** SIGTERM, then SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<Exit>;
}

export interface Launcher {
  launch(order: LaunchOrder): Promise<Child>;
}

import type { Clock, Log } from '../../../core/index.ts';
import type { Launcher, UserIds } from '../../../host/process/types.ts';
import type { EngineHandlers } from '../../adapter.ts';

/** How the agent's program is started: `node ...flags script`, and what it must be able to read for that. */
export interface AgentProgram {
  /** Absolute path of Node 24. */
  readonly node: string;
  /** Absolute: `dist/agent/main.mjs`, or `src/agent/main.ts` where the sources run. */
  readonly script: string;
  /** Absolute files and folders that the script is made of. Beyond them and node's libraries nothing can be read. */
  readonly read: readonly string[];
}

export interface BuiltinEngineDeps {
  readonly launcher: Launcher;
  readonly program: AgentProgram;
  readonly handlers: EngineHandlers;
  readonly log: Log;
  readonly clock: Clock;
  /** Turns at the same time; others wait in the order they came. Default 4. */
  readonly maxProcesses?: number | undefined;
  /** Another Linux user for the agent, where the orchestrator may change users. */
  readonly user?: UserIds | undefined;
  /** Start plainly on a machine that has no Landlock and seccomp (isolation level 0 or 1). */
  readonly allowUnfenced?: boolean | undefined;
  readonly timing?: Partial<EngineTiming> | undefined;
}

/** All in milliseconds but for the counts. */
export interface EngineTiming {
  /** How long a process may take from its launch to its first word. */
  readonly startMs: number;
  /** What an aborted turn gets to end by itself before its process is killed. */
  readonly graceMs: number;
  /** How often a process is asked for a sign of life while it runs a turn. */
  readonly beatMs: number;
  /** So many beats without an answer: it hangs. */
  readonly missedBeats: number;
  /** How long a process beyond the warm one may idle. */
  readonly idleMs: number;
  /** A process is replaced after so many turns. */
  readonly turnsPerProcess: number;
  /** First pause after a failure; doubles with each one in a row, with jitter. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export const defaultTiming: EngineTiming = {
  startMs: 10_000,
  graceMs: 250,
  beatMs: 3_000,
  missedBeats: 5,
  idleMs: 30_000,
  turnsPerProcess: 50,
  backoffMs: 250,
  maxBackoffMs: 60_000,
};

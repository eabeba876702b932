import type { ExactJson } from '../wire/index.ts';
import type { FenceReport } from '../../host/process/index.ts';
import type {
  BrokerWatcher,
  OutgoingRequest,
  ScriptGrant,
  ScriptSecrets,
  SendResult,
} from '../../guard/secrets/broker/index.ts';
import type { RunLimits } from './limits.ts';

/** One run of one script, as it was approved. */
export interface ScriptRun {
  /** See `digestOf`. What is not of this digest is not run. */
  readonly digest: string;
  readonly source: string;
  /** What errors call the file. Default `script.star`. */
  readonly name?: string | undefined;
  /** A function to call after the top level. Without one: `main`, else `result`, else the exported globals. */
  readonly entry?: string | undefined;
  readonly args?: readonly ExactJson[] | undefined;
  readonly kwargs?: { readonly [name: string]: ExactJson } | undefined;
  readonly grant: ScriptGrant;
  readonly limits?: Partial<RunLimits> | undefined;
  /** What `time.now()` says, in milliseconds since 1970. Default: now. */
  readonly now?: number | undefined;
  /** Ends the run at once, also one that waits for its turn. */
  readonly signal?: AbortSignal | undefined;
  /** Who wants it. Waiting runs are taken from each lane in turn, and within a lane from each script in turn. */
  readonly lane?: string | undefined;
}

/** The powers that a run may use as far as its grant goes. */
export interface RunBroker {
  readonly secrets: ScriptSecrets;
  readonly watcher: BrokerWatcher;
  /** One hop. The signal ends with the run. */
  readonly send: (request: OutgoingRequest, signal: AbortSignal) => Promise<SendResult>;
}

export interface RunError {
  /** See the table in docs/starlark.md. */
  readonly code: string;
  readonly message: string;
  /** From 1; null when the error has no place in the source. */
  readonly line: number | null;
}

export interface RunOutcome {
  /** Null when there is an error. */
  readonly value: ExactJson;
  readonly error: RunError | null;
  readonly logs: readonly string[];
  /** As the script's process counted. Null when it did not get to say. */
  readonly claimed: { readonly steps: number; readonly memory: number } | null;
  /** From the order to the outcome, in milliseconds. */
  readonly durationMs: number;
  /** Before that, waiting for a turn and for a process. */
  readonly queuedMs: number;
  /** What stood around the process; null when none was started. */
  readonly fence: FenceReport | null;
}

export interface ScriptRunner {
  /**
   * Everything that goes wrong in or with the script is in the outcome. Errors: config `scripts_unfenced` (a fence is
   * missing here), `fence_failed` and what else the launcher throws; input `run_limits_invalid`.
   */
  runScript(run: ScriptRun, broker: RunBroker): Promise<RunOutcome>;
  /** Whether one process is kept waiting for the next run: on while any script is approved. Off at first. */
  keepSpare(on: boolean): void;
  /** Runs that have a process, runs that wait, and whether a process waits. */
  readonly status: { readonly running: number; readonly waiting: number; readonly spare: boolean };
  /** Ends every run; resolves when no process is left. */
  close(): Promise<void>;
}

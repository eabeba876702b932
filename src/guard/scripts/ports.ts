/** What scripts need from the rest: a runner, the analysis, the file of each, the secrets. */
import type { FileEntry, FileText, Json } from '../../core/index.ts';
import type {
  BrokerWatcher,
  OutgoingRequest,
  ScriptGrant,
  ScriptSecrets,
  SendResult,
} from '../secrets/broker/index.ts';

/** What is read in a text without running it. */
export interface Analysis {
  readonly problems: readonly { readonly line: number; readonly message: string }[];
  readonly secrets: readonly string[];
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  readonly undecided: readonly {
    readonly line: number;
    readonly what: 'url' | 'secret' | 'http' | 'secrets';
  }[];
  readonly functions: readonly { readonly name: string; readonly params: readonly string[] }[];
}

export type Analyse = (source: string) => Analysis;

/** The files below `ai-data/`, with the one that only the owner's acts may remove. */
export interface ScriptFiles {
  read(path: string, signal?: AbortSignal): Promise<FileText>;
  write(path: string, text: string, signal?: AbortSignal): Promise<{ readonly bytes: number }>;
  list(
    path: string,
    signal?: AbortSignal,
  ): Promise<{ readonly entries: readonly FileEntry[]; readonly truncated: boolean }>;
  /** Whether there was one. */
  remove(path: string, signal?: AbortSignal): Promise<{ readonly removed: boolean }>;
}

export interface RunOrder {
  readonly digest: string;
  readonly source: string;
  readonly name: string;
  readonly entry?: string | undefined;
  readonly args?: readonly Json[] | undefined;
  readonly kwargs?: { readonly [name: string]: Json } | undefined;
  readonly grant: ScriptGrant;
  readonly limits?: Partial<RunOrderLimits> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly lane?: string | undefined;
}

export interface RunOrderLimits {
  /** Milliseconds. */
  readonly time: number;
  /** Nominal bytes. */
  readonly memory: number;
  readonly requests: number;
  readonly totalBytes: number;
}

export interface RunPowers {
  readonly secrets: ScriptSecrets;
  readonly watcher: BrokerWatcher;
  readonly send: (request: OutgoingRequest, signal: AbortSignal) => Promise<SendResult>;
}

/** One hop for a script, by its name: its host's rate counts by it. The signal ends with the run. */
export type Send = (request: OutgoingRequest, signal: AbortSignal, script: string) => Promise<SendResult>;

export interface RunEnd {
  readonly value: Json;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly line: number | null;
  } | null;
  readonly logs: readonly string[];
  readonly claimed: { readonly steps: number; readonly memory: number } | null;
  readonly durationMs: number;
  readonly queuedMs: number;
}

/** Runs what it is given, in a process of its own. Everything that goes wrong in the script is in the end. */
export interface Runner {
  runScript(order: RunOrder, powers: RunPowers): Promise<RunEnd>;
  /** Whether a process is kept waiting: on while any script is approved. */
  keepSpare?(on: boolean): void;
}

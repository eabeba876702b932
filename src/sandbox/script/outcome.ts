/** What a run gives back. Plain data; opaque strings stand in it as their markers. */
import type { Json } from '../starlark/index.ts';

/** Limits of one run (requirements 7.8). Time is watched by whoever started the process. */
export interface ScriptLimits {
  /** See `Limits` of the language. */
  readonly steps: number;
  /** Nominal bytes. */
  readonly memory: number;
  /** UTF-16 units of the source. */
  readonly source: number;
  /** UTF-16 units of the result as JSON. */
  readonly result: number;
  /** Values inside values in the result. */
  readonly resultDepth: number;
  /** UTF-16 units of all printed lines together, with their line ends. */
  readonly print: number;
  /** Milliseconds of all sleeps together. */
  readonly sleep: number;
}

export const SCRIPT_LIMITS: ScriptLimits = {
  steps: 50_000_000,
  memory: 128 * 1024 * 1024,
  source: 256 * 1024,
  result: 1024 * 1024,
  resultDepth: 64,
  print: 64 * 1024,
  sleep: 30_000,
};

export interface ScriptRequest {
  /** What errors call the file. */
  readonly name: string;
  readonly source: string;
  /** A function to call after the top level. Without one: `main`, else `result`, else the exported globals. */
  readonly entry?: string | undefined;
  readonly args?: readonly Json[] | undefined;
  readonly kwargs?: { readonly [name: string]: Json } | undefined;
  /** Milliseconds since 1970; fixed for the whole run. */
  readonly now: number;
  readonly limits?: Partial<ScriptLimits> | undefined;
}

export interface ScriptError {
  /** See the table in docs/starlark.md. */
  readonly code: string;
  readonly message: string;
  /** From 1; null when the error has no place in the source. */
  readonly line: number | null;
}

export interface ScriptOutcome {
  /** Null when there is an error. */
  readonly value: Json;
  readonly error: ScriptError | null;
  readonly logs: readonly string[];
  readonly used: { readonly steps: number; readonly memory: number };
}

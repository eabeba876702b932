import type { Json } from './json.ts';
import type { Origin, Principal } from './principal.ts';

/** What a tool may do to the world; policy and the page speak of these. */
export type ToolEffect = 'read' | 'write';

/** The powers that a tool is handed for one call. It has no others: tools import nothing but core. */
export interface ToolContext {
  readonly files: FilePowers;
  readonly clock: { now(): number };
  readonly scripts: ScriptPowers;
  /** On whose behalf it runs. */
  readonly caller: { readonly principal: Principal; readonly origin: Origin };
  readonly signal: AbortSignal;
}

export interface FileText {
  readonly text: string;
  readonly bytes: number;
}

export interface FileEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
  readonly bytes: number;
  readonly modified: string;
}

/** Files below `ai-data/`, by a relative path. Everything else is refused with an AppError (T-01). */
export interface FilePowers {
  read(path: string, signal?: AbortSignal): Promise<FileText>;
  /** Writes atomically; makes missing parent folders. */
  write(path: string, text: string, signal?: AbortSignal): Promise<{ readonly bytes: number }>;
  append(path: string, text: string, signal?: AbortSignal): Promise<{ readonly bytes: number }>;
  /** At most 1,000 entries, sorted by name, hidden ones left out. */
  list(
    path: string,
    signal?: AbortSignal,
  ): Promise<{ readonly entries: readonly FileEntry[]; readonly truncated: boolean }>;
}

/** What tools can do with scripts. Answers are plain data, refusals too: `{error: code, message, ...}`. */
export interface ScriptPowers {
  list(): Promise<Json>;
  /** Looks at every file of the folder again. */
  reload(): Promise<Json>;
  /** Waits up to `waitMs` for a decision on the newest version. */
  status(name: string, waitMs: number, signal: AbortSignal): Promise<Json>;
  write(
    script: { readonly name: string; readonly source: string; readonly message?: string | undefined },
    caller: ToolContext['caller'],
  ): Promise<Json>;
  run(
    order: {
      readonly name: string;
      readonly function?: string | undefined;
      readonly args?: readonly Json[] | undefined;
      readonly kwargs?: { readonly [name: string]: Json } | undefined;
    },
    caller: ToolContext['caller'],
    signal: AbortSignal,
  ): Promise<Json>;
  exec(source: string, caller: ToolContext['caller'], signal: AbortSignal): Promise<Json>;
}

/** What `ask` rules and the page need to know about one call, computed from its arguments without running it. */
export interface ToolTarget {
  /** The thing acted on, such as a path. Never a secret. */
  readonly target: string;
  /** A class of targets that policy names, such as `identity`, `memory`, `workspace`. */
  readonly resource: string;
}

/** A capability of the assistant. `schema` is JSON Schema draft 2020-12, also enforced by us (S-01, M-07). */
export interface Tool<Args = never> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly effect: ToolEffect;
  readonly schema: Readonly<Record<string, Json>>;
  /** Checks the arguments; a refusal is a sentence for the model. */
  parse(
    args: unknown,
  ): { readonly ok: true; readonly args: Args } | { readonly ok: false; readonly problem: string };
  target(args: Args): ToolTarget;
  /** The classes that `target` can give, for a tool that can't reach all of them. */
  readonly resources?: readonly string[] | undefined;
  /** A sentence for the approval card: what this call will do. */
  describe(args: Args): string;
  /** At most this long, in milliseconds. */
  readonly deadlineMs: number;
  run(args: Args, context: ToolContext): Promise<Json>;
}

/** A tool whose argument type is forgotten, as the registry holds it. */
// eslint-disable-next-line typescript/no-explicit-any -- the registry only passes back what `parse` returned
export type AnyTool = Tool<any>;

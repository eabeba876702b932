/**
 * One run over two pipes. The parent writes lines on fd 3: first the order, then the answer to each question. The process
 * writes lines on fd 4: `R` once it can take an order, `Q` with a question, `O` with the outcome, which is the last.
 */
import type { ExactJson } from './exact-json.ts';

export const WORKER_FDS = { in: 3, out: 4 } as const;

export const FRAMES = { ready: 'R', question: 'Q', outcome: 'O' } as const;

/** Exact JSON. */
export interface RunOrder {
  readonly name: string;
  readonly source: string;
  readonly entry?: string | undefined;
  readonly args?: readonly ExactJson[] | undefined;
  readonly kwargs?: { readonly [name: string]: ExactJson } | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** See `ScriptLimits`. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Characters of an error's message that leave the process. */
export const MESSAGE_CHARACTERS = 4_096;

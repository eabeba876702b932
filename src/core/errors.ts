/** The families that each edge maps to its own wire (HTTP status, exit code, MCP code). */
export type ErrorFamily =
  | 'input'
  | 'auth'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'limit'
  | 'upstream'
  | 'config';

export interface AppErrorInit {
  readonly family: ErrorFamily;
  /** Stable, snake_case, part of the interface. */
  readonly code: string;
  /** What happened and why, for a person. Never holds a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
  /** Public facts for the wire, such as `retry_after_s`. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** An error that we expect and can explain. Anything else that is thrown is a bug. */
export class AppError extends Error {
  readonly family: ErrorFamily;
  readonly code: string;
  readonly fix: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(init: AppErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'AppError';
    this.family = init.family;
    this.code = init.code;
    this.fix = init.fix;
    this.details = init.details ?? {};
  }
}

/** The text of anything thrown, for logs. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

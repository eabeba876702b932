/** How a run can end from outside of the script: one code each. */
import type { Exit } from '../../host/process/index.ts';
import type { RunError } from './types.ts';

const MESSAGES = {
  time_limit: 'the script took longer than it may',
  process_memory: "the script's process needed more memory than it may have",
  process_cpu: "the script's process used more processor time than it may",
  process_call: "the script's process asked the system for something that it may not have",
  process_died: "the script's process ended before it was done",
  protocol_violation: 'the run was stopped',
  secret_leak: 'the run was stopped',
  cancelled: 'the run was stopped on request',
  queue_full: 'too many runs are waiting',
  source_limit: 'the script is longer than it may be',
  args_limit: 'the arguments are larger than they may be',
} as const;

export type RunErrorCode = keyof typeof MESSAGES;

export function isRunErrorCode(code: string): boolean {
  return Object.hasOwn(MESSAGES, code);
}

export const RUN_ERROR_CODES = Object.keys(MESSAGES) as readonly RunErrorCode[];

export function runError(code: RunErrorCode, message: string = MESSAGES[code]): RunError {
  return { code, message, line: null };
}

/** V8 ends the process by one of these when it gets no memory. */
const OUT_OF_MEMORY: ReadonlySet<unknown> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL']);

/** What a process that ended by itself had run into. */
export function errorOfExit(exit: Exit): RunError {
  if (exit.reason === 'cpu_limit') return runError('process_cpu');
  if (exit.reason === 'forbidden_call') return runError('process_call');
  // 128 and the signal's number, where something between us and it tells so.
  if (OUT_OF_MEMORY.has(exit.signal) || exit.code === 133 || exit.code === 134)
    return runError('process_memory');
  return runError('process_died');
}

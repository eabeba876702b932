// Guarantees: what comes out is an outcome of our shape within the run's limits; everything else is undefined. Codes that
// only the parent gives are never taken from the process.
// Does not: know whether it is true. A process that was taken over says what it likes about its own run.
// An attacker may control: every character.
import { MESSAGE_CHARACTERS, parseExact, stringifyExact, type ExactJson } from '../wire/index.ts';
import type { RunLimits } from './limits.ts';
import { isRunErrorCode } from './run-errors.ts';
import { isShallow } from '../../core/index.ts';
import type { RunOutcome } from './types.ts';

export type ClaimedOutcome = Pick<RunOutcome, 'value' | 'error' | 'logs' | 'claimed'>;

/** Characters of a line that an honest process may need: prints and messages escaped, the result as it is. */
export function longestOutcome(limits: RunLimits): number {
  return limits.result + 6 * (limits.print + MESSAGE_CHARACTERS) + 64 * 1024;
}

export function readOutcome(line: string, limits: RunLimits): ClaimedOutcome | undefined {
  // The outcome and its parts are around the result.
  if (line.length > longestOutcome(limits) || !isShallow(line, limits.resultDepth + 1)) return undefined;
  let data: unknown;
  try {
    data = parseExact(line);
  } catch {
    return undefined;
  }
  const outcome = members(data, ['value', 'error', 'logs', 'used']);
  if (outcome === undefined) return undefined;
  const [value, givenError, givenLogs, used] = outcome as [ExactJson, unknown, unknown, unknown];
  const error = givenError === null ? null : readError(givenError);
  const logs = readLogs(givenLogs, limits.print);
  const claimed = readNumbers(used);
  if (error === undefined || logs === undefined || claimed === undefined) return undefined;
  if (error !== null && value !== null) return undefined;
  // Big ints stand in quotes where the process measures.
  if (stringifyExact(value).length > limits.result) return undefined;
  return { value, error, logs, claimed };
}

/** The values of exactly these members, in this order. */
function members(data: unknown, names: readonly string[]): unknown[] | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const found = new Map<string, unknown>(Object.entries(data));
  if (found.size !== names.length || !names.every((name) => found.has(name))) return undefined;
  return names.map((name) => found.get(name));
}

function readError(data: unknown): RunOutcome['error'] | undefined {
  const error = members(data, ['code', 'message', 'line']);
  if (error === undefined) return undefined;
  const [code, message, line] = error;
  if (typeof code !== 'string' || !/^[a-z][a-z_]{0,39}$/.test(code)) return undefined;
  // The length of the source is a code of both sides.
  if (isRunErrorCode(code) && code !== 'source_limit') return undefined;
  if (typeof message !== 'string' || message.length > MESSAGE_CHARACTERS || !message.isWellFormed())
    return undefined;
  if (line !== null && (typeof line !== 'number' || !Number.isSafeInteger(line) || line < 1))
    return undefined;
  return { code, message, line };
}

function readLogs(data: unknown, most: number): readonly string[] | undefined {
  if (!Array.isArray(data)) return undefined;
  let left = most;
  for (const line of data as unknown[]) {
    if (typeof line !== 'string' || !line.isWellFormed()) return undefined;
    left -= line.length + 1;
    if (left < 0) return undefined;
  }
  return data as string[];
}

function readNumbers(data: unknown): RunOutcome['claimed'] | undefined {
  const numbers = members(data, ['steps', 'memory']);
  if (numbers === undefined) return undefined;
  const [steps, memory] = numbers;
  if (!isCount(steps) || !isCount(memory)) return undefined;
  // Parts of a step are counted too.
  return { steps: Math.ceil(steps), memory: Math.ceil(memory) };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

import {
  AppError,
  errorText,
  type AnyTool,
  type Json,
  type Log,
  type ToolOutcomeKind,
} from '../../core/index.ts';
import type { ToolCallRow } from '../../host/storage/index.ts';
import type { ApprovalEnd } from '../approvals/index.ts';
import { callIdOf, type CallAnswer } from './call.ts';

/** The answer of a call that has ended, for whoever asks again. */
export function recordedAnswer(row: ToolCallRow): CallAnswer | undefined {
  if (row.status === 'seen' || row.status === 'asking' || row.status === 'running') return undefined;
  return {
    kind: row.status,
    isError: row.is_error === 1,
    value: JSON.parse(row.result ?? 'null') as Json,
    hidden: JSON.parse(row.redactions ?? '{}') as Record<string, number>,
    rule: row.rule,
  };
}

/** What the model hears when a person did not approve. */
export function refusalOf(
  end: Exclude<ApprovalEnd, { status: 'left' }>,
): { kind: ToolOutcomeKind; sentence: string } | undefined {
  switch (end.status) {
    case 'approved':
      return undefined;
    case 'denied':
      return {
        kind: 'denied',
        sentence: end.reason === null ? 'The owner denied this.' : `The owner denied this: ${end.reason}`,
      };
    case 'expired':
      return { kind: 'expired', sentence: 'Nobody decided in time; it was not run.' };
    case 'cancelled':
      return { kind: 'stopped', sentence: 'The turn was stopped; it was not run.' };
  }
}

/** A write that was cut short may have happened; a read has not changed anything. */
export function endOfFailure(error: unknown, tool: AnyTool): ToolOutcomeKind {
  if (!(error instanceof AppError)) return tool.effect === 'write' ? 'unknown' : 'failed';
  const cut =
    error.code === 'stopped' || error.code === 'deadline' || error.details['outcome_unknown'] === true;
  if (cut && tool.effect === 'write') return 'unknown';
  return error.code === 'stopped' ? 'stopped' : 'failed';
}

/** A sentence for the model. Unexpected errors keep their details in the log. */
export function failureSentence(error: unknown, row: ToolCallRow, log: Log): string {
  if (error instanceof AppError)
    return error.fix === undefined ? error.message : `${error.message} ${error.fix}`;
  log.error('a tool failed unexpectedly', {
    tool: row.tool,
    turn: row.turn_id,
    call: callIdOf(row),
    problem: errorText(error),
  });
  return `The tool ${row.tool} failed unexpectedly; the log has the details.`;
}

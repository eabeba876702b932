/** The flags of `openpact audit list`: the filters of the page and the API, under the same names. */
import { InvalidArgumentError, type Command } from 'commander';
import { scriptName } from '../../guard/scripts/index.ts';
import type { AuditFilter } from '../../host/storage/audit-filter.ts';
import { parseTime } from './script-test-files.ts';

/** As the API has them. */
export const OUTCOMES = ['ok', 'refused', 'failed', 'intent', 'unknown'] as const;
const MOST_WORDS = 6;

export function withAuditFilters(command: Command): Command {
  return command
    .option('--event <name>', 'only this event, or with a dot at the end a family such as "login."')
    .option('--script <name>', 'only what happened to this script and in its runs', script)
    .option('--principal <who>', 'only this actor, or with a colon at the end a kind such as "assistant:"')
    .option('--outcome <outcome>', `only ${OUTCOMES.join(', ')}`, outcome)
    .option('--target <name>', 'only what was done to exactly this')
    .option('--conversation <id>', 'only what was done in, by or with this conversation')
    .option(
      '--from <time>',
      'only from this time or day (UTC) on, such as 2026-01-31 or 2026-01-31T12:00:00Z',
      time,
    )
    .option('--to <time>', 'only before this time or day (UTC)', time)
    .option('--words <text>', `only entries with all of these words, ${MOST_WORDS} at most`, words);
}

/** What commander read, which has `words` where the filter has `text`. */
export type AuditFilterFlags = Omit<AuditFilter, 'text'> & { readonly words?: string };

export function filterOf(flags: AuditFilterFlags): AuditFilter {
  const { event, script: name, principal, outcome: ended, target, conversation, from, to } = flags;
  return {
    event,
    script: name,
    principal,
    outcome: ended,
    target,
    conversation,
    from,
    to,
    text: flags.words,
  };
}

function script(text: string): string {
  return scriptName(text) ?? refuse('It must be the name of a script.');
}

function outcome(text: string): string {
  return OUTCOMES.find((each) => each === text) ?? refuse(`It must be one of ${OUTCOMES.join(', ')}.`);
}

function time(text: string): number {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
  return (
    parseTime(whole) ?? refuse('It must be a time such as 2026-01-31T12:00:00Z, or a day such as 2026-01-31.')
  );
}

function words(text: string): string {
  const given = text.trim();
  if (given === '' || given.split(/\s+/u).length > MOST_WORDS)
    refuse(`It must be one to ${MOST_WORDS} words.`);
  return given;
}

function refuse(why: string): never {
  throw new InvalidArgumentError(why);
}

import type { SQLInputValue } from 'node:sqlite';
import { wordsCondition } from './has-words.ts';

/** What entries must have; all of it at once. */
export interface AuditFilter {
  /** One event, or ending in a dot a family: `login.` finds `login.ok` and `login.failed`. */
  readonly event?: string | undefined;
  /** One actor such as `user:owner`, or ending in a colon a kind: `assistant:`. */
  readonly principal?: string | undefined;
  readonly outcome?: string | undefined;
  /** What happened to the script of this name, and in its runs. */
  readonly script?: string | undefined;
  /** Exactly. */
  readonly target?: string | undefined;
  /** The id of a conversation: what was done in it, by it, or with it. */
  readonly conversation?: string | undefined;
  /** Milliseconds: at that time or later. */
  readonly from?: number | undefined;
  /** Milliseconds: before that time. */
  readonly to?: number | undefined;
  /** Words in the event, the actor, the target or the details, whatever the case. No index knows them. */
  readonly text?: string | undefined;
}

/** A condition that an index answers, in the order of the log. */
export interface Indexed {
  readonly index: string;
  readonly sql: string;
}

export interface Conditions {
  readonly indexed: readonly Indexed[];
  /** Those that entries must be read for. */
  readonly read: readonly string[];
  readonly values: Readonly<Record<string, SQLInputValue>>;
}

// The same texts as in migration 0005: SQLite refuses the statement when they are not.
const FAMILY = "substr(event, 1, instr(event, '.'))";
const KIND = "substr(actor, 1, instr(actor || ':', ':'))";
const CONVERSATION =
  "coalesce(CASE WHEN json_valid(details) THEN json_extract(details, '$.conversation') END, CASE WHEN substr(actor, 1, 10) = 'assistant:' THEN substr(actor, 11) WHEN substr(target, 1, 4) = 'cnv_' THEN target END)";

export function conditions(filter: AuditFilter): Conditions {
  const indexed: Indexed[] = [];
  const read: string[] = [];
  const values: Record<string, SQLInputValue> = {};
  const by = (index: string, sql: string, name: string, value: string): void => {
    indexed.push({ index, sql: `${sql} = :${name}` });
    values[name] = value;
  };
  const { event, script, principal, outcome, target, conversation, from, to, text } = filter;
  if (event?.endsWith('.')) {
    const family = event.slice(0, event.indexOf('.') + 1);
    by('audit_by_family', FAMILY, 'family', family);
    if (family !== event) {
      read.push('substr(event, 1, length(:beginning)) = :beginning');
      values['beginning'] = event;
    }
  } else if (event !== undefined) by('audit_by_event', 'event', 'event', event);
  if (principal?.endsWith(':')) by('audit_by_kind', KIND, 'kind', principal);
  else if (principal !== undefined) by('audit_by_actor', 'actor', 'actor', principal);
  if (script !== undefined) {
    // Other things may have the name of a script.
    by('audit_by_target', 'target', 'script', script);
    read.push(`${FAMILY} = 'script.'`);
  }
  if (target !== undefined) by('audit_by_target', 'target', 'target', target);
  if (conversation !== undefined) by('audit_by_conversation', CONVERSATION, 'conversation', conversation);
  if (outcome === 'ok') {
    // Nearly every entry is: they are not in the index.
    read.push("outcome = 'ok'");
  } else if (outcome !== undefined) {
    indexed.push({ index: 'audit_by_outcome', sql: "outcome = :outcome AND outcome <> 'ok'" });
    values['outcome'] = outcome;
  }
  if (from !== undefined) {
    read.push('at >= :from');
    values['from'] = from;
  }
  if (to !== undefined) {
    read.push('at < :to');
    values['to'] = to;
  }
  const words = (text ?? '').split(/\s+/u).filter(Boolean);
  if (words.length > 0) {
    // In the stored JSON a quote or a backslash of a text has a backslash before it.
    const spelled = words.map((word) => [word, JSON.stringify(word).slice(1, -1)]);
    const found = wordsCondition('word', spelled, ['event', 'actor', 'target', 'details']);
    read.push(`(${found.sql})`);
    Object.assign(values, found.values);
  }
  return { indexed, read, values };
}

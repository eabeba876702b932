// Guarantees: pages of what waits and of what became of it are found along an index, whatever is filtered for and however
// many old ones there are; where words are looked for, a call reads a bounded number of rows and says where it stopped.
// An attacker may control: the texts in the rows and, with a stolen page session, every value of a filter (they are bound).
import type { SQLInputValue } from 'node:sqlite';
import type { ApprovalRow } from './approval-store.ts';
import type { Database } from './database.ts';
import { wordsCondition } from './has-words.ts';
import type { ScriptVersionRow } from './script-store.ts';

/** The place of a row: times are not unique, so the kind and the id follow. */
export interface InboxPlace {
  /** Milliseconds: when it ended, or, while it waits, when it was asked for. */
  readonly at: number;
  readonly kind: 'tool' | 'script';
  readonly id: string | number;
}

export interface InboxFilter {
  /** `waiting`: oldest first. Everything else newest first; `undefined` is any. */
  readonly status: 'waiting' | 'decided' | ApprovalRow['status'] | 'superseded' | undefined;
  /** Newest first also of what waits. */
  readonly newestFirst: boolean;
  readonly conversation?: string | undefined;
  readonly tool?: string | undefined;
  readonly script?: string | undefined;
  /** Each must stand in the texts of a row, whatever the case. */
  readonly words: readonly string[];
  readonly ids?: readonly string[] | undefined;
  readonly after?: InboxPlace | undefined;
  readonly limit: number;
}

export interface InboxPage<Row> {
  readonly rows: readonly (Row & { readonly at: number })[];
  /** The last place that was looked at; null: there is no more. */
  readonly edge: InboxPlace | null;
}

export interface InboxStore {
  tools(filter: InboxFilter): InboxPage<ApprovalRow>;
  scripts(filter: InboxFilter): InboxPage<ScriptVersionRow>;
  /** Oldest first. */
  waitingTools(limit: number): readonly string[];
  waitingScripts(limit: number): readonly number[];
  countWaitingScripts(): number;
  /** The version that took the place of this one. */
  replacedBy(name: string, id: number): string | null;
}

/** Rows whose texts one call looks through for words. */
const SCAN_WORDS = 1_000;

const TOOL_AT = 'coalesce(decided_at, created_at)';
const SCRIPT_AT = 'coalesce(ended_at, created_at)';
/** Of one time, scripts stand behind tools. */
const RANK = { tool: 0, script: 1 } as const;

type Values = Record<string, SQLInputValue>;

export function createInboxStore(database: Database): InboxStore {
  /** The part of the list that is still to come, in the order of its index. */
  function range(kind: 'tool' | 'script', at: string, filter: InboxFilter) {
    const oldestFirst = filter.status === 'waiting' && !filter.newestFirst;
    const order = oldestFirst ? 'ASC' : 'DESC';
    const { after } = filter;
    if (after === undefined) return { order, where: [], values: {} as Values };
    const beyond = oldestFirst ? '>' : '<';
    const values: Values = { at: after.at };
    if (after.kind === kind) {
      values['after'] = after.id;
      return {
        order,
        where: [`${at} ${beyond}= :at`, `(${at} ${beyond} :at OR id ${beyond} :after)`],
        values,
      };
    }
    const later = RANK[kind] > RANK[after.kind];
    return { order, where: [`${at} ${beyond}${later === oldestFirst ? '=' : ''} :at`], values };
  }

  function page<Row extends { readonly id: string | number }>(
    kind: 'tool' | 'script',
    table: string,
    at: string,
    filter: InboxFilter,
    more: { readonly where: readonly string[]; readonly values: Values; readonly texts: readonly string[] },
  ): InboxPage<Row> {
    const { order, where, values } = range(kind, at, filter);
    const scan = filter.words.length === 0 ? filter.limit + 1 : SCAN_WORDS;
    const all = [...where, ...more.where];
    const keys = database.all<{ id: string | number; at: number }>(
      `SELECT id, ${at} AS at FROM ${table} ${all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`}
       ORDER BY ${at} ${order}, id ${order} LIMIT :scan`,
      { ...values, ...more.values, scan },
    );
    // In stored JSON a quote or a backslash of a text has a backslash before it.
    const spelled = filter.words.map((word) => [word, JSON.stringify(word).slice(1, -1)]);
    const words = filter.words.length === 0 ? null : wordsCondition('word', spelled, more.texts);
    const found = database.all<Row & { at: number }>(
      `SELECT ${table}.*, ${at} AS at FROM ${table}
       WHERE id IN (SELECT value FROM json_each(:keys)) ${words === null ? '' : `AND ${words.sql}`}
       ORDER BY ${at} ${order}, id ${order} LIMIT :limit`,
      { keys: JSON.stringify(keys.map(({ id }) => id)), limit: filter.limit, ...words?.values },
    );
    const last = found.length === filter.limit ? found.at(-1) : keys.at(-1);
    const end = keys.length < scan && (found.length < filter.limit || last?.id === keys.at(-1)?.id);
    return { rows: found, edge: end || !last ? null : { at: last.at, kind, id: last.id } };
  }

  return {
    tools(filter) {
      const where: string[] = [];
      const values: Values = {};
      const { status, conversation, tool, ids } = filter;
      if (status === 'superseded' || filter.script !== undefined) return { rows: [], edge: null };
      if (status === 'waiting') where.push("status = 'pending'");
      else if (status === 'decided') where.push("status <> 'pending'");
      else if (status !== undefined) {
        where.push('status = :status');
        values['status'] = status;
      }
      if (conversation !== undefined) {
        where.push('conversation_id = :conversation');
        values['conversation'] = conversation;
      }
      if (tool !== undefined) {
        where.push('tool = :tool');
        values['tool'] = tool;
      }
      if (ids !== undefined) {
        where.push('id IN (SELECT value FROM json_each(:ids))');
        values['ids'] = JSON.stringify(ids);
      }
      const texts = ['tool', 'summary', 'why', 'arguments', "coalesce(reason, '')"];
      // What waits is found by its state: there may be any number of old ones before it.
      const at = status === 'waiting' || status === 'pending' ? 'created_at' : TOOL_AT;
      return page<ApprovalRow>('tool', 'approvals', at, filter, { where, values, texts });
    },

    scripts(filter) {
      const where: string[] = [];
      const values: Values = {};
      const { status, conversation, script, ids } = filter;
      if (status === 'expired' || filter.tool !== undefined) return { rows: [], edge: null };
      const waiting = status === 'waiting' || status === 'pending';
      if (waiting) where.push('ended_how IS NULL');
      else if (status === undefined) where.push("ended_how IS NOT 'kept'");
      else if (status === 'decided') where.push("ended_how <> 'kept'");
      else {
        where.push('ended_how = :status');
        values['status'] = status;
      }
      if (conversation !== undefined) {
        where.push('author = :author');
        values['author'] = `assistant:${conversation}`;
      }
      if (script !== undefined) {
        where.push('name = :script');
        values['script'] = script;
      }
      if (ids !== undefined) {
        where.push('id IN (SELECT value FROM json_each(:ids))');
        values['ids'] = JSON.stringify(ids.map(scriptNumber));
      }
      const texts = ['name', 'author', 'message', "coalesce(reason, '')"];
      return page<ScriptVersionRow>('script', 'script_versions', waiting ? 'created_at' : SCRIPT_AT, filter, {
        where,
        values,
        texts,
      });
    },

    waitingTools: (limit) =>
      database
        .all<{ id: string }>(
          "SELECT id FROM approvals WHERE status = 'pending' ORDER BY created_at, id LIMIT :limit",
          { limit },
        )
        .map(({ id }) => id),
    waitingScripts: (limit) =>
      database
        .all<{ id: number }>(
          'SELECT id FROM script_versions WHERE ended_how IS NULL ORDER BY created_at, id LIMIT :limit',
          { limit },
        )
        .map(({ id }) => id),
    countWaitingScripts: () =>
      database.get<{ n: number }>('SELECT count(*) AS n FROM script_versions WHERE ended_how IS NULL')?.n ??
      0,
    replacedBy: (name, id) =>
      database.get<{ hash: string }>(
        'SELECT hash FROM script_versions WHERE name = :name AND id > :id ORDER BY id LIMIT 1',
        { name, id },
      )?.hash ?? null,
  };
}

/** Of the id that the API shows; -1 where it is none. */
function scriptNumber(id: string): number {
  return /^scv_\d{1,15}$/.test(id) ? Number(id.slice('scv_'.length)) : -1;
}

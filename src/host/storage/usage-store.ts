import type { Database } from './database.ts';

/** Sums over calls to models. Money in US dollars, of the calls whose price is known. */
export interface UsageSum {
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
  /** Calls that used tokens at a price that is not known. */
  readonly unpriced_calls: number;
}

export interface UsageGroup extends UsageSum {
  /** UTC days since 1970 as text, `provider/model`, or the id of a conversation. */
  readonly key: string;
  readonly label: string;
}

export interface UsageQuery {
  /** Milliseconds; calls that began at `from` or later and before `to`. */
  readonly from: number;
  readonly to: number;
}

export interface UsageStore {
  /** Days oldest first; models and conversations the most tokens first, at most `limit`. */
  groups(query: UsageQuery, by: 'day' | 'model' | 'conversation', limit: number): UsageGroup[];
  total(query: UsageQuery): UsageSum;
}

const SUMS = `count(*) AS calls, coalesce(sum(c.input_tokens), 0) AS input_tokens,
  coalesce(sum(c.output_tokens), 0) AS output_tokens, coalesce(sum(c.cost_usd), 0.0) AS cost_usd,
  count(*) FILTER (WHERE c.cost_usd IS NULL AND (c.input_tokens IS NOT NULL OR c.output_tokens IS NOT NULL)) AS unpriced_calls`;
const RANGE = 'c.started_at >= :from AND c.started_at < :to';
const MOST =
  'ORDER BY coalesce(sum(c.input_tokens), 0) + coalesce(sum(c.output_tokens), 0) DESC, key LIMIT :limit';

const GROUPS = {
  day: `SELECT CAST(c.started_at / 86400000 AS TEXT) AS key, '' AS label, ${SUMS} FROM llm_calls c
    WHERE ${RANGE} GROUP BY c.started_at / 86400000 ORDER BY c.started_at / 86400000 LIMIT :limit`,
  model: `SELECT c.provider || '/' || c.model AS key, c.model AS label, ${SUMS} FROM llm_calls c
    WHERE ${RANGE} GROUP BY c.provider, c.model ${MOST}`,
  conversation: `SELECT v.id AS key, v.title AS label, ${SUMS} FROM llm_calls c
    JOIN turns t ON t.id = c.turn_id JOIN conversations v ON v.id = t.conversation_id
    WHERE ${RANGE} GROUP BY v.id ${MOST}`,
} as const;

export function createUsageStore(database: Database): UsageStore {
  return {
    groups: ({ from, to }, by, limit) => database.all<UsageGroup>(GROUPS[by], { from, to, limit }),
    total: ({ from, to }) =>
      database.get<UsageSum>(`SELECT ${SUMS} FROM llm_calls c WHERE ${RANGE}`, { from, to }) ?? {
        calls: 0,
        input_tokens: 0,
        output_tokens: 0,
        cost_usd: 0,
        unpriced_calls: 0,
      },
  };
}

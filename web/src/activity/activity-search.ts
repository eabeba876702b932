import type { AuditFilterQuery } from '../api/types.ts';
import { isDay } from '../usage/amounts.ts';

/** The filters of the log as they stand in the address, and the entry that is open. Days are those of the reader's clock. */
export interface ActivitySearch {
  readonly event?: string;
  readonly principal?: string;
  readonly outcome?: Outcome;
  readonly target?: string;
  readonly conversation?: string;
  /** The first and the last day, both included: `2026-03-01`. */
  readonly from?: string;
  readonly to?: string;
  readonly q?: string;
  readonly seq?: number;
}

export const OUTCOMES = ['ok', 'refused', 'failed', 'intent', 'unknown'] as const;
type Outcome = (typeof OUTCOMES)[number];

export function activitySearch(search: Record<string, unknown>): ActivitySearch {
  const text = (name: string) => {
    const value = search[name];
    return typeof value === 'string' && value !== '' ? { [name]: value } : {};
  };
  const outcome = OUTCOMES.find((each) => each === search['outcome']);
  const seq = Number(search['seq']);
  const event = search['event'];
  return {
    ...(typeof event === 'string' && /^[a-z0-9_.]{1,64}$/.test(event) ? { event } : {}),
    ...text('principal'),
    ...(outcome ? { outcome } : {}),
    ...text('target'),
    ...text('conversation'),
    ...(isDay(search['from']) ? { from: search['from'] } : {}),
    ...(isDay(search['to']) ? { to: search['to'] } : {}),
    ...text('q'),
    ...(Number.isSafeInteger(seq) && seq > 0 ? { seq } : {}),
  };
}

/** What the server is asked for. */
export function filterOf({ seq: _seq, from, to, ...rest }: ActivitySearch): AuditFilterQuery {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: startOfDay(from, 0) }),
    ...(to === undefined ? {} : { to: startOfDay(to, 1) }),
  };
}

export function queryText(filter: AuditFilterQuery): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (typeof value === 'string') query.set(name, value);
  return query.toString();
}

function startOfDay(day: string, plus: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date + plus).toISOString();
}

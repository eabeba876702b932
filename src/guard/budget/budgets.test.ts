import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog, type Clock } from '../../core/index.ts';
import {
  createAuditStore,
  createSettingsStore,
  openDatabase,
  type Database,
} from '../../host/storage/index.ts';
import { createBudgetStore } from '../../host/storage/budget-store.ts';
import { createAudit } from '../audit/index.ts';
import { createKnownSecrets, createRedactor } from '../secrets/index.ts';
import { createBudgets, type Budgets, type PlannedCall } from './budgets.ts';
import type { BudgetLimits } from './limits.ts';

const NOON = Date.UTC(2026, 2, 1, 12);
const HOUR = 3_600_000;
const LIMITS: BudgetLimits = {
  turn: { tokens: 1_000, usd: 1 },
  conversation: { tokens: 2_000, usd: 2 },
  day: { tokens: 3_000, usd: 3 },
};
const OWNER = { kind: 'user', id: 'u1', name: 'owner' } as const;

let folder = '';
let database: Database;
let now = NOON;
const clock: Clock = { now: () => now, monotonic: () => now };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'budgets-'));
  database = openDatabase({ path: join(folder, 'test.db') });
  now = NOON;
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function auditOf() {
  return createAudit({
    store: createAuditStore(database),
    database,
    clock,
    log: silentLog,
    redactor: createRedactor(createKnownSecrets({ clock })),
    key: new Uint8Array(32),
    fresh: true,
  });
}

function budgets(): Budgets {
  return createBudgets({
    store: createBudgetStore(database),
    settings: createSettingsStore(database),
    database,
    audit: auditOf(),
    clock,
    defaults: LIMITS,
  });
}

function call(turnId: string, tokens: number, usd = 0, conversationId = 'c1'): PlannedCall {
  return { turnId, conversationId, provider: 'openai', model: 'gpt-5', tokens, usd };
}

/** As the gateway does it: looks and takes in one transaction. */
function take(all: Budgets, planned: PlannedCall, step: number): string {
  return database.tx(() => {
    const verdict = all.check(planned);
    if (!verdict.ok) return verdict.code;
    all.reserve(planned, step);
    return 'ok';
  });
}

test('the worst case is taken at once, and what was not used is given back', () => {
  const all = budgets();
  expect(take(all, call('t1', 900), 1)).toBe('ok');
  expect(take(all, call('t1', 200), 2)).toBe('budget_turn');
  all.settle({ turnId: 't1', step: 1 }, { tokens: 100, usd: 0 });
  expect(take(all, call('t1', 200), 2)).toBe('ok');
  expect(all.today().spent.tokens).toBe(300);
});

test('a call that nobody knows the end of keeps its worst case, and settles once', () => {
  const all = budgets();
  take(all, call('t1', 900), 1);
  all.settle({ turnId: 't1', step: 1 }, null);
  all.settle({ turnId: 't1', step: 1 }, { tokens: 0, usd: 0 });
  expect(all.today().spent.tokens).toBe(900);
});

test.each([
  ['turn', [], call('t1', 1_001)],
  ['conversation', [call('t2', 1_000), call('t3', 1_000)], call('t1', 1)],
  [
    'day',
    [call('t2', 1_000, 0, 'c2'), call('t3', 1_000, 0, 'c2'), call('t4', 1_000, 0, 'c3')],
    call('t1', 1),
  ],
] as const)('the budget of a %s in tokens is kept', (scope, before, last) => {
  const all = budgets();
  for (const [i, each] of before.entries()) expect(take(all, each, i + 1)).toBe('ok');
  expect(take(all, last, 9)).toBe(`budget_${scope}`);
});

test('money has budgets of its own, and what costs nothing is not refused for money', () => {
  const all = budgets();
  expect(take(all, call('t1', 1, 0.9), 1)).toBe('ok');
  expect(take(all, call('t1', 1, 0.2), 2)).toBe('budget_turn');
  all.settle({ turnId: 't1', step: 1 }, { tokens: 1, usd: 5 });
  expect(take(all, call('t1', 1, 0), 2)).toBe('ok');
});

test('a refusal names the budget, what is left, what the call could use and what to do', () => {
  const all = budgets();
  take(all, call('t1', 900), 1);
  const verdict = all.check(call('t1', 200));
  expect(verdict).toMatchObject({
    ok: false,
    message:
      'The budget of this turn does not cover the next call to the model, so it was not sent: 100 tokens of 1,000 tokens are left (900 tokens used or reserved), and the call could use up to 200 tokens. Continue to begin a new turn with a budget of its own, ask for less at once, or raise the budget on the Usage page.',
    facts: { budget: 'turn', unit: 'tokens', limit: 1_000, used: 900, could_use: 200 },
  });
});

test('after a crash an open reservation counts as spent until its day is over, and not in the conversation for ever', () => {
  take(budgets(), call('t1', 1_000), 1);
  const after = budgets();
  expect(after.recover()).toBe(1);
  expect(after.recover()).toBe(0);
  expect(after.today().spent.tokens).toBe(1_000);
  expect(take(after, call('t2', 1_000), 1)).toBe('ok');
  expect(take(after, call('t3', 1), 1)).toBe('budget_conversation');
  now = NOON + 12 * HOUR;
  expect(after.today().spent.tokens).toBe(0);
  expect(take(after, call('t3', 1_000), 1)).toBe('ok');
  // Day and crash are over, but what really was used in this conversation still counts.
  expect(take(after, call('t4', 1), 1)).toBe('budget_conversation');
  expect(auditOf().list({ event: 'budget.unsettled', limit: 9 })).toHaveLength(1);
});

test('a clock that jumps over midnight begins a new day; a call keeps the day in which it was reserved; jumping back gives nothing back', () => {
  const all = budgets();
  for (const id of ['a', 'b', 'c']) take(all, call(id, 1_000, 0, id), 1);
  expect(take(all, call('d', 1, 0, 'd'), 1)).toBe('budget_day');
  now = NOON + 12 * HOUR;
  expect(take(all, call('d', 1_000, 0, 'd'), 1)).toBe('ok');
  all.settle({ turnId: 'a', step: 1 }, { tokens: 400, usd: 0 });
  expect(all.today().spent.tokens).toBe(1_000);
  // The turn and the conversation know no midnight.
  expect(take(all, call('b', 1, 0, 'b'), 2)).toBe('budget_turn');
  now = NOON + 12 * HOUR - 1;
  expect(all.today().spent.tokens).toBe(2_400);
  expect(take(all, call('e', 601, 0, 'e'), 1)).toBe('budget_day');
});

test('a transaction that fails takes nothing', () => {
  const all = budgets();
  expect(() =>
    database.tx(() => {
      all.reserve(call('t1', 500), 1);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(all.today().spent.tokens).toBe(0);
});

test('lowering needs no password, raising one limit does, whatever the others do; both are in the log', () => {
  const all = budgets();
  const lower = { ...LIMITS, day: { tokens: 10, usd: 3 } };
  expect(all.wouldRaise(lower)).toBe(false);
  expect(all.change(lower, OWNER, { confirmed: false })).toEqual(lower);
  const mixed = { ...lower, turn: { tokens: 1, usd: 1.5 } };
  expect(all.wouldRaise(mixed)).toBe(true);
  expect(() => all.change(mixed, OWNER, { confirmed: false })).toThrow(
    expect.objectContaining({ code: 'step_up_required' }),
  );
  expect(all.limits()).toEqual(lower);
  all.change(mixed, OWNER, { confirmed: true });
  expect(budgets().limits()).toEqual(mixed);
  const rows = auditOf().list({ event: 'budget.changed', limit: 9 });
  expect(rows.map((row) => JSON.parse(row.details).raised)).toEqual([true, false]);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1.5])(
  'a budget of %s tokens is refused',
  (tokens) => {
    const next = { ...LIMITS, turn: { tokens, usd: 1 } };
    expect(() => budgets().change(next, OWNER, { confirmed: true })).toThrow(
      expect.objectContaining({ code: 'budget_invalid' }),
    );
  },
);

test('stored limits that were tampered with do not count', () => {
  createSettingsStore(database).set('budgets', { turn: { tokens: 1e300, usd: 1 } }, now);
  expect(budgets().limits()).toEqual(LIMITS);
});

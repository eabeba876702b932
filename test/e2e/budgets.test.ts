/** Budgets and usage of the running program, by its front door. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  AuditList,
  BudgetsView,
  ChatServerEvent,
  UpstreamList,
  UsageAnswer,
} from '../../src/edge/admin/api.ts';
import { PASSWORD, type RunningProgram } from '../support/running-program.ts';
import { start, startWithModel, useModel } from '../support/with-fake-model.ts';

const CONFIG = 'budget: {max_output_tokens: 1000}\n';
/** What the fake server reports, and what that costs at the assumed price. */
const TOKENS = 18;
const USD = (11 * 5 + 7 * 25) / 1_000_000;

const budgets = async (program: RunningProgram): Promise<BudgetsView> =>
  (await program.api<BudgetsView>('GET', '/api/budgets')).body;

async function details(program: RunningProgram, event: string): Promise<Record<string, unknown>[]> {
  const { body } = await program.api<AuditList>('GET', `/api/audit?event=${event}&limit=500`);
  return body.entries.map((entry) => ({ ...(entry.details as object), outcome: entry.outcome }));
}

/** The worst case of the newest call. */
async function reserved(program: RunningProgram): Promise<number> {
  const intents = (await details(program, 'llm.call')).filter((row) => row['outcome'] === 'intent');
  return Number(intents[0]?.['reserved_tokens']);
}

async function set(program: RunningProgram, change: (now: BudgetsView['limits']) => object): Promise<void> {
  const { limits } = await budgets(program);
  const { status } = await program.api('PUT', '/api/budgets', {
    ...limits,
    ...change(limits),
    password: PASSWORD,
  });
  expect(status).toBe(200);
}

const problems = (events: readonly ChatServerEvent[]) =>
  events.flatMap((event) => (event.type === 'error' ? [event] : []));

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

test('the worst case is reserved before a call and replaced by what it came to', async () => {
  const { program, model } = await startWithModel(
    { otherwise: { text: 'fine', gate: true } },
    { config: CONFIG },
  );
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'go' });
  await chat.until((event) => event.type === 'text');
  const worst = await reserved(program);
  expect(worst).toBeGreaterThan(1_000 + TOKENS);
  expect((await budgets(program)).today.spent.tokens).toBe(worst);
  model.release();
  await chat.until((event) => event.type === 'done');
  const { spent, left } = (await budgets(program)).today;
  expect(spent.tokens).toBe(TOKENS);
  expect(spent.usd).toBeCloseTo(USD, 9);
  expect(left.tokens).toBe(50_000_000 - TOKENS);
});

test('two turns at once do not spend the same budget twice', async () => {
  const { program, model } = await startWithModel({ answers: [{ text: 'first' }] }, { config: CONFIG });
  await program.say('go');
  const worst = await reserved(program);
  await set(program, (now) => ({ day: { ...now.day, tokens: TOKENS + Math.round(worst * 1.5) } }));
  model.next({ text: 'slow', gate: true }, { text: 'slow', gate: true });
  const chats = [
    await program.chat(await program.newConversation()),
    await program.chat(await program.newConversation()),
  ];
  for (const chat of chats) chat.send({ type: 'message', content: 'go' });
  await Promise.race(chats.map((chat) => chat.until((event) => event.type === 'done')));
  expect(model.requests).toHaveLength(2);
  model.release();
  await Promise.all(chats.map((chat) => chat.until((event) => event.type === 'done')));
  expect(chats.flatMap((chat) => problems(chat.events)).map((event) => event.code)).toEqual(['budget_day']);
  expect(model.requests).toHaveLength(2);
  expect((await budgets(program)).today.spent.tokens).toBe(2 * TOKENS);
});

test('what was reserved when the program was killed counts as spent', async () => {
  const { program, model } = await startWithModel(
    { otherwise: { text: 'fine', gate: true } },
    { config: CONFIG },
  );
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: 'go' });
  await chat.until((event) => event.type === 'text');
  const worst = await reserved(program);
  await program.kill();
  const again = await start({ workspace: program.workspace });
  await useModel(again, model);
  expect((await budgets(again)).today.spent.tokens).toBe(worst);
  expect(await details(again, 'budget.unsettled')).toMatchObject([{ calls: 1 }]);
  await set(again, (now) => ({ day: { ...now.day, tokens: worst } }));
  expect(problems((await again.say('go')).events)).toMatchObject([{ code: 'budget_day' }]);
});

test('a call that the provider refused costs nothing; one that was cut keeps its worst case', async () => {
  const { program } = await startWithModel(
    { answers: [{ status: 401 }, { text: 'Hm.', fault: 'cut' }] },
    { config: CONFIG },
  );
  await program.say('go');
  expect((await budgets(program)).today.spent).toEqual({ tokens: 0, usd: 0 });
  await program.say('go');
  expect((await budgets(program)).today.spent.tokens).toBe(await reserved(program));
});

test('a person reads which budget, what is left and what to do; the log has it; nothing was sent', async () => {
  const { program, model } = await startWithModel({ otherwise: { text: 'fine' } }, { config: CONFIG });
  await set(program, (now) => ({ turn: { ...now.turn, tokens: 900 } }));
  const { events } = await program.say('go');
  expect(events.at(-1)).toMatchObject({ type: 'done', status: 'failed', can_retry: true });
  const [problem] = problems(events);
  expect(problem).toMatchObject({ code: 'budget_turn' });
  expect(problem?.content).toMatch(
    /^The budget of this turn does not cover the next call to the model, so it was not sent: 900 tokens of 900 tokens are left \(0 tokens used or reserved\), and the call could use up to [\d,]+ tokens\. Raise the budget on the Usage page\.$/,
  );
  expect(model.requests).toHaveLength(0);
  expect(await details(program, 'budget.refused')).toMatchObject([
    { outcome: 'refused', code: 'budget_turn', budget: 'turn', unit: 'tokens', limit: 900, used: 0 },
  ]);
});

test('money is counted at the assumed price where no price is known, and the refusal says so; the demo is free', async () => {
  const { program } = await startWithModel({ otherwise: { text: 'fine' } }, { config: CONFIG });
  await set(program, (now) => ({ turn: { ...now.turn, usd: 0.01 } }));
  const [problem] = problems((await program.say('go')).events);
  expect(problem?.content).toContain('of $0.01 are left');
  expect(problem?.content).toContain(
    'The price of this model is not known; it is counted at $5 and $25 for a million tokens',
  );
  await program.api('PUT', '/api/models/default', { provider: 'demo', model: 'demo' });
  expect((await program.say('hello')).events.at(-1)).toMatchObject({ status: 'done' });
  expect((await budgets(program)).today.spent).toEqual({ tokens: 0, usd: 0 });
});

test('raising a budget needs the password, lowering does not, and both are in the log', async () => {
  const { program } = await startWithModel({}, {});
  const { limits } = await budgets(program);
  const lower = { ...limits, day: { tokens: 5, usd: 1 } };
  expect((await program.api('PUT', '/api/budgets', lower)).status).toBe(200);
  expect(await program.api('PUT', '/api/budgets', limits)).toMatchObject({
    status: 403,
    body: { error: 'step_up_required' },
  });
  expect(await program.api('PUT', '/api/budgets', { ...limits, password: 'wrong' })).toMatchObject({
    status: 403,
    body: { error: 'wrong_password' },
  });
  expect((await budgets(program)).limits).toEqual(lower);
  expect((await program.api('PUT', '/api/budgets', { ...limits, password: PASSWORD })).status).toBe(200);
  expect((await budgets(program)).limits).toEqual(limits);
  expect(await details(program, 'budget.changed')).toMatchObject([{ raised: true }, { raised: false }]);
  for (const tokens of [0, -1, 1.5, 1e13, '5']) {
    const { status } = await program.api('PUT', '/api/budgets', { ...limits, day: { tokens, usd: 1 } });
    expect(status).toBe(400);
  }
});

test('the sums of the usage are those of the rows, however they are grouped', async () => {
  const { program } = await startWithModel({
    answers: [
      { calls: [{ name: 'workspace_list', arguments: { path: '.' } }] },
      { text: 'a', usage: { prompt_tokens: 100, completion_tokens: 50 } },
      { text: 'b', usage: null },
      { status: 500 },
      { status: 500 },
      { status: 500 },
    ],
  });
  const first = await program.say('one');
  await program.say('two');
  await program.say('three');
  await program.api('PUT', '/api/models/default', { provider: 'demo', model: 'demo' });
  await program.say('hello');
  const file = new DatabaseSync(join(program.workspace, 'secure', 'data', 'openpact.db'), { readOnly: true });
  const sum = file
    .prepare(
      `SELECT count(*) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
         total(cost_usd) AS cost_usd FROM llm_calls`,
    )
    .get() as Record<string, number>;
  file.close();
  expect(sum['calls']).toBeGreaterThanOrEqual(5);
  for (const by of ['day', 'model', 'conversation'] as const) {
    const { body } = await program.api<UsageAnswer>(
      'GET',
      `/api/usage?from=${today()}&to=${today()}&by=${by}`,
    );
    expect(body.totals).toMatchObject(sum);
    for (const key of ['calls', 'input_tokens', 'output_tokens', 'cost_usd'] as const) {
      expect(body.rows.reduce((all, row) => all + row[key], 0)).toBe(sum[key]);
    }
    if (by === 'day') expect(body.rows.map((row) => row.key)).toEqual([today()]);
    if (by === 'model') expect(body.rows[0]?.key).toBe('openai-compatible/fake-1');
    if (by === 'conversation') expect(body.rows[0]?.key).toBe(first.id);
  }
  const before = await program.api<UsageAnswer>('GET', '/api/usage?from=2020-01-01&to=2020-02-01&by=day');
  expect(before.body).toMatchObject({ rows: [], totals: { calls: 0 } });
  for (const query of [
    'from=2026-02-31&to=2026-03-01',
    'from=2026-03-02&to=2026-03-01',
    'from=2020-01-01&to=2026-01-01',
  ]) {
    expect((await program.api('GET', `/api/usage?${query}`)).status).toBe(400);
  }
});

test('deleting a conversation does not give its budget back', async () => {
  const { program } = await startWithModel({ otherwise: { text: 'fine' } }, { config: CONFIG });
  const { id } = await program.say('go');
  expect((await program.api('DELETE', `/api/sessions/${id}`)).status).toBe(200);
  expect((await budgets(program)).today.spent.tokens).toBe(TOKENS);
});

test('the list of providers shows how the newest call ended', async () => {
  const { program } = await startWithModel({ answers: [{ status: 401 }, { text: 'fine' }] });
  const health = async () => {
    const { body } = await program.api<UpstreamList>('GET', '/api/llm/upstreams');
    return body.upstreams.find((each) => each.name === 'openai-compatible')?.health;
  };
  expect(await health()).toBeNull();
  await program.say('go');
  expect(await health()).toMatchObject({ outcome: 'failed', error_code: 'llm_unauthorized' });
  await program.say('go');
  expect(await health()).toMatchObject({ outcome: 'ok', error_code: 'llm_unauthorized' });
});

/** Attacks that one control stops, tried once more without it, against the running program: what stops them then, if anything. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BudgetsView, ChatServerEvent } from '../../src/edge/admin/api.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const results = (events: readonly ChatServerEvent[]) =>
  events.flatMap((event) => (event.type === 'tool_result' ? [event.outcome] : []));
const problems = (events: readonly ChatServerEvent[]) =>
  events.flatMap((event) => (event.type === 'error' ? [event.code] : []));

test('without the limit on calls a turn runs more than a hundred, until the limit of steps ends it', async () => {
  const calls = Array.from({ length: 60 }, (_, i) => ({
    name: 'workspace_list',
    arguments: { path: i % 2 === 0 ? '.' : 'memory' },
  }));
  const { program, model } = await startWithModel(
    { otherwise: { calls } },
    { config: 'engine: {max_steps: 2}\n', off: ['call-limit'] },
  );
  const { events } = await program.say('go');
  expect(results(events).filter((outcome) => outcome === 'done').length).toBeGreaterThan(100);
  expect(problems(events)).toEqual(['step_limit']);
  expect(model.requests).toHaveLength(2);
}, 60_000);

test('without the check of the budget two turns at once spend what was meant for one, and nothing else stops them', async () => {
  const codes = async (off: readonly string[]): Promise<string[]> => {
    const { program, model } = await startWithModel(
      { answers: [{ text: 'first' }], otherwise: { text: 'slow', gate: true } },
      { off, config: 'budget: {max_output_tokens: 1000}\n' },
    );
    await program.say('go');
    const { body } = await program.api<BudgetsView>('GET', '/api/budgets');
    // Enough for one call and no second: less than two worst cases are left.
    const spent = body.limits.day.tokens - body.today.left.tokens;
    const rows = await program.api<{ entries: { outcome: string; details: { reserved_tokens?: number } }[] }>(
      'GET',
      '/api/audit?event=llm.call&limit=10',
    );
    const worst = rows.body.entries.find((entry) => entry.outcome === 'intent')?.details.reserved_tokens ?? 0;
    expect(worst).toBeGreaterThan(0);
    const limits = { ...body.limits, day: { ...body.limits.day, tokens: spent + Math.round(worst * 1.5) } };
    expect((await program.api('PUT', '/api/budgets', limits)).status).toBe(200);
    const chats = [
      await program.chat(await program.newConversation()),
      await program.chat(await program.newConversation()),
    ];
    for (const chat of chats) chat.send({ type: 'message', content: 'go' });
    const ends = (): number =>
      chats.flatMap((chat) => chat.events.filter(({ type }) => type === 'done')).length;
    // Each has been sent to the model, or was refused.
    await expect.poll(() => model.requests.length - 1 + ends(), { timeout: 20_000 }).toBe(2);
    model.release();
    await Promise.all(chats.map((chat) => chat.until((event) => event.type === 'done')));
    return chats.flatMap((chat) => problems(chat.events));
  };
  expect(await codes([])).toEqual(['budget_day']);
  expect(await codes(['budget'])).toEqual([]);
}, 60_000);

test('without the step-up a stolen session raises a budget, and nothing else stops it', async () => {
  const raise = async (off: readonly string[]): Promise<number> => {
    const { program } = await startWithModel({}, { off });
    const { body } = await program.api<BudgetsView>('GET', '/api/budgets');
    const day = { ...body.limits.day, usd: body.limits.day.usd + 1 };
    return (await program.api('PUT', '/api/budgets', { ...body.limits, day })).status;
  };
  expect(await raise([])).toBe(403);
  expect(await raise(['step-up'])).toBe(200);
}, 60_000);

test('a hidden file is refused by the path rule of the tool, without it by the jail; without both it is read, for the fence does not know hidden files', async () => {
  const canary = 'hidden-canary-51';
  const readWith = async (off: readonly string[]): Promise<string> => {
    const { program } = await startWithModel(
      {
        answers: [
          { calls: [{ name: 'workspace_read', arguments: { path: '.hidden' } }] },
          { text: 'There.' },
        ],
      },
      { off },
    );
    writeFileSync(join(program.workspace, 'ai-data', '.hidden'), canary);
    return JSON.stringify((await program.say('go')).events);
  };
  expect(await readWith([])).not.toContain(canary);
  expect(await readWith(['tool-paths'])).not.toContain(canary);
  expect(await readWith(['tool-paths', 'jail'])).toContain(canary);
}, 60_000);

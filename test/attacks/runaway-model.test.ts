/** A model that makes the agent go on for ever, against the running program. */
import { expect, test } from 'vitest';
import type { ChatServerEvent } from '../../src/edge/admin/api.ts';
import { startWithModel } from '../support/with-fake-model.ts';

/** It never comes to an answer, and each step is dear. */
const MODEL = {
  otherwise: {
    calls: [{ name: 'workspace_list', arguments: { path: '.' } }],
    usage: { prompt_tokens: 20_000, completion_tokens: 1_000 },
  },
};
const CONFIG = ['budget:', '  per_turn_tokens: 200000', 'engine:', '  max_steps: 20'].join('\n');

async function run(off: readonly string[]): Promise<{ steps: number; codes: string[] }> {
  const { program, model } = await startWithModel(MODEL, { config: CONFIG, off });
  const { events } = await program.say('go');
  const codes = events.flatMap((event: ChatServerEvent) => (event.type === 'error' ? [event.code] : []));
  return { steps: model.requests.length, codes };
}

test('an endless loop is stopped by the budget, without it by the limit of steps; without both it goes on until the limit of calls', async () => {
  const all = await run([]);
  expect(all.codes).toEqual(['budget_turn']);
  expect(all.steps).toBeGreaterThan(2);
  expect(all.steps).toBeLessThan(10);

  const noBudget = await run(['budget']);
  expect(noBudget.codes).toEqual(['step_limit']);
  expect(noBudget.steps).toBe(20);

  const neither = await run(['budget', 'step-limit']);
  expect(neither.steps).toBeGreaterThan(60);
}, 180_000);

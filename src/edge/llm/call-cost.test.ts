import { expect, it } from 'vitest';
import { recordedTurn } from '../../../test/fakes/model-turn.ts';
import { limitOutput, planCall } from './call-cost.ts';
import { priceOf } from './prices.ts';
import type { ModelRoute } from './route.ts';
import { anthropicWire } from './wires/anthropic/index.ts';

const ASSUMED = { maxOutputTokens: 100_000, fallbackPrice: { input: 5, output: 25 } };
const route: ModelRoute = {
  provider: 'anthropic',
  label: 'Anthropic',
  wire: anthropicWire,
  reportsCost: false,
  send: () => Promise.reject(new Error('nothing is sent')),
  cost: () => null,
  price: (model) => priceOf('anthropic', model),
};

function plan(model: string, bodyBytes: number) {
  const planned = planCall(recordedTurn({ model }), route, 'x'.repeat(bodyBytes), 1_000, ASSUMED);
  if (!planned) throw new Error('nothing was planned');
  return planned;
}

it('reserves for a prompt that may all be put into the cache', () => {
  // 2,000 tokens at $3.75 and 1,000 at $15 a million.
  expect(plan('claude-sonnet-4-5', 4_000).usd).toBeCloseTo(0.0075 + 0.015, 10);
});

it('reserves at the price of long prompts where a prompt may be one', () => {
  expect(plan('claude-haiku-5-5', 200_000).price).toEqual({ input: 0.125, output: 0.5 });
  expect(plan('claude-haiku-5-5', 200_002).price).toEqual({ input: 0.625, output: 2.5 });
});

it("limits an answer to the least of what was asked, the model's own limit and the owner's", () => {
  expect(limitOutput(200_000, route, 'claude-sonnet-4-5', ASSUMED)).toEqual({
    send: 64_000,
    outputTokens: 64_000,
  });
  expect(limitOutput(200_000, route, 'claude-opus-4-8', ASSUMED)).toEqual({
    send: 100_000,
    outputTokens: 100_000,
  });
  expect(limitOutput(50, route, 'claude-opus-4-8', ASSUMED)).toEqual({ send: 50, outputTokens: 50 });
  // Some small servers refuse a limit that nobody asked for.
  expect(limitOutput(undefined, route, 'claude-99', ASSUMED)).toEqual({
    send: undefined,
    outputTokens: 100_000,
  });
});

it('takes what every object has for no price: such a call is counted at the assumed one', () => {
  for (const model of ['constructor', 'toString', 'valueOf']) {
    expect(plan(model, 4_000).usd).toBeCloseTo(0.01 + 0.025, 10);
  }
});

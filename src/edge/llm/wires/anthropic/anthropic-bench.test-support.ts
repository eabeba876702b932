/** Anthropic's wire on a rig, with a server that may say anything, new for each test. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { dynamicTool, isStepCount, jsonSchema, streamText, type ModelMessage } from 'ai';
import { afterEach, beforeEach } from 'vitest';
import { startAnthropicServer, type AnthropicServer } from '../../../../../test/fakes/anthropic-server.ts';
import { startModelRig, type ModelRig } from '../../../../../test/fakes/model-rig.ts';
import { estimateCost } from '../../prices.ts';
import { anthropicWire } from './index.ts';

export function anthropicBench() {
  let server: AnthropicServer;
  let rig: ModelRig;

  beforeEach(async () => {
    server = await startAnthropicServer();
    rig = await startModelRig({
      wire: anthropicWire,
      upstreamUrl: server.url,
      turn: { model: 'claude-sonnet-4-5', provider: 'anthropic' },
      route: { cost: (model, usage) => estimateCost('anthropic', model, usage) },
    });
  });
  afterEach(async () => {
    await rig.close();
    await server.close();
  });

  async function think(messages: ModelMessage[] = [{ role: 'user', content: 'list' }], thinks = false) {
    const ran: unknown[] = [];
    const errors: unknown[] = [];
    let [text, reasoning, finish] = ['', '', ''];
    const client = createAnthropic({
      baseURL: 'http://gateway/v1',
      authToken: rig.turn.capability,
      fetch: async (input, init) => rig.gateway.fetch(new Request(input, init)),
    });
    const result = streamText({
      model: client.languageModel(rig.turn.model),
      instructions: 'Be brief.',
      messages,
      ...(thinks
        ? { providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2048 } } } }
        : {}),
      tools: {
        workspace_list: dynamicTool({
          inputSchema: jsonSchema({ type: 'object' }),
          execute: (input) => {
            ran.push(input);
            return 'a.md';
          },
        }),
      },
      stopWhen: isStepCount(5),
      maxRetries: 0,
      onError: () => undefined,
    });
    for await (const part of result.stream) {
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'reasoning-delta') reasoning += part.text;
      if (part.type === 'error') errors.push(part.error);
      if (part.type === 'finish') finish = part.finishReason;
    }
    return { text, reasoning, ran, errors, finish };
  }

  return {
    think,
    get server() {
      return server;
    },
    get rig() {
      return rig;
    },
  };
}

/** A call as the provider sends it. */
export const use = (input: unknown = {}) => ({
  type: 'tool_use',
  id: 'toolu_theirs',
  name: 'workspace_list',
  input,
});

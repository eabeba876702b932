/** The gateway against the client that the built-in engine uses. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, dynamicTool, isStepCount, jsonSchema, streamText } from 'ai';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startModelRig, type ModelRig } from '../../../test/fakes/model-rig.ts';

let rig: ModelRig;

beforeEach(async () => {
  rig = await startModelRig({ limits: { idleMs: 200 } });
});
afterEach(() => rig.close());

interface Heard {
  readonly text: string;
  readonly ran: { id: string; input: unknown }[];
  readonly errors: unknown[];
  readonly finish: string;
}

async function think(): Promise<Heard> {
  const provider = createOpenAICompatible({
    name: 'openpact',
    baseURL: 'http://gateway/v1',
    apiKey: rig.turn.capability,
    includeUsage: true,
    fetch: async (input, init) => rig.gateway.fetch(new Request(input as string, init)),
  });
  const ran: Heard['ran'] = [];
  const errors: unknown[] = [];
  let text = '';
  let finish = '';
  const result = streamText({
    model: provider.chatModel(rig.turn.model),
    instructions: 'Be brief.',
    messages: [{ role: 'user', content: 'list' }],
    tools: {
      workspace_list: dynamicTool({
        description: 'List.',
        inputSchema: jsonSchema({ type: 'object', properties: { path: { type: 'string' } } }),
        execute: (input, { toolCallId }) => {
          ran.push({ id: toolCallId, input });
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
    if (part.type === 'error') errors.push(part.error);
    if (part.type === 'finish') finish = part.finishReason;
  }
  return { text, ran, errors, finish };
}

it('runs calls with the ids of the gateway and goes on with their results', async () => {
  rig.model.next(
    {
      thinking: 'hm',
      text: 'Looking. ',
      calls: [
        { name: 'workspace_list', arguments: { path: 'a' } },
        { name: 'workspace_list', arguments: { path: 'b' } },
      ],
    },
    { text: 'Done.' },
  );
  const heard = await think();
  expect(heard).toMatchObject({ text: 'Looking. Done.', errors: [], finish: 'stop' });
  expect(heard.ran).toEqual([
    { id: 'c00010000', input: { path: 'a' } },
    { id: 'c00010001', input: { path: 'b' } },
  ]);
  const sent = rig.model.requests[1]?.body.messages;
  expect(sent.map((message: { role: string }) => message.role)).toEqual([
    'system',
    'user',
    'assistant',
    'tool',
    'tool',
  ]);
  expect(rig.turn.steps.map(({ end }) => end.outcome)).toEqual(['ok', 'ok']);
});

it('hears the code of a failure before the answer and inside it, and runs nothing then', async () => {
  rig.model.next({ status: 401 });
  const [before] = (await think()).errors;
  expect(APICallError.isInstance(before)).toBe(true);
  expect((before as APICallError).isRetryable).toBe(false);
  expect(JSON.parse((before as APICallError).responseBody ?? '')).toMatchObject({
    error: { code: 'llm_unauthorized' },
  });

  const call = { name: 'workspace_list', arguments: {} };
  rig.model.next({ text: 'half ', calls: [call], fault: 'hang_mid_stream' });
  const inside = await think();
  expect(inside.text).toBe('half ');
  expect(inside.ran).toEqual([]);
  expect(inside.errors[0]).toMatchObject({ code: 'llm_timeout_silent' });
});

it('lets a model correct arguments that can not be read', async () => {
  rig.model.next(
    { calls: [{ name: 'workspace_list', arguments: '{"path": ' }] },
    { calls: [{ name: 'workspace_list', arguments: { path: 'a' } }] },
    { text: 'There.' },
  );
  const heard = await think();
  expect(heard.ran).toEqual([{ id: 'c00020000', input: { path: 'a' } }]);
  expect(heard.text).toBe('There.');
});

/** The gateway between the providers' own clients and a model server that others wrote. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { LLMock, type ChatCompletionRequest } from '@copilotkit/aimock';
import { dynamicTool, isStepCount, jsonSchema, streamText, type LanguageModel } from 'ai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../agent/outcome.ts';
import { RIG_KEY, startModelRig, type ModelRig } from '../../../test/fakes/model-rig.ts';
import { anthropicWire } from './wires/anthropic/index.ts';
import { createChatCompletionsWire } from './wires/chat-completions/index.ts';
import { createGeminiWire } from './wires/gemini/index.ts';
import { createResponsesWire } from './wires/openai-responses/index.ts';
import type { Wire } from './wires/wire.ts';

interface Spoken {
  readonly wire: Wire;
  readonly client: (rig: ModelRig, fetch: typeof globalThis.fetch) => Exclude<LanguageModel, string>;
  readonly keyHeader: readonly [name: string, value: string];
  /** Default: /v1. */
  readonly base?: string;
  /** How the server tells a result; default: as it is. */
  readonly resultOf?: (text: string) => string;
  /** Where an answer with calls is cut, in pieces. Default: 4. */
  readonly cutAfter?: number;
}

const SPOKEN: Readonly<Record<string, Spoken>> = {
  'OpenAI chat completions': {
    wire: createChatCompletionsWire({ maxTokensField: 'max_completion_tokens', reasoningInHistory: false }),
    client: ({ turn }, fetch) =>
      createOpenAICompatible({
        name: 'openpact',
        baseURL: 'http://gateway/v1',
        apiKey: turn.capability,
        includeUsage: true,
        fetch,
      }).chatModel(turn.model),
    keyHeader: ['authorization', `Bearer ${RIG_KEY}`],
  },
  'Anthropic messages': {
    wire: anthropicWire,
    client: ({ turn }, fetch) =>
      createAnthropic({ baseURL: 'http://gateway/v1', authToken: turn.capability, fetch }).languageModel(
        turn.model,
      ),
    keyHeader: ['x-api-key', RIG_KEY],
  },
  'OpenAI responses': {
    wire: createResponsesWire('bearer'),
    client: ({ turn }, fetch) =>
      createOpenAI({ baseURL: 'http://gateway/v1', apiKey: turn.capability, fetch }).responses(turn.model),
    keyHeader: ['authorization', `Bearer ${RIG_KEY}`],
  },
  'Azure OpenAI': {
    wire: createResponsesWire('api-key'),
    client: ({ turn }, fetch) =>
      createOpenAI({ baseURL: 'http://gateway/v1', apiKey: turn.capability, fetch }).responses(turn.model),
    keyHeader: ['api-key', RIG_KEY],
    base: '/openai/v1',
  },
  'Gemini generateContent': {
    wire: createGeminiWire(),
    client: ({ turn }, fetch) =>
      createGoogle({
        baseURL: 'http://gateway/v1beta',
        apiKey: turn.capability,
        headers: { authorization: `Bearer ${turn.capability}` },
        fetch,
      }).chat(turn.model),
    keyHeader: ['x-goog-api-key', RIG_KEY],
    base: '/v1beta',
    cutAfter: 1,
    resultOf: (content) => JSON.stringify({ name: 'workspace_list', content }),
  },
};

describe.each(Object.entries(SPOKEN))('%s, with a model server of others', (_name, spoken) => {
  let mock: LLMock;
  let rig: ModelRig;

  beforeEach(async () => {
    mock = new LLMock({ port: 0 });
    await mock.start();
    rig = await startModelRig({
      wire: spoken.wire,
      upstreamUrl: `${mock.url}${spoken.base ?? '/v1'}`,
      turn: { model: 'claude-sonnet-4-5' },
    });
  });
  afterEach(async () => {
    await rig.close();
    await mock.stop();
  });

  async function think() {
    const ran: { id: string; input: unknown }[] = [];
    const errors: unknown[] = [];
    let [text, finish] = ['', ''];
    const result = streamText({
      model: spoken.client(rig, async (input, init) => rig.gateway.fetch(new Request(input as string, init))),
      instructions: 'Be brief.',
      messages: [{ role: 'user', content: 'list' }],
      tools: {
        workspace_list: dynamicTool({
          description: 'List.',
          inputSchema: jsonSchema({ type: 'object', properties: { path: { type: 'string' } } }),
          execute: (input, { toolCallId }) => {
            ran.push({ id: toolCallId, input });
            return `files of ${JSON.stringify(input)}`;
          },
        }),
      },
      stopWhen: isStepCount(5),
      maxRetries: 0,
      onError: () => undefined,
      providerOptions: { openai: { store: false } },
    });
    for await (const part of result.stream) {
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'error') errors.push(part.error);
      if (part.type === 'finish') finish = part.finishReason;
    }
    return { text, ran, errors, finish };
  }

  const call = (path: string) => ({ name: 'workspace_list', arguments: JSON.stringify({ path }) });

  it('streams an answer in pieces, with our key and its tokens', async () => {
    const usage = { prompt_tokens: 21, completion_tokens: 9, input_tokens: 21, output_tokens: 9 };
    const content = 'A longer answer, that comes in several pieces.';
    mock.onMessage('list', { content, usage }, { chunkSize: 5 });
    const heard = await think();
    expect(heard).toMatchObject({
      text: content,
      errors: [],
      finish: 'stop',
    });
    expect(rig.turn.texts.length).toBeGreaterThan(3);
    expect(rig.turn.steps[0]?.end).toMatchObject({
      outcome: 'ok',
      finishReason: 'stop',
      usage: { input: 21, output: 9 },
    });
    const [entry] = mock.journal.getAll();
    expect(entry?.headers).not.toHaveProperty('anthropic-beta');
    // The server hides keys in its journal, but says that there was one.
    expect(Object.keys(entry?.headers ?? {})).toContain(spoken.keyHeader[0]);
  });

  it('runs parallel calls with ids of the gateway, and goes on with each result', async () => {
    mock.on({ hasToolResult: false }, { content: 'Looking.', toolCalls: [call('a'), call('b')] });
    mock.on({ hasToolResult: true }, { content: 'Done.' });
    const heard = await think();
    expect(heard).toMatchObject({ text: 'Looking.Done.', errors: [], finish: 'stop' });
    expect(heard.ran).toEqual([
      { id: 'c00010000', input: { path: 'a' } },
      { id: 'c00010001', input: { path: 'b' } },
    ]);
    expect(rig.turn.calls[0]?.calls.map(({ id }) => id)).toEqual(['c00010000', 'c00010001']);
    const sent = mock.journal.getAll().at(-1)?.body as ChatCompletionRequest;
    const resultOf = spoken.resultOf ?? ((text: string) => text);
    const results = sent.messages.filter((message) => message.role === 'tool');
    expect(results.map((message) => message.content)).toEqual([
      resultOf('files of {"path":"a"}'),
      resultOf('files of {"path":"b"}'),
    ]);
    const asked = sent.messages.flatMap((message) => message.tool_calls ?? []);
    expect(asked.map(({ id }) => id)).toEqual(results.map((message) => message.tool_call_id));
    expect(sent.tools?.[0]?.function.description).toBe('Our own words on workspace_list.');
  });

  it.each([429, 500, 529])('asks again after %i, and tells it when it stays', async (status) => {
    mock.onMessage('list', { content: 'There.' });
    mock.nextRequestError(status, { message: 'not now', type: 'overloaded_error' });
    expect(await think()).toMatchObject({ text: 'There.', errors: [] });

    for (let i = 0; i < 3; i += 1) mock.nextRequestError(status, { message: 'not now' });
    const before = mock.journal.getAll().length;
    const { errors, text } = await think();
    expect(text).toBe('');
    expect(mock.journal.getAll().length - before).toBe(3);
    expect(failureOf(errors[0])).toMatchObject({
      code: status === 429 ? 'llm_rate_limited' : 'llm_upstream_failing',
      message: expect.stringContaining('not now'),
    });
  });

  it('takes a cut stream for a failure, in the middle of text and of calls, and runs nothing', async () => {
    mock.on(
      { sequenceIndex: 0 },
      { content: 'half of a longer answer' },
      { chunkSize: 4, truncateAfterChunks: 3 },
    );
    const text = await think();
    expect(text.errors).toHaveLength(1);
    expect(failureOf(text.errors[0]).code).toMatch(/^llm_(cut|no_finish)$/);
    mock.clearFixtures();
    mock.on(
      {},
      { content: 'Looking.', toolCalls: [call('a'), call('b')] },
      { truncateAfterChunks: spoken.cutAfter ?? 4 },
    );
    const calls = await think();
    expect(failureOf(calls.errors[0]).code).toMatch(/^llm_(cut|no_finish)$/);
    expect(calls.ran).toEqual([]);
    expect(rig.turn.calls).toEqual([]);
    expect(rig.turn.steps.map(({ end }) => end.outcome)).toEqual(['failed', 'failed']);
  });
});

/** Anthropic's wire through the gateway, with its own client on one side and a server that may say anything on the other. */
import { describe, expect, it } from 'vitest';
import { messageEvents, type AnthropicAnswer } from '../../../../../test/fakes/anthropic-server.ts';
import { RIG_KEY, RIG_SECRET } from '../../../../../test/fakes/model-rig.ts';
import { failureOf } from '../../../../agent/outcome.ts';
import { anthropicBench, use } from './anthropic-bench.test-support.ts';

const bench = anthropicBench();
const { think } = bench;

describe('a request', () => {
  it('carries our key and headers, our tool definitions, and marks for the cache', async () => {
    await think();
    const [request] = bench.server.requests;
    expect(request?.path).toBe('/v1/messages');
    expect(request?.headers).toMatchObject({ 'x-api-key': RIG_KEY, 'anthropic-version': '2023-06-01' });
    expect(request?.headers).not.toHaveProperty('authorization');
    expect(request?.headers).not.toHaveProperty('anthropic-beta');
    expect(request?.body).toEqual({
      model: 'claude-sonnet-4-5',
      // What the gateway assumes where it knows no lower limit.
      max_tokens: 32_768,
      stream: true,
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'list', cache_control: { type: 'ephemeral' } }] },
      ],
      tools: [
        {
          name: 'workspace_list',
          description: 'Our own words on workspace_list.',
          input_schema: { type: 'object', properties: { path: { type: 'string' } } },
        },
      ],
      tool_choice: { type: 'auto' },
    });
  });

  it('hides known secrets in prompts, results and arguments', async () => {
    await think([
      { role: 'user', content: `use ${RIG_SECRET}` },
      {
        role: 'assistant',
        content: [
          { type: 'tool-call', toolCallId: 'c1', toolName: 'workspace_list', input: { path: RIG_SECRET } },
        ],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: 'c1',
            toolName: 'workspace_list',
            output: { type: 'error-text', value: `no ${RIG_SECRET}` },
          },
        ],
      },
    ]);
    const sent = bench.server.requests[0]?.body;
    expect(JSON.stringify(sent)).not.toContain(RIG_SECRET);
    expect(JSON.stringify(sent).match(/REDACTED:TOKEN/g)).toHaveLength(3);
    expect(sent.messages[1].content[0].id).toBe('c00010000');
    expect(sent.messages[2].content[0]).toMatchObject({ tool_use_id: 'c00010000', is_error: true });
  });

  it('is refused with a result that no call asked for', async () => {
    const response = await bench.rig.raw(
      {
        headers: { authorization: `Bearer ${bench.rig.turn.capability}` },
        body: JSON.stringify({
          model: bench.rig.turn.model,
          max_tokens: 100,
          stream: true,
          messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'x' }] }],
        }),
      },
      '/v1/messages',
    );
    expect(await response.json()).toMatchObject({ type: 'error', error: { code: 'llm_content_refused' } });
    expect(bench.rig.auditRows('llm.refused').at(-1)?.details['code']).toBe('llm_content_refused');
    expect(bench.server.requests).toHaveLength(0);
  });

  it('exists under one path only', async () => {
    for (const path of [
      '/v1/messages/batches',
      '/v1/files',
      '/v1/chat/completions',
      '/v1/messages?beta=true',
    ]) {
      const response = await bench.rig.raw(
        { headers: { authorization: `Bearer ${bench.rig.turn.capability}` }, body: '{}' },
        path,
      );
      expect(await response.json()).toMatchObject({ error: { code: 'llm_path_refused' } });
    }
    expect(bench.rig.auditRows('llm.refused')).toHaveLength(4);
  });
});

describe('an answer', () => {
  it('counts tokens of the cache at their own prices', async () => {
    const usage = {
      input_tokens: 1_000,
      cache_read_input_tokens: 20_000,
      cache_creation_input_tokens: 4_000,
      output_tokens: 500,
    };
    bench.server.next({ events: messageEvents([{ type: 'text', text: 'ok' }], 'end_turn', usage) });
    await think();
    const end = bench.rig.turn.steps[0]?.end;
    expect(end?.usage).toEqual({ input: 25_000, output: 500, cached: 20_000, written: 4_000 });
    // 1000 × $3, 20000 × $0.30, 4000 × $3.75 and 500 × $15 a million.
    expect(end?.costUsd).toBeCloseTo(0.003 + 0.006 + 0.015 + 0.0075, 10);
    expect(bench.rig.auditRows('llm.call').at(-1)?.details).toMatchObject({
      input_tokens: 25_000,
      cached_tokens: 20_000,
    });
  });

  it.each([
    ['end_turn', 'stop', undefined],
    ['stop_sequence', 'stop', undefined],
    ['max_tokens', 'length', 'llm_length'],
    ['model_context_window_exceeded', 'length', 'llm_length'],
    ['refusal', 'content_filter', 'llm_filtered'],
  ])('that ended with %s ends so', async (reason, finish, note) => {
    bench.server.next({ events: messageEvents([{ type: 'text', text: 'so' }], reason) });
    expect((await think()).errors).toEqual([]);
    expect(bench.rig.turn.steps[0]?.end).toMatchObject({ outcome: 'ok', finishReason: finish });
    expect(bench.rig.turn.steps[0]?.end.note?.code).toBe(note);
  });

  const text = { type: 'text', text: 'half ' };
  const failures: readonly (readonly [string, AnthropicAnswer, string])[] = [
    ['is paused by the provider', { events: messageEvents([text], 'pause_turn') }, 'llm_no_finish'],
    ['ends without a reason', { events: messageEvents([text], null) }, 'llm_no_finish'],
    ['reaches its limit in a call', { events: messageEvents([use()], 'max_tokens') }, 'llm_call_cut'],
    ['is refused before it began', { events: messageEvents([], 'refusal') }, 'llm_filtered'],
    ['is empty', { events: messageEvents([]) }, 'llm_empty_answer'],
    ['is cut in its text', { events: messageEvents([text]).slice(0, 4), cut: true }, 'llm_cut'],
    ['ends in its call', { events: messageEvents([text, use()], 'tool_use').slice(0, 8) }, 'llm_no_finish'],
    [
      'holds a search of the provider',
      { events: messageEvents([text, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }]) },
      'llm_garbled',
    ],
    [
      'holds a call to a remote MCP server',
      {
        events: messageEvents([
          text,
          { type: 'mcp_tool_use', id: 's', name: 'x', server_name: 'y', input: {} },
        ]),
      },
      'llm_garbled',
    ],
    [
      'says something in a block that it did not open',
      {
        events: [
          ...messageEvents([text]).slice(0, 5),
          { type: 'content_block_delta', index: 7, delta: { type: 'input_json_delta', partial_json: '{}' } },
        ],
      },
      'llm_garbled',
    ],
    [
      'breaks off because the provider is overloaded',
      {
        events: [
          ...messageEvents([text]).slice(0, 4),
          { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
        ],
      },
      'llm_upstream_failing',
    ],
    [
      'breaks off at a limit of the account',
      {
        events: [
          ...messageEvents([text]).slice(0, 4),
          { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down' } },
        ],
      },
      'llm_rate_limited',
    ],
    [
      'is no answer: wrong key',
      {
        status: 401,
        body: { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
      },
      'llm_unauthorized',
    ],
    [
      'is no answer: no credit',
      {
        status: 400,
        body: {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: 'Your credit balance is too low to access the API.',
          },
        },
      },
      'llm_no_credit',
    ],
    [
      'is no answer: too long',
      {
        status: 400,
        body: {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: 'prompt is too long: 210000 tokens > 200000 maximum',
          },
        },
      },
      'llm_context_too_long',
    ],
  ];
  it.each(failures)('that %s is a failure, and nothing runs', async (_what, answer, code) => {
    bench.server.next(answer);
    const heard = await think();
    expect(failureOf(heard.errors[0]).code).toBe(code);
    expect(heard.ran).toEqual([]);
    expect(bench.rig.turn.calls).toEqual([]);
    expect(bench.rig.turn.steps.map(({ end }) => end.error?.code)).toEqual([code]);
  });

  it('without the tokens of its end leaves its worst case reserved', async () => {
    bench.server.next({ events: messageEvents([text]).slice(0, 4), cut: true });
    await think();
    expect(bench.rig.turn.steps[0]?.end.usage).toMatchObject({ input: 11, output: null });
  });

  it('whose arguments can not be read comes back to the model', async () => {
    bench.server.next(
      { events: messageEvents([use('{"path": ')], 'tool_use') },
      { events: messageEvents([use({ path: 'a' })], 'tool_use') },
      {},
    );
    const heard = await think();
    expect(heard).toMatchObject({ text: 'ok', ran: [{ path: 'a' }], errors: [] });
  });

  it('with events that are to come is read without them', async () => {
    const events = messageEvents([text]);
    bench.server.next({
      events: [...events.slice(0, 2), { type: 'unheard_of', more: 1 }, ...events.slice(2)],
    });
    expect(await think()).toMatchObject({ text: 'half ', errors: [] });
  });
});

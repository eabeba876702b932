import { describe, expect, it } from 'vitest';
import { RIG_KEY, RIG_SECRET } from '../../../../../test/fakes/model-rig.ts';
import { startResponsesServer } from '../../../../../test/fakes/responses-server.ts';
import { wireBench } from '../../../../../test/fakes/wire-bench.ts';
import type { WireServer } from '../../../../../test/fakes/wire-server.ts';
import { createResponsesWire } from './index.ts';

const MODEL = 'gpt-5-mini';
const LIST = { name: 'workspace_list', arguments: { path: 'a' } };

const bench = wireBench({
  server: () => startResponsesServer({ key: { header: 'authorization', value: RIG_KEY } }),
  wire: () => createResponsesWire('bearer'),
  model: MODEL,
});

describe("a turn with the provider's own client", () => {
  it('runs calls with the ids of the gateway, gives reasoning back as it came, and lets nothing be kept', async () => {
    bench.server.next(
      { thinking: ['Let me ', 'look.'], text: 'Looking. ', calls: [LIST, LIST] },
      { thinking: 'And again.', calls: [LIST] },
      { text: 'Done.' },
    );
    const heard = await bench.rig.think();
    expect(heard).toMatchObject({
      text: 'Looking. Done.',
      thinking: 'Let me look.And again.',
      errors: [],
      finish: 'stop',
      usage: { input: 120, output: 90 },
    });
    expect(heard.ran.map(({ id }) => id)).toEqual(['c00010000', 'c00010001', 'c00020000']);
    const [first, , third] = bench.server.requests.map(({ body }) => body);
    expect(first).toMatchObject({ model: MODEL, store: false, stream: true });
    expect(first.include).toEqual(['reasoning.encrypted_content']);
    expect(first.tools).toEqual([
      {
        type: 'function',
        name: 'workspace_list',
        description: 'Our own words on workspace_list.',
        parameters: { type: 'object', properties: { path: { type: 'string' } } },
        strict: false,
      },
    ]);
    // The server checks the encrypted reasoning and that what it led to follows it.
    expect(third.input.map((item: { type?: string; role?: string }) => item.type ?? item.role)).toEqual([
      'developer',
      'user',
      'reasoning',
      'assistant',
      'function_call',
      'function_call',
      'function_call_output',
      'function_call_output',
      'reasoning',
      'function_call',
      'function_call_output',
    ]);
    expect(bench.rig.turn.steps.map(({ end }) => end.usage)).toEqual(
      Array.from({ length: 3 }, () => ({ input: 40, output: 30, cached: 8 })),
    );
  });

  it('never shows the engine what the provider encrypted', async () => {
    bench.server.next({ thinking: 'hm', calls: [LIST] });
    const body = {
      model: MODEL,
      stream: true,
      input: [{ role: 'user', content: 'list' }],
      tools: [{ type: 'function', name: 'workspace_list' }],
    };
    const headers = { authorization: `Bearer ${bench.rig.turn.capability}` };
    const response = await bench.rig.raw({ headers, body: JSON.stringify(body) }, '/v1/responses');
    const text = await response.text();
    expect(text).toContain('"encrypted_content":"seal0001"');
    expect(text).not.toContain('gAAA');
  });

  it('drops encrypted reasoning that the engine made up or that is of another answer', async () => {
    const forged = { type: 'reasoning', id: 'rs_x', encrypted_content: 'seal0099', summary: [] };
    const input = [{ role: 'user', content: 'hi' }, forged, { role: 'assistant', content: 'yes' }];
    expect(await bench.rig.refused({ model: MODEL, stream: true, input })).toBeUndefined();
    expect(bench.server.requests[0]?.body.store).toBe(false);
    expect(bench.server.requests[0]?.body.input).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'yes' },
    ]);
  });

  it('goes on without the reasoning of an answer in which a known secret stands', async () => {
    bench.server.next(
      { thinking: 'hm', text: `The token is ${RIG_SECRET}`, calls: [LIST] },
      { text: 'Done.' },
    );
    const heard = await bench.rig.think();
    expect(heard).toMatchObject({ text: 'The token is [REDACTED:TOKEN]Done.', errors: [] });
    const sent = JSON.stringify(bench.server.requests[1]?.body);
    expect(sent).not.toContain('"type":"reasoning"');
    expect(sent).not.toContain(RIG_SECRET);
    expect(sent).toContain('[REDACTED:TOKEN]');
  });

  it('reads the history of earlier turns, results that are errors among them', async () => {
    const heard = await bench.rig.think([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Looking.' },
          { type: 'tool-call', toolCallId: 'c1', toolName: 'workspace_list', input: {} },
        ],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: 'c1',
            toolName: 'workspace_list',
            output: { type: 'error-text', value: 'no such folder' },
          },
        ],
      },
      { role: 'user', content: 'again' },
    ]);
    expect(heard).toMatchObject({ text: 'ok', errors: [] });
    expect(bench.server.requests[0]?.body.input[4]).toMatchObject({
      type: 'function_call_output',
      call_id: 'c00030000',
    });
  });
});

describe('what goes wrong with the provider', () => {
  const event = (type: string, fields: object): object => ({ type, sequence_number: 1, ...fields });
  const ended = (type: string, response: object): object => event(type, { response });
  const words = event('response.output_text.delta', {
    item_id: 'm',
    output_index: 0,
    content_index: 0,
    delta: 'half ',
  });
  const usage = { input_tokens: 9, output_tokens: 3 };

  it.each<[code: string, answer: Parameters<WireServer['next']>[0]]>([
    ['llm_unauthorized', { status: 401, body: { error: { message: 'no', code: 'invalid_api_key' } } }],
    ['llm_no_credit', { status: 429, body: { error: { message: 'no', code: 'insufficient_quota' } } }],
    ['llm_filtered', { status: 400, body: { error: { message: 'no', code: 'content_filter' } } }],
    [
      'llm_context_too_long',
      { status: 400, body: { error: { message: 'no', code: 'context_length_exceeded' } } },
    ],
    ['llm_rate_limited', { events: [event('error', { code: 'rate_limit_exceeded', message: 'slow' })] }],
    [
      'llm_no_credit',
      {
        events: [
          event('error', {
            error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'no' },
          }),
        ],
      },
    ],
    [
      'llm_upstream_failing',
      { events: [words, ended('response.failed', { error: { code: 'server_error', message: 'oh' } })] },
    ],
    [
      'llm_filtered',
      { events: [ended('response.incomplete', { incomplete_details: { reason: 'content_filter' }, usage })] },
    ],
    [
      'llm_upstream_failing',
      { events: [words, ended('response.incomplete', { incomplete_details: { reason: 'other' }, usage })] },
    ],
    ['llm_no_finish', { events: [words] }],
    ['llm_cut', { events: [words], cut: true }],
    ['llm_garbled', { events: [{ nothing: 'known' }] }],
    ['llm_empty_answer', { events: [ended('response.completed', { usage })] }],
  ])('is told as %s', async (code, answer) => {
    bench.server.next(answer);
    expect((await bench.rig.think()).errors).toEqual([code]);
    expect(bench.rig.turn.steps[0]?.end.outcome).toBe('failed');
  });

  it('notes an answer that was cut at its limit, and runs no call of such a one', async () => {
    const cut = ended('response.incomplete', { incomplete_details: { reason: 'max_output_tokens' }, usage });
    bench.server.next({ events: [words, cut] });
    expect(await bench.rig.think()).toMatchObject({ text: 'half ', errors: [], finish: 'length' });
    expect(bench.rig.turn.steps[0]?.end.note?.code).toBe('llm_length');
    const item = { id: 'fc', type: 'function_call', call_id: 'c', name: 'workspace_list', arguments: '' };
    bench.server.next({ events: [event('response.output_item.added', { output_index: 0, item }), cut] });
    expect(await bench.rig.think()).toMatchObject({ errors: ['llm_call_cut'], ran: [] });
  });

  it.each([
    'web_search_call',
    'file_search_call',
    'code_interpreter_call',
    'mcp_call',
    'image_generation_call',
    'computer_call',
    'local_shell_call',
    'shell_call',
    'custom_tool_call',
    'something_new',
  ])('throws an answer away in which the provider acted by itself: %s', async (type) => {
    const item = { id: 'x', type, status: 'in_progress' };
    bench.server.next({
      events: [
        event('response.output_item.added', { output_index: 0, item }),
        words,
        ended('response.completed', { usage }),
      ],
    });
    const heard = await bench.rig.think();
    expect(heard).toMatchObject({ errors: ['llm_provider_acted'], text: '' });
  });

  it('takes a call whose arguments came in one piece', async () => {
    const item = { id: 'fc', type: 'function_call', call_id: 'c', name: 'workspace_list' };
    bench.server.next({
      events: [
        event('response.output_item.added', { output_index: 0, item: { ...item, arguments: '' } }),
        event('response.output_item.done', { output_index: 0, item: { ...item, arguments: '{"path":"z"}' } }),
        ended('response.completed', { usage }),
      ],
    });
    expect((await bench.rig.think()).ran).toEqual([{ id: 'c00010000', input: { path: 'z' } }]);
  });
});

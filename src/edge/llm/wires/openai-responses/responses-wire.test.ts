import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RIG_KEY, RIG_SECRET } from '../../../../../test/fakes/model-rig.ts';
import { startResponsesServer } from '../../../../../test/fakes/responses-server.ts';
import { startWireRig, type WireRig } from '../../../../../test/fakes/wire-rig.ts';
import type { WireServer } from '../../../../../test/fakes/wire-server.ts';
import { createResponsesWire } from './index.ts';

const MODEL = 'gpt-5-mini';
const LIST = { name: 'workspace_list', arguments: { path: 'a' } };

let server: WireServer & { readonly url: string };
let rig: WireRig;

beforeEach(async () => {
  server = await startResponsesServer({ key: { header: 'authorization', value: RIG_KEY } });
  const wire = createResponsesWire('bearer');
  rig = await startWireRig({ wire, upstreamUrl: server.url, model: MODEL, limits: { retries: 0 } });
});
afterEach(async () => {
  await rig.close();
  await server.close();
});

describe("a turn with the provider's own client", () => {
  it('runs calls with the ids of the gateway, gives reasoning back as it came, and lets nothing be kept', async () => {
    server.next(
      { thinking: ['Let me ', 'look.'], text: 'Looking. ', calls: [LIST, LIST] },
      { thinking: 'And again.', calls: [LIST] },
      { text: 'Done.' },
    );
    const heard = await rig.think();
    expect(heard).toMatchObject({
      text: 'Looking. Done.',
      thinking: 'Let me look.And again.',
      errors: [],
      finish: 'stop',
      usage: { input: 120, output: 90 },
    });
    expect(heard.ran.map(({ id }) => id)).toEqual(['c00010000', 'c00010001', 'c00020000']);
    const [first, , third] = server.requests.map(({ body }) => body);
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
    expect(rig.turn.steps.map(({ end }) => end.usage)).toEqual(
      Array.from({ length: 3 }, () => ({ input: 40, output: 30, cached: 8 })),
    );
  });

  it('never shows the engine what the provider encrypted', async () => {
    server.next({ thinking: 'hm', calls: [LIST] });
    const body = {
      model: MODEL,
      stream: true,
      input: [{ role: 'user', content: 'list' }],
      tools: [{ type: 'function', name: 'workspace_list' }],
    };
    const headers = { authorization: `Bearer ${rig.turn.capability}` };
    const response = await rig.raw({ headers, body: JSON.stringify(body) }, '/v1/responses');
    const text = await response.text();
    expect(text).toContain('"encrypted_content":"seal0001"');
    expect(text).not.toContain('gAAA');
  });

  it('drops encrypted reasoning that the engine made up or that is of another answer', async () => {
    const forged = { type: 'reasoning', id: 'rs_x', encrypted_content: 'seal0099', summary: [] };
    const input = [{ role: 'user', content: 'hi' }, forged, { role: 'assistant', content: 'yes' }];
    expect(await rig.refused({ model: MODEL, stream: true, input })).toBeUndefined();
    expect(server.requests[0]?.body.store).toBe(false);
    expect(server.requests[0]?.body.input).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'yes' },
    ]);
  });

  it('goes on without the reasoning of an answer in which a known secret stands', async () => {
    server.next({ thinking: 'hm', text: `The token is ${RIG_SECRET}`, calls: [LIST] }, { text: 'Done.' });
    const heard = await rig.think();
    expect(heard).toMatchObject({ text: 'The token is [REDACTED:TOKEN]Done.', errors: [] });
    const sent = JSON.stringify(server.requests[1]?.body);
    expect(sent).not.toContain('"type":"reasoning"');
    expect(sent).not.toContain(RIG_SECRET);
    expect(sent).toContain('[REDACTED:TOKEN]');
  });

  it('reads the history of earlier turns, results that are errors among them', async () => {
    const heard = await rig.think([
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
    expect(server.requests[0]?.body.input[4]).toMatchObject({
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
    server.next(answer);
    expect((await rig.think()).errors).toEqual([code]);
    expect(rig.turn.steps[0]?.end.outcome).toBe('failed');
  });

  it('notes an answer that was cut at its limit, and runs no call of such a one', async () => {
    const cut = ended('response.incomplete', { incomplete_details: { reason: 'max_output_tokens' }, usage });
    server.next({ events: [words, cut] });
    expect(await rig.think()).toMatchObject({ text: 'half ', errors: [], finish: 'length' });
    expect(rig.turn.steps[0]?.end.note?.code).toBe('llm_length');
    const item = { id: 'fc', type: 'function_call', call_id: 'c', name: 'workspace_list', arguments: '' };
    server.next({ events: [event('response.output_item.added', { output_index: 0, item }), cut] });
    expect(await rig.think()).toMatchObject({ errors: ['llm_call_cut'], ran: [] });
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
    server.next({
      events: [
        event('response.output_item.added', { output_index: 0, item }),
        words,
        ended('response.completed', { usage }),
      ],
    });
    const heard = await rig.think();
    expect(heard).toMatchObject({ errors: ['llm_provider_acted'], text: '' });
  });

  it('takes a call whose arguments came in one piece', async () => {
    const item = { id: 'fc', type: 'function_call', call_id: 'c', name: 'workspace_list' };
    server.next({
      events: [
        event('response.output_item.added', { output_index: 0, item: { ...item, arguments: '' } }),
        event('response.output_item.done', { output_index: 0, item: { ...item, arguments: '{"path":"z"}' } }),
        ended('response.completed', { usage }),
      ],
    });
    expect((await rig.think()).ran).toEqual([{ id: 'c00010000', input: { path: 'z' } }]);
  });
});

describe('a request of the engine', () => {
  const input = [{ role: 'user', content: 'hi' }];
  const good = { model: MODEL, stream: true, input };
  const withInput = (...items: unknown[]): object => ({ ...good, input: [...input, ...items] });

  it.each<[code: string, what: string, body: unknown]>([
    ['llm_field_refused', 'keeping', { ...good, store: true }],
    ['llm_field_refused', 'keeping by null', { ...good, store: null }],
    ['llm_field_refused', 'background', { ...good, background: true }],
    ['llm_field_refused', 'an earlier answer', { ...good, previous_response_id: 'resp_1' }],
    ['llm_field_refused', 'a conversation at the provider', { ...good, conversation: 'conv_1' }],
    ['llm_field_refused', 'a prompt at the provider', { ...good, prompt: { id: 'pmpt_1' } }],
    ['llm_field_refused', 'metadata', { ...good, metadata: { a: 'b' } }],
    ['llm_field_refused', 'a service tier', { ...good, service_tier: 'priority' }],
    ['llm_field_refused', 'a cache key', { ...good, prompt_cache_key: 'x' }],
    ['llm_field_refused', 'compaction', { ...good, context_management: [] }],
    ['llm_field_refused', 'a field of chat completions', { ...good, messages: [] }],
    ['llm_field_refused', 'more in the answer', { ...good, include: ['web_search_call.action.sources'] }],
    [
      'llm_field_refused',
      'files in the answer',
      { ...good, include: ['reasoning.encrypted_content', 'file_search_call.results'] },
    ],
    ['llm_stream_required', 'no stream', { ...good, stream: false }],
    ['llm_model_refused', 'another model', { ...good, model: 'gpt-5' }],
    ...[
      'web_search',
      'web_search_preview',
      'file_search',
      'code_interpreter',
      'computer_use_preview',
      'image_generation',
      'mcp',
      'local_shell',
      'shell',
      'apply_patch',
      'custom',
      'tool_search',
      'namespace',
    ].map((type): [string, string, unknown] => [
      'llm_tool_refused',
      `the tool ${type}`,
      { ...good, tools: [{ type, name: 'workspace_list' }] },
    ]),
    [
      'llm_tool_refused',
      'a tool of another turn',
      { ...good, tools: [{ type: 'function', name: 'shell_exec' }] },
    ],
    [
      'llm_tool_refused',
      'a tool with more',
      { ...good, tools: [{ type: 'function', name: 'workspace_list', server_url: 'https://x' }] },
    ],
    [
      'llm_tool_refused',
      'a tool twice',
      {
        ...good,
        tools: [
          { type: 'function', name: 'workspace_list' },
          { type: 'function', name: 'workspace_list' },
        ],
      },
    ],
    [
      'llm_tool_refused',
      'a demand for a tool of the provider',
      { ...good, tool_choice: { type: 'web_search' } },
    ],
    [
      'llm_tool_refused',
      'a demand for what is not offered',
      { ...good, tool_choice: { type: 'function', name: 'workspace_list' } },
    ],
    [
      'llm_content_refused',
      'a file',
      withInput({ role: 'user', content: [{ type: 'input_file', file_url: 'https://x' }] }),
    ],
    [
      'llm_content_refused',
      'a file of the store',
      withInput({ role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }),
    ],
    [
      'llm_content_refused',
      'an image',
      withInput({ role: 'user', content: [{ type: 'input_image', image_url: 'https://x' }] }),
    ],
    [
      'llm_content_refused',
      'audio',
      withInput({ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }),
    ],
    [
      'llm_content_refused',
      'a text with more',
      withInput({ role: 'user', content: [{ type: 'input_text', text: 'x', prompt_cache_breakpoint: {} }] }),
    ],
    [
      'llm_content_refused',
      'an image as a result',
      withInput(
        { type: 'function_call', call_id: 'c', name: 'workspace_list', arguments: '{}' },
        {
          type: 'function_call_output',
          call_id: 'c',
          output: [{ type: 'input_image', image_url: 'https://x' }],
        },
      ),
    ],
    ...[
      'item_reference',
      'compaction',
      'web_search_call',
      'mcp_approval_response',
      'mcp_list_tools',
      'computer_call_output',
      'custom_tool_call_output',
      'additional_tools',
      'configuration_update',
      'answer',
    ].map((type): [string, string, unknown] => [
      'llm_content_refused',
      `an item of type ${type}`,
      withInput({ type, id: 'x', role: 'assistant', content: 'x' }),
    ]),
    [
      'llm_content_refused',
      'a message with an id of the store',
      withInput({ type: 'message', id: 'msg_1', role: 'assistant', content: 'x' }),
    ],
    [
      'llm_content_refused',
      'encrypted reasoning of its own',
      withInput({ type: 'reasoning', id: 'rs_1', encrypted_content: 'x'.repeat(513), summary: [] }),
    ],
    [
      'llm_content_refused',
      'a result without its call',
      withInput({ type: 'function_call_output', call_id: 'c', output: 'x' }),
    ],
    ['llm_content_refused', 'text in the place of items', { ...good, input: 'hi' }],
    ['llm_body_invalid', 'no number', { ...good, max_output_tokens: '5' }],
    [
      'llm_body_invalid',
      'a schema for the answer',
      { ...good, text: { format: { type: 'json_schema', schema: {} } } },
    ],
    ['llm_body_invalid', 'no JSON', '{"model":'],
    ['llm_body_invalid', 'a prototype', '{"model":"gpt-5-mini","stream":true,"input":[],"__proto__":{}}'],
  ])('is refused as %s: %s', async (code, _what, body) => {
    expect(await rig.refused(body)).toBe(code);
    expect(server.requests).toEqual([]);
    expect(rig.turn.refusals.map((refusal) => refusal.code)).toEqual([code]);
    expect(rig.auditRows('llm.refused')).toHaveLength(1);
  });

  it('is refused on every other path, with the model in it or not', async () => {
    for (const path of [
      '/v1/chat/completions',
      '/v1/responses/resp_1',
      '/v1/responses?x=1',
      '/v1/files',
      '/v1/batches',
      '/v1/conversations',
    ]) {
      expect(await rig.refused(good, path), path).toBe('llm_path_refused');
    }
  });

  it('can only make the limit of the answer smaller', async () => {
    const price = { input: 1, cached: 1, output: 1, maxOutput: 1_000 };
    const limited = await startWireRig({
      wire: createResponsesWire('bearer'),
      upstreamUrl: server.url,
      model: MODEL,
      route: { price: () => price },
    });
    await limited.refused(good);
    await limited.refused({ ...good, max_output_tokens: 5_000 });
    await limited.refused({ ...good, max_output_tokens: 20 });
    await limited.close();
    expect(server.requests.map(({ body }) => body.max_output_tokens)).toEqual([1_000, 1_000, 20]);
  });
});

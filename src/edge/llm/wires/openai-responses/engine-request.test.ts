import { describe, expect, it } from 'vitest';
import { RIG_KEY } from '../../../../../test/fakes/model-rig.ts';
import { startResponsesServer } from '../../../../../test/fakes/responses-server.ts';
import { wireBench } from '../../../../../test/fakes/wire-bench.ts';
import { startWireRig } from '../../../../../test/fakes/wire-rig.ts';
import { createResponsesWire } from './index.ts';

const MODEL = 'gpt-5-mini';

const bench = wireBench({
  server: () => startResponsesServer({ key: { header: 'authorization', value: RIG_KEY } }),
  wire: () => createResponsesWire('bearer'),
  model: MODEL,
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
    expect(await bench.rig.refused(body)).toBe(code);
    expect(bench.server.requests).toEqual([]);
    expect(bench.rig.turn.refusals.map((refusal) => refusal.code)).toEqual([code]);
    expect(bench.rig.auditRows('llm.refused')).toHaveLength(1);
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
      expect(await bench.rig.refused(good, path), path).toBe('llm_path_refused');
    }
  });

  it('can only make the limit of the answer smaller', async () => {
    const price = { input: 1, cached: 1, output: 1, maxOutput: 1_000 };
    const limited = await startWireRig({
      wire: createResponsesWire('bearer'),
      upstreamUrl: bench.server.url,
      model: MODEL,
      route: { price: () => price },
    });
    await limited.refused(good);
    await limited.refused({ ...good, max_output_tokens: 5_000 });
    await limited.refused({ ...good, max_output_tokens: 20 });
    await limited.close();
    expect(bench.server.requests.map(({ body }) => body.max_output_tokens)).toEqual([1_000, 1_000, 20]);
  });
});

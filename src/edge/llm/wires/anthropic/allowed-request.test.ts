import { describe, expect, it } from 'vitest';
import { FAKE_TOOLS } from '../../../../../test/fakes/model-turn.ts';
import { checkRequest } from './allowed-request.ts';

const CONTEXT = { model: 'claude-sonnet-4-5', tools: FAKE_TOOLS, maxDepth: 32 };
const REMOTE = 'https://evil.example/?q=secret';

function check(fields: Record<string, unknown>, headers: Record<string, string> = {}) {
  const body = {
    model: CONTEXT.model,
    max_tokens: 100,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
    ...fields,
  };
  return checkRequest(JSON.stringify(body), new Headers(headers), CONTEXT);
}

function refused(code: string, fields: Record<string, unknown>, headers?: Record<string, string>): string {
  const checked = check(fields, headers);
  expect(checked, JSON.stringify(fields)).toMatchObject({ ok: false, code });
  return checked.ok ? '' : checked.message;
}

describe('a Messages request of the engine', () => {
  it('passes with what an honest client sends', () => {
    const checked = check(
      {
        system: [{ type: 'text', text: 'Be brief.' }],
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'list' }] },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 'seal0001' },
              { type: 'text', text: 'Looking.' },
              { type: 'tool_use', id: 'c00010000', name: 'workspace_list', input: { path: 'a' } },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'c00010000', content: 'a.md' },
              {
                type: 'tool_result',
                tool_use_id: 'x',
                content: [{ type: 'text', text: 'b' }],
                is_error: true,
              },
            ],
          },
        ],
        tools: [{ name: 'workspace_list', description: 'x', input_schema: {}, eager_input_streaming: true }],
        tool_choice: { type: 'auto', disable_parallel_tool_use: true },
        thinking: { type: 'adaptive', display: 'summarized' },
        output_config: { effort: 'low' },
        temperature: 1,
        top_k: 5,
        stop_sequences: ['x'],
      },
      { 'anthropic-beta': 'structured-outputs-2025-11-13' },
    );
    expect(checked.ok).toBe(true);
  });

  it('is refused for every top-level field that is not on the list', () => {
    const fields = {
      mcp_servers: [{ type: 'url', url: REMOTE, name: 'x' }],
      container: { id: 'c', skills: [] },
      service_tier: 'auto',
      speed: 'fast',
      inference_geo: 'us',
      metadata: { user_id: 'someone' },
      context_management: { edits: [] },
      compaction: { type: 'manual' },
      fallbacks: 'default',
      thread: { type: 'create' },
      safeguards: [],
      cache_control: { type: 'ephemeral', ttl: '1h' },
      betas: ['files-api-2025-04-14'],
      anthropic_beta: ['x'],
      anthropic_version: 'x',
      requests: [{ custom_id: 'a', params: {} }],
      store: true,
      background: true,
      max_tokens_to_sample: 5,
      prompt: 'x',
      task_budget: {},
      extra: 1,
    };
    for (const [field, value] of Object.entries(fields)) {
      expect(refused('llm_field_refused', { [field]: value })).toContain(`"${field}"`);
    }
  });

  it('is refused for a beta that is more than form', () => {
    for (const beta of [
      'files-api-2025-04-14',
      'code-execution-2025-08-25',
      'mcp-client-2025-04-04',
      'computer-use-2025-11-24',
      'context-1m-2025-08-07',
      'fast-mode-2026-02-01',
      'structured-outputs-2025-11-13, skills-2025-10-02',
      'server-side-fallback-2026-07-01',
      'unheard-of',
    ]) {
      expect(refused('llm_field_refused', {}, { 'anthropic-beta': beta })).toContain('the beta');
    }
  });

  it('is refused when its tools are not the tools of this turn', () => {
    const ours = { name: 'workspace_list', input_schema: {} };
    for (const tool of [
      { type: 'web_search_20250305', name: 'web_search' },
      { type: 'web_search_20250305', name: 'workspace_list' },
      { type: 'web_fetch_20250910', name: 'web_fetch' },
      { type: 'code_execution_20250825', name: 'code_execution' },
      { type: 'bash_20250124', name: 'bash' },
      { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' },
      { type: 'computer_20250124', name: 'computer', display_width_px: 1, display_height_px: 1 },
      { type: 'memory_20250818', name: 'memory' },
      { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' },
      { type: 'mcp_toolset', mcp_server_name: 'x' },
      { name: 'shell' },
      { ...ours, allowed_callers: ['code_execution_20250825'] },
      { ...ours, defer_loading: true },
      { ...ours, cache_control: { type: 'ephemeral' } },
      { ...ours, url: REMOTE },
      { type: ['custom'], name: 'workspace_list' },
      { type: null, name: 'workspace_list' },
      'workspace_list',
      null,
    ]) {
      refused('llm_tool_refused', { tools: [tool] });
    }
    refused('llm_tool_refused', { tools: { 0: ours } });
    refused('llm_tool_refused', { tools: [ours, ours] });
    refused('llm_tool_refused', { tools: [ours], tool_choice: { type: 'tool', name: 'workspace_read' } });
    refused('llm_tool_refused', { tool_choice: { type: 'web_search' } });
    refused('llm_tool_refused', { tool_choice: 'auto' });
  });

  it('is refused when content is anything but text, calls and their results', () => {
    const inUser: unknown[] = [
      { type: 'image', source: { type: 'url', url: REMOTE } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
      { type: 'image', source: { type: 'file', file_id: 'f' } },
      { type: 'document', source: { type: 'url', url: REMOTE } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } },
      { type: 'container_upload', file_id: 'f' },
      { type: 'search_result', source: REMOTE, title: 'x', content: [] },
      { type: 'web_search_tool_result', tool_use_id: 'x', content: [] },
      { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'x', citations: [] },
      {
        type: 'tool_result',
        tool_use_id: 'x',
        content: [{ type: 'image', source: { type: 'url', url: REMOTE } }],
      },
      { type: 'tool_result', tool_use_id: 'x', content: [{ type: 'tool_reference', tool_name: 'y' }] },
      { type: 'tool_use', id: 'x', name: 'workspace_list', input: {} },
      7,
    ];
    for (const block of inUser) {
      refused('llm_content_refused', { messages: [{ role: 'user', content: [block] }] });
    }
    const inAssistant: unknown[] = [
      { type: 'redacted_thinking', data: 'x' },
      { type: 'server_tool_use', id: 'x', name: 'web_search', input: {} },
      { type: 'mcp_tool_use', id: 'x', name: 'y', server_name: 'z', input: {} },
      { type: 'thinking', thinking: 'x' },
      { type: 'thinking', thinking: 'x', signature: 's'.repeat(200) },
      { type: 'tool_use', id: 'x', name: 'workspace_list', input: 'text' },
      { type: 'tool_use', id: 'x', name: 'workspace_list', input: {}, caller: { type: 'code_execution' } },
      { type: 'fallback', from: {}, to: {} },
      { type: 'compaction', content: 'x' },
    ];
    for (const block of inAssistant) {
      refused('llm_content_refused', { messages: [{ role: 'assistant', content: [block] }] });
    }
    refused('llm_content_refused', { messages: [{ role: 'system', content: 'x' }] });
    refused('llm_content_refused', { messages: [{ role: 'user', content: 'x', name: 'y' }] });
    refused('llm_content_refused', { messages: [] });
    refused('llm_content_refused', { system: [{ type: 'image', source: { type: 'url', url: REMOTE } }] });
  });

  it('is refused for another model, without streaming, without a limit, and for strange values', () => {
    refused('llm_model_refused', { model: 'claude-opus-4-1' });
    refused('llm_model_refused', { model: ['claude-sonnet-4-5'] });
    refused('llm_stream_required', { stream: false });
    refused('llm_body_invalid', { max_tokens: undefined });
    refused('llm_body_invalid', { max_tokens: 1e12 });
    refused('llm_body_invalid', { temperature: 2 });
    refused('llm_body_invalid', { thinking: { type: 'enabled', budget_tokens: 1 } });
    refused('llm_body_invalid', { thinking: { type: 'adaptive', block_binding: {} } });
    refused('llm_body_invalid', {
      output_config: { effort: 'low', task_budget: { type: 'tokens', total: 1 } },
    });
    refused('llm_body_invalid', { output_config: { format: { type: 'json_schema', schema: {} } } });
  });

  it('is refused when it is deep, no JSON or no object', () => {
    for (const text of [
      '{',
      '[]',
      '7',
      `{"system":${'['.repeat(50)}${']'.repeat(50)}}`,
      '{"__proto__":{}}',
    ]) {
      expect(checkRequest(text, new Headers(), CONTEXT)).toMatchObject({
        ok: false,
        code: 'llm_body_invalid',
      });
    }
  });
});

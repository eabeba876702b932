/** What an engine under somebody else's control may try, and what a hostile upstream may answer to reach the engine. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RIG_SECRET, startModelRig, type ModelRig } from '../../../test/fakes/model-rig.ts';

let rig: ModelRig;

beforeEach(async () => {
  rig = await startModelRig();
});
afterEach(() => rig.close());

async function refusedWith(code: string, fields: Record<string, unknown>): Promise<void> {
  const seen = await rig.ask(fields);
  expect(seen, JSON.stringify(fields)).toMatchObject({ status: 403, error: { code } });
  expect(rig.turn.refusals.at(-1)?.code).toBe(code);
  expect(rig.turn.refusals.at(-1)?.message).toMatch(/^The engine asked for something that is not allowed/);
  expect(rig.auditRows('llm.refused').at(-1)?.details['code']).toBe(code);
  expect(rig.model.requests).toHaveLength(0);
  expect(rig.turn.log).not.toContain('beginStep');
}

const user = (content: unknown): unknown => ({ messages: [{ role: 'user', content }] });

describe('a request that would do more than ask this model', () => {
  it('is refused for every top-level field that is not on the list', async () => {
    const fields = {
      store: true,
      metadata: { a: 'b' },
      web_search_options: {},
      plugins: [{ id: 'web' }],
      provider: { order: ['x'] },
      user: 'someone',
      modalities: ['audio'],
      audio: {},
      prediction: {},
      service_tier: 'flex',
      background: true,
      models: ['other'],
      route: 'fallback',
      transforms: [],
      n: 2,
      logit_bias: {},
      functions: [],
      mcp_servers: [],
      extra_body: {},
      previous_response_id: 'x',
    };
    for (const [field, value] of Object.entries(fields)) {
      await refusedWith('llm_field_refused', { [field]: value });
    }
    expect(rig.turn.refusals.at(-1)?.message).toContain('"previous_response_id"');
  });

  it('is refused when its tools are not the function tools of this turn', async () => {
    const tools: unknown[] = [
      { type: 'web_search' },
      { type: 'web_search_preview' },
      { type: 'code_interpreter', container: { type: 'auto' } },
      { type: 'mcp', server_label: 'x', server_url: 'https://evil.example' },
      { type: 'file_search', vector_store_ids: [] },
      { type: 'openrouter:web_search' },
      { type: 'function', function: { name: 'shell' } },
      { type: 'function', function: { name: 'workspace_read', server_url: 'https://evil.example' } },
      { type: 'function', function: { name: 'workspace_read' }, url: 'https://evil.example' },
      { type: 'function', name: 'workspace_read' },
      { type: ['function'] },
      'workspace_read',
      null,
    ];
    for (const tool of tools) await refusedWith('llm_tool_refused', { tools: [tool] });
    await refusedWith('llm_tool_refused', { tools: { 0: tools[0] } });
    const ours = { type: 'function', function: { name: 'workspace_read' } };
    await refusedWith('llm_tool_refused', { tools: [ours, ours] });
    await refusedWith('llm_tool_refused', { tool_choice: { type: 'web_search' } });
    await refusedWith('llm_tool_refused', {
      tools: [ours],
      tool_choice: { type: 'function', function: { name: 'workspace_list' } },
    });
  });

  it('is refused when a message holds anything but text and calls', async () => {
    const remote = 'https://evil.example/?q=secret';
    const contents: unknown[] = [
      [{ type: 'image_url', image_url: { url: remote } }],
      [{ type: 'file', file: { file_id: 'f' } }],
      [{ type: 'file', file: { file_data: remote } }],
      [{ type: 'input_audio', input_audio: {} }],
      [{ type: 'video_url', video_url: { url: remote } }],
      [{ type: 'text', text: 'x', image_url: { url: remote } }],
      [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }],
      { type: 'text', text: 'x' },
      7,
    ];
    for (const content of contents) await refusedWith('llm_content_refused', user(content) as never);
    const messages: unknown[] = [
      { role: 'developer', content: 'x' },
      { role: 'function', name: 'x', content: 'x' },
      { role: 'user', content: 'x', name: 'y' },
      { role: 'user', content: 'x', __proto__x: 1 },
      { role: 'assistant', content: 'x', audio: { id: 'a' } },
      { role: 'assistant', content: 'x', function_call: { name: 'a', arguments: '' } },
      { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'custom', custom: {} }] },
      { role: 'tool', tool_call_id: 'c1', content: [{ type: 'image_url', image_url: { url: remote } }] },
    ];
    for (const message of messages) await refusedWith('llm_content_refused', { messages: [message] });
    await refusedWith('llm_content_refused', {
      messages: [{ role: 'tool', tool_call_id: 'no such', content: 'x' }],
    });
    await refusedWith('llm_content_refused', { messages: [] });
  });

  it('is refused for another model, without streaming, and for strange values', async () => {
    await refusedWith('llm_model_refused', { model: 'gpt-4o:online' });
    await refusedWith('llm_model_refused', { model: ['fake-model'] });
    await refusedWith('llm_stream_required', { stream: false });
    await refusedWith('llm_body_invalid', { temperature: 'hot' });
    await refusedWith('llm_body_invalid', { max_tokens: 1e12 });
    await refusedWith('llm_body_invalid', { reasoning_effort: 'boundless' });
    await refusedWith('llm_body_invalid', {
      response_format: { type: 'json_schema', json_schema: { schema: {} } },
    });
    await refusedWith('llm_body_invalid', { stream_options: { include_usage: true, more: 1 } });
  });
});

describe('a body that is made to break the reader', () => {
  const send = async (body: string): Promise<{ status: number; code: string }> => {
    const headers = { authorization: `Bearer ${rig.turn.capability}` };
    const response = await rig.raw({ headers, body });
    const { error } = (await response.json()) as { error: { code: string } };
    return { status: response.status, code: error.code };
  };

  it('is refused when it is larger than 8 MiB', async () => {
    const seen = await rig.ask(user('x'.repeat(9 * 1024 * 1024)) as never);
    expect(seen).toMatchObject({ status: 403, error: { code: 'llm_body_refused' } });
    expect(rig.model.requests).toHaveLength(0);
  });

  it('is refused when it is deep, no JSON, no object, or no UTF-8', async () => {
    const deep = `{"model":"fake-model","stream":true,"messages":${'['.repeat(100_000)}`;
    expect(await send(deep)).toEqual({ status: 403, code: 'llm_body_invalid' });
    expect(await send('{"a":')).toEqual({ status: 403, code: 'llm_body_invalid' });
    expect(await send('[]')).toEqual({ status: 403, code: 'llm_body_invalid' });
    expect(await send('')).toEqual({ status: 403, code: 'llm_body_invalid' });
    const response = await rig.raw({
      headers: { authorization: `Bearer ${rig.turn.capability}` },
      body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
    });
    expect(((await response.json()) as { error: { code: string } }).error.code).toBe('llm_body_refused');
  });

  it('is refused when it names __proto__, at any depth', async () => {
    const start = '{"model":"fake-model","stream":true,"messages":[{"role":"user","content":"x"}]';
    expect((await send(`${start},"__proto__":{"store":true}}`)).code).toBe('llm_body_invalid');
    expect((await send(`${start},"stop":{"constructor":{"prototype":{}}}}`)).code).toBe('llm_body_invalid');
    const inside =
      '{"model":"fake-model","stream":true,"messages":[{"role":"user","content":"x","__proto__":{}}]}';
    expect((await send(inside)).code).toBe('llm_body_invalid');
    expect(({} as { store?: unknown }).store).toBeUndefined();
  });

  it('means upstream what was checked when a key is given twice', async () => {
    const body =
      '{"model":"other","model":"fake-model","stream":true,"messages":[{"role":"user","content":[{"type":"image_url"}]}],"messages":[{"role":"user","content":"the last one"}]}';
    const headers = { authorization: `Bearer ${rig.turn.capability}` };
    expect((await rig.raw({ headers, body })).status).toBe(200);
    expect(rig.model.requests[0]?.text).not.toContain('image_url');
    expect(rig.model.requests[0]?.body).toMatchObject({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'the last one' }],
    });
  });
});

describe('who may ask', () => {
  it('is nobody without the capability of a running turn', async () => {
    const good = { model: 'fake-model', stream: true, messages: [{ role: 'user', content: 'x' }] };
    const attempts: Record<string, string>[] = [
      {},
      { authorization: 'Bearer ' },
      { authorization: 'Bearer capability-of-another-turn' },
      { authorization: `Basic ${rig.turn.capability}` },
      { authorization: `Bearer ${rig.turn.capability} x` },
      { 'x-api-key': rig.turn.capability },
    ];
    for (const headers of attempts) {
      const response = await rig.raw({ headers, body: JSON.stringify(good) });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ error: { code: 'llm_capability_refused' } });
    }
    expect(rig.model.requests).toHaveLength(0);
    expect(rig.auditRows('llm.refused')).toHaveLength(attempts.length);
  });

  it('reaches no other path and no other method', async () => {
    const headers = { authorization: `Bearer ${rig.turn.capability}` };
    const paths = [
      '/v1/responses',
      '/v1/models',
      '/v1/files',
      '/v1/chat/completions/',
      '/v1//chat/completions',
      '/v1/chat/completions?x=1',
      '/v1/chat/%63ompletions',
      '/v1/chat/completions/../embeddings',
    ];
    for (const path of paths) expect((await rig.raw({ headers, body: '{}' }, path)).status, path).toBe(403);
    expect((await rig.raw({ headers, method: 'GET' })).status).toBe(403);
    expect((await rig.raw({ headers, method: 'PUT', body: '{}' })).status).toBe(403);
    expect(rig.model.requests).toHaveLength(0);
    expect(rig.model.others).toHaveLength(0);
  });

  it('can not fill the audit log with refusals', async () => {
    for (let i = 0; i < 100; i += 1) await rig.raw({ body: '{}' });
    expect(rig.auditRows('llm.refused').length).toBeLessThanOrEqual(30);
  });
});

describe('a secret', () => {
  it('does not leave in a prompt, wherever it stands', async () => {
    await rig.ask({
      messages: [
        { role: 'system', content: `the token is ${RIG_SECRET}` },
        { role: 'user', content: [{ type: 'text', text: `again: ${RIG_SECRET}` }] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            {
              id: 'a',
              type: 'function',
              function: { name: 'workspace_write', arguments: JSON.stringify({ content: RIG_SECRET }) },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'a', content: `done ${RIG_SECRET}` },
      ],
      stop: [RIG_SECRET],
    });
    const [request] = rig.model.requests;
    expect(request?.text).not.toContain(RIG_SECRET);
    expect(request?.text.match(/\[REDACTED:TOKEN\]/g)).toHaveLength(5);
    expect(rig.auditRows('llm.call').at(-1)?.details['hidden_in_prompt']).toEqual({ TOKEN: 5 });
  });

  it('does not come back in an answer, split over chunks, in thinking, or in arguments', async () => {
    const pieces = RIG_SECRET.split('');
    rig.model.next({
      thinking: ['I recall ', ...pieces],
      text: ['It is ', ...pieces, ', as you know.'],
      calls: [
        { name: 'workspace_write', arguments: { path: 'x', [RIG_SECRET]: RIG_SECRET } },
        { name: 'workspace_write', arguments: `not json ${RIG_SECRET}` },
      ],
    });
    const seen = await rig.ask();
    expect(seen.text).toBe('It is [REDACTED:TOKEN], as you know.');
    expect(seen.thinking).toBe('I recall [REDACTED:TOKEN]');
    expect(JSON.stringify([seen, rig.turn.texts, rig.turn.ended, rig.turn.calls])).not.toContain(RIG_SECRET);
    for (const { text } of rig.turn.texts) expect(text.includes(RIG_SECRET.slice(0, 8))).toBe(false);
    expect(rig.auditRows('llm.call').at(-1)?.details['hidden_in_answer']).toEqual({ TOKEN: 5 });
  });

  it('does not come back through an error message of the upstream', async () => {
    rig.model.next({
      status: 400,
      body: JSON.stringify({ error: { message: `bad ${RIG_SECRET}\u202e\n[31m` } }),
    });
    const seen = await rig.ask();
    expect(seen.error?.message).toContain('It said: "bad [REDACTED:TOKEN] [31m"');
  });
});

describe('a hostile answer', () => {
  it('gives calls with one meaning: duplicate keys are resolved, __proto__ is unreadable', async () => {
    rig.model.next({
      calls: [
        { name: 'workspace_read', arguments: '{"path":"a","path":"b"}' },
        { name: 'workspace_read', arguments: '{"__proto__":{"path":"x"}}' },
        { name: 'workspace_read', arguments: '["a"]' },
        { name: 'workspace_read', arguments: `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}` },
        { name: '../../evil name\n', arguments: '{}' },
      ],
    });
    const seen = await rig.ask();
    expect(seen.calls[0]?.arguments).toBe('{"path":"b"}');
    const [recorded] = rig.turn.calls;
    expect(recorded?.calls.map((call) => call.arguments)).toEqual([
      { path: 'b' },
      undefined,
      undefined,
      undefined,
      {},
    ]);
    expect(recorded?.calls[4]?.name).toBe('______evil_name_');
  });

  it('passes no byte of the upstream through: foreign fields and events are gone', async () => {
    rig.model.next({
      raw: [
        'event: evil\nid: 1\nretry: 1\n',
        'data: {"evil":"field","choices":[{"index":0,"delta":{"content":"fine","evil":1,"role":"system"}}]}\n\n',
        'data: {"choices":[{"index":1,"delta":{"content":"second choice"}}]}\n\n',
        'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
        'data: {"choices":[{"index":0,"delta":{"content":"after the end"}}]}\n\n',
      ],
    });
    const headers = { authorization: `Bearer ${rig.turn.capability}` };
    const body = JSON.stringify({
      model: 'fake-model',
      stream: true,
      messages: [{ role: 'user', content: 'x' }],
    });
    const text = await (await rig.raw({ headers, body })).text();
    expect(text).toContain('"content":"fine"');
    for (const word of ['evil', 'second choice', 'after the end', 'system', 'retry'])
      expect(text).not.toContain(word);
  });
});

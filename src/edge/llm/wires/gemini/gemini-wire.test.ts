import { describe, expect, it } from 'vitest';
import { startGeminiServer } from '../../../../../test/fakes/gemini-server.ts';
import { RIG_KEY, RIG_SECRET } from '../../../../../test/fakes/model-rig.ts';
import { plainRedactor } from '../../../../../test/fakes/plain-redactor.ts';
import { wireBench } from '../../../../../test/fakes/wire-bench.ts';
import { startWireRig } from '../../../../../test/fakes/wire-rig.ts';
import type { WireServer } from '../../../../../test/fakes/wire-server.ts';
import { createGeminiWire } from './index.ts';

const MODEL = 'gemini-2.5-flash';
const PATH = `/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`;
const LIST = { name: 'workspace_list', arguments: { path: 'a' } };

const bench = wireBench({
  server: () => startGeminiServer({ apiKey: RIG_KEY }),
  wire: createGeminiWire,
  model: MODEL,
});

describe("a turn with the provider's own client", () => {
  it('runs calls with the ids of the gateway, and gives signatures back where they were', async () => {
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
    const [first, , third] = bench.server.requests;
    expect(first?.path).toBe(PATH);
    expect(first?.headers['x-goog-api-key']).toBe(RIG_KEY);
    expect(first?.headers['authorization']).toBeUndefined();
    expect(first?.body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'list' }] }],
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      generationConfig: { thinkingConfig: { includeThoughts: true } },
      tools: [
        {
          functionDeclarations: [
            {
              name: 'workspace_list',
              description: 'Our own words on workspace_list.',
              parametersJsonSchema: { type: 'object', properties: { path: { type: 'string' } } },
            },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    });
    // The server checks that the first call of each answer of this turn carries its signature.
    expect(third?.body.contents[1].parts).toEqual([
      { text: 'Let me look.', thought: true },
      { text: 'Looking. ' },
      {
        functionCall: { id: 'c00010000', name: 'workspace_list', args: { path: 'a' } },
        thoughtSignature: 'CpcBAdHtim91==',
      },
      { functionCall: { id: 'c00010001', name: 'workspace_list', args: { path: 'a' } } },
    ]);
    // Thoughts are counted beside the answer, and are paid as such.
    expect(bench.rig.turn.steps.map(({ end }) => end.usage)).toEqual(
      Array.from({ length: 3 }, () => ({ input: 40, output: 30, cached: 8 })),
    );
  });

  it('never shows the engine a signature', async () => {
    bench.server.next({ thinking: 'hm', calls: [LIST] });
    const contents = [{ role: 'user', parts: [{ text: 'list' }] }];
    const tools = [{ functionDeclarations: [{ name: 'workspace_list' }] }];
    const headers = { authorization: `Bearer ${bench.rig.turn.capability}` };
    const response = await bench.rig.raw({ headers, body: JSON.stringify({ contents, tools }) }, PATH);
    const text = await response.text();
    expect(text).toContain('"thoughtSignature":"seal0001"');
    expect(text).not.toContain('CpcBAdHtim9');
  });

  it('drops a signature that the engine made up, or that does not fit its calls', async () => {
    bench.server.next({ calls: [LIST] }, { text: 'ok' });
    await bench.rig.think();
    const call = { functionCall: { name: 'workspace_list', args: {} } };
    const answer = { functionResponse: { name: 'workspace_list', response: { content: 'x' } } };
    const ask = (...parts: object[]): object => ({
      contents: [
        { role: 'user', parts: [{ text: 'hi' }] },
        { role: 'model', parts },
        { role: 'user', parts: [...parts.map(() => answer), { text: 'go on' }] },
      ],
    });
    await bench.rig.refused(ask({ ...call, thoughtSignature: 'CpcBAdHtim9forged' }));
    await bench.rig.refused(ask({ ...call, thoughtSignature: 'seal0001' }, call));
    await bench.rig.refused(ask({ ...call, thoughtSignature: 'seal0001' }));
    const sent = bench.server.requests
      .slice(2)
      .map(({ body }) => JSON.stringify(body).includes('thoughtSignature'));
    expect(sent).toEqual([false, false, true]);
  });

  it('says of calls that nobody signed that they are not, to models that want signatures', () => {
    const parts = [
      { text: 'Looking.' },
      { functionCall: { name: 'workspace_list', args: {} } },
      { functionCall: { name: 'workspace_list', args: {} } },
    ];
    const answer = { functionResponse: { name: 'workspace_list', response: { content: 'x' } } };
    const contents = [
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'model', parts },
      { role: 'user', parts: [answer, answer] },
    ];
    const signaturesFor = (model: string): unknown => {
      const checked = createGeminiWire().check(JSON.stringify({ contents }), new Headers(), {
        model,
        tools: [],
        maxDepth: 32,
      });
      const sent = checked.ok
        ? checked.outbound({ tools: [], maxOutput: 100, redactor: plainRedactor, sealed: () => undefined })
        : checked;
      if (!sent.ok) throw new Error(sent.message);
      const body = JSON.parse(sent.body) as { contents: { parts: { thoughtSignature?: string }[] }[] };
      return body.contents[1]?.parts.map(({ thoughtSignature }) => thoughtSignature);
    };
    const marked = [undefined, 'skip_thought_signature_validator', undefined];
    expect(signaturesFor('gemini-3-pro-preview')).toEqual(marked);
    expect(signaturesFor('models/gemini-3.5-flash')).toEqual(marked);
    expect(signaturesFor('gemini-2.5-flash')).toEqual([undefined, undefined, undefined]);
  });

  it('sends no known secret, also not in what was signed', async () => {
    bench.server.next({ text: `The token is ${RIG_SECRET}`, calls: [LIST] }, { text: 'Done.' });
    const heard = await bench.rig.think();
    // Without its signature the provider does not take the call: nothing passes by the redactor to please it.
    expect(heard).toMatchObject({ text: 'The token is [REDACTED:TOKEN]', errors: ['llm_request_rejected'] });
    expect(JSON.stringify(bench.server.requests[1]?.body)).not.toContain(RIG_SECRET);
  });
});

describe('what goes wrong with the provider', () => {
  const candidate = (fields: object): object => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [] }, ...fields }],
  });
  const words = candidate({ content: { role: 'model', parts: [{ text: 'half ' }] } });
  const part = (fields: object): object =>
    candidate({ content: { role: 'model', parts: [fields] }, finishReason: 'STOP' });
  const failure = (code: number, status: string, message = 'no'): object => ({
    error: { code, status, message },
  });

  it.each<[code: string, answer: Parameters<WireServer['next']>[0]]>([
    ['llm_rate_limited', { status: 429, body: failure(429, 'RESOURCE_EXHAUSTED') }],
    ['llm_model_missing', { status: 404, body: [failure(404, 'NOT_FOUND')] }],
    ['llm_unauthorized', { status: 403, body: failure(403, 'PERMISSION_DENIED') }],
    ['llm_upstream_failing', { status: 503, body: failure(503, 'UNAVAILABLE') }],
    [
      'llm_context_too_long',
      {
        status: 400,
        body: failure(
          400,
          'INVALID_ARGUMENT',
          'The input token count (9) exceeds the maximum number of tokens allowed (8).',
        ),
      },
    ],
    ['llm_request_rejected', { status: 400, body: failure(400, 'INVALID_ARGUMENT', 'Unknown name') }],
    ['llm_upstream_failing', { events: [words, failure(500, 'INTERNAL')] }],
    ['llm_rate_limited', { events: [{ error: { status: 'RESOURCE_EXHAUSTED', message: 'slow' } }] }],
    [
      'llm_filtered',
      { events: [{ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4 } }] },
    ],
    ['llm_filtered', { events: [candidate({ finishReason: 'SAFETY' })] }],
    ['llm_filtered', { events: [candidate({ finishReason: 'RECITATION' })] }],
    ['llm_filtered', { events: [candidate({ finishReason: 'PROHIBITED_CONTENT' })] }],
    [
      'llm_bad_call',
      { events: [words, candidate({ finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'print(x)' })] },
    ],
    ['llm_bad_call', { events: [candidate({ finishReason: 'UNEXPECTED_TOOL_CALL' })] }],
    ['llm_upstream_failing', { events: [words, candidate({ finishReason: 'OTHER' })] }],
    ['llm_upstream_failing', { events: [words, candidate({ finishReason: 'A_NEW_ONE' })] }],
    ['llm_no_finish', { events: [words] }],
    ['llm_cut', { events: [words], cut: true }],
    ['llm_garbled', { events: [{ nothing: 'known' }] }],
    ['llm_empty_answer', { events: [candidate({ finishReason: 'STOP' })] }],
    ['llm_provider_acted', { events: [part({ executableCode: { language: 'PYTHON', code: 'x' } })] }],
    ['llm_provider_acted', { events: [part({ codeExecutionResult: { outcome: 'OUTCOME_OK' } })] }],
    ['llm_provider_acted', { events: [part({ toolCall: { toolType: 'GOOGLE_SEARCH', id: '1' } })] }],
    [
      'llm_provider_acted',
      { events: [candidate({ finishReason: 'STOP', groundingMetadata: { webSearchQueries: ['x'] } })] },
    ],
    [
      'llm_provider_acted',
      { events: [candidate({ finishReason: 'STOP', urlContextMetadata: { urlMetadata: [{}] } })] },
    ],
  ])('is told as %s', async (code, answer) => {
    bench.server.next(answer);
    expect(await bench.rig.think()).toMatchObject({ errors: [code], ran: [] });
    expect(bench.rig.turn.steps[0]?.end.outcome).toBe('failed');
  });

  it('is told as a wrong key where the provider calls it a bad request', async () => {
    const locked = await startGeminiServer({ apiKey: 'another' });
    const wrong = await startWireRig({ wire: createGeminiWire(), upstreamUrl: locked.url, model: MODEL });
    expect((await wrong.think()).errors).toEqual(['llm_unauthorized']);
    await wrong.close();
    await locked.close();
  });

  it('counts nothing of an answer that broke off: the worst case stands', async () => {
    const counted = { ...words, usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 1 } };
    bench.server.next({ events: [counted], cut: true });
    await bench.rig.think();
    expect(bench.rig.turn.steps[0]?.end.usage).toEqual({ input: null, output: null, cached: null });
  });

  it('notes an answer that was cut at its limit, and runs no call of such a one', async () => {
    bench.server.next({ events: [words, candidate({ finishReason: 'MAX_TOKENS' })] });
    expect(await bench.rig.think()).toMatchObject({ text: 'half ', errors: [], finish: 'length' });
    expect(bench.rig.turn.steps[0]?.end.note?.code).toBe('llm_length');
    const call = { functionCall: { name: 'workspace_list', args: {} } };
    bench.server.next({
      events: [
        candidate({ content: { role: 'model', parts: [call] } }),
        candidate({ finishReason: 'MAX_TOKENS' }),
      ],
    });
    expect(await bench.rig.think()).toMatchObject({ errors: ['llm_call_cut'], ran: [] });
  });
});

describe('a request of the engine', () => {
  const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];
  const good = { contents };
  const withPart = (part: object, role = 'user'): object => ({
    contents: [...contents, { role, parts: [part] }],
  });
  const declared = { functionDeclarations: [{ name: 'workspace_list' }] };

  it.each<[code: string, what: string, body: unknown]>([
    ['llm_field_refused', 'a cache at the provider', { ...good, cachedContent: 'cachedContents/1' }],
    ['llm_field_refused', 'labels', { ...good, labels: {} }],
    ['llm_field_refused', 'keeping', { ...good, store: true }],
    ['llm_field_refused', 'a service tier', { ...good, serviceTier: 'priority' }],
    ['llm_field_refused', 'another model in the body', { ...good, model: 'models/gemini-2.5-pro' }],
    ['llm_field_refused', 'tools by their other name', { ...good, tool_config: {} }],
    ...[
      'googleSearch',
      'googleSearchRetrieval',
      'enterpriseWebSearch',
      'codeExecution',
      'urlContext',
      'fileSearch',
      'googleMaps',
      'computerUse',
      'mcpServers',
      'retrieval',
      'google_search',
      'function_declarations',
    ].map((type): [string, string, unknown] => [
      'llm_tool_refused',
      `the tool ${type}`,
      { ...good, tools: [declared, { [type]: {} }] },
    ]),
    ['llm_tool_refused', 'a tool beside functions', { ...good, tools: [{ ...declared, urlContext: {} }] }],
    [
      'llm_tool_refused',
      'a tool of another turn',
      { ...good, tools: [{ functionDeclarations: [{ name: 'shell_exec' }] }] },
    ],
    ['llm_tool_refused', 'a tool twice', { ...good, tools: [declared, declared] }],
    [
      'llm_tool_refused',
      'a tool with more',
      { ...good, tools: [{ functionDeclarations: [{ name: 'workspace_list', behavior: 'NON_BLOCKING' }] }] },
    ],
    [
      'llm_tool_refused',
      'a demand for what is not offered',
      { ...good, toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['x'] } } },
    ],
    [
      'llm_tool_refused',
      'tools at the provider',
      { ...good, toolConfig: { includeServerSideToolInvocations: true } },
    ],
    ['llm_tool_refused', 'a place on the map', { ...good, toolConfig: { retrievalConfig: {} } }],
    [
      'llm_content_refused',
      'a file of the store',
      withPart({ fileData: { fileUri: 'https://x', mimeType: 'text/plain' } }),
    ],
    [
      'llm_content_refused',
      'a file of the store by its other name',
      withPart({ file_data: { file_uri: 'gs://x' } }),
    ],
    ['llm_content_refused', 'data', withPart({ inlineData: { mimeType: 'image/png', data: 'AA==' } })],
    ['llm_content_refused', 'code', withPart({ executableCode: { language: 'PYTHON', code: 'x' } }, 'model')],
    [
      'llm_content_refused',
      'a result of code',
      withPart({ codeExecutionResult: { outcome: 'OUTCOME_OK' } }, 'model'),
    ],
    [
      'llm_content_refused',
      'a tool at the provider',
      withPart({ toolCall: { toolType: 'x', id: '1' } }, 'model'),
    ],
    ['llm_content_refused', 'a part of a video', withPart({ text: 'x', videoMetadata: {} })],
    [
      'llm_content_refused',
      'a result with a file',
      withPart({ functionResponse: { name: 'workspace_list', response: {}, parts: [{ fileData: {} }] } }),
    ],
    [
      'llm_content_refused',
      'a result that goes on',
      withPart({ functionResponse: { name: 'workspace_list', response: {}, willContinue: true } }),
    ],
    [
      'llm_content_refused',
      'a call of the user',
      withPart({ functionCall: { name: 'workspace_list', args: {} } }),
    ],
    [
      'llm_content_refused',
      'a result without its call',
      withPart({ functionResponse: { name: 'workspace_list', response: {} } }),
    ],
    [
      'llm_content_refused',
      'a file as instruction',
      { ...good, systemInstruction: { parts: [{ fileData: {} }] } },
    ],
    [
      'llm_content_refused',
      'a long signature',
      withPart({ text: 'x', thoughtSignature: 'x'.repeat(513) }, 'model'),
    ],
    ['llm_body_invalid', 'speech', { ...good, generationConfig: { responseModalities: ['AUDIO'] } }],
    ['llm_body_invalid', 'several answers', { ...good, generationConfig: { candidateCount: 2 } }],
    ['llm_body_invalid', 'a schema for the answer', { ...good, generationConfig: { responseSchema: {} } }],
    ['llm_body_invalid', 'no JSON', '{"contents":'],
  ])('is refused as %s: %s', async (code, _what, body) => {
    expect(await bench.rig.refused(body)).toBe(code);
    expect(bench.server.requests).toEqual([]);
    expect(bench.rig.turn.refusals.map((refusal) => refusal.code)).toEqual([code]);
    expect(bench.rig.auditRows('llm.refused')).toHaveLength(1);
  });

  it('is refused on every other path: another model, another act, a key in the address', async () => {
    for (const path of [
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      `/v1beta/models/${MODEL}:generateContent`,
      `/v1beta/models/${MODEL}:batchGenerateContent`,
      `/v1beta/models/${MODEL}:streamGenerateContent`,
      `${PATH}&key=x`,
      '/v1beta/files',
      '/upload/v1beta/files',
      '/v1beta/cachedContents',
      '/v1beta/interactions',
      '/v1/responses',
    ]) {
      expect(await bench.rig.refused(good, path), path).toBe('llm_path_refused');
    }
  });

  it('may name filters, which are not passed on', async () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];
    expect(await bench.rig.refused({ ...good, safetySettings })).toBeUndefined();
    expect(bench.server.requests[0]?.body).toEqual(good);
  });
});

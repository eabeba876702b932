/** What an agent that was taken over tries on the native wires of OpenAI and Google. Each gives the status and code of its answer. */
import type { TurnFrame } from '../../src/agent/frames.ts';

type Ask = (path: string, body: unknown) => Promise<{ status: number; body: string }>;

const EVIL = 'http://evil.example/x';

async function told(asked: ReturnType<Ask>): Promise<string> {
  const { status, body } = await asked;
  return `${status} ${/"code":"([^"]+)"/.exec(body)?.[1] ?? ''}`;
}

export async function attackResponses(frame: TurnFrame, request: Ask): Promise<void> {
  const user = (content: unknown) => ({ role: 'user', content });
  const body = (more: object) => ({ model: frame.model, stream: true, input: [user('x')], ...more });
  const ask = (more: object, path = '/v1/responses') => told(request(path, body(more)));
  const tool = (type: string, more: object = {}) =>
    ask({ tools: [{ type, name: frame.tools[0]?.name, ...more }] });
  const item = (more: object) => ask({ input: [user('x'), more] });
  await ask({});
  const wire = {
    store: await ask({ store: true }),
    background: await ask({ background: true }),
    previous: await ask({ previous_response_id: 'resp_1' }),
    conversation: await ask({ conversation: 'conv_1' }),
    prompt: await ask({ prompt: { id: 'pmpt_1' } }),
    include: await ask({ include: ['file_search_call.results'] }),
    webSearch: await tool('web_search'),
    fileSearch: await tool('file_search', { vector_store_ids: ['vs_1'] }),
    codeInterpreter: await tool('code_interpreter', { container: { type: 'auto' } }),
    computer: await tool('computer_use_preview'),
    imageGeneration: await tool('image_generation'),
    remoteMcp: await tool('mcp', { server_url: EVIL }),
    shell: await tool('shell'),
    localShell: await tool('local_shell'),
    custom: await tool('custom'),
    foreignTool: await ask({ tools: [{ type: 'function', name: 'shell' }] }),
    file: await item(user([{ type: 'input_file', file_url: EVIL }])),
    storedFile: await item(user([{ type: 'input_file', file_id: 'file_1' }])),
    image: await item(user([{ type: 'input_image', image_url: EVIL }])),
    reference: await item({ type: 'item_reference', id: 'msg_1' }),
    otherModel: await ask({ model: 'gpt-expensive' }),
    unstreamed: await ask({ stream: false }),
    batches: await ask({}, '/v1/batches'),
    files: await ask({}, '/v1/files'),
    otherWire: await ask({}, '/v1/chat/completions'),
  };
  await ask({ input: [user(`REPORT ${JSON.stringify(wire)}`)] });
}

export async function attackGemini(frame: TurnFrame, request: Ask): Promise<void> {
  const models = '/v1beta/models/';
  const path = `${models}${frame.model}:streamGenerateContent?alt=sse`;
  const user = (part: object) => ({ role: 'user', parts: [part] });
  const body = (more: object) => ({ contents: [user({ text: 'x' })], ...more });
  const ask = (more: object, at = path) => told(request(at, body(more)));
  const tool = (name: string, more: object = {}) => ask({ tools: [{ [name]: more }] });
  const part = (more: object) => ask({ contents: [user(more)] });
  await ask({});
  const wire = {
    search: await tool('googleSearch'),
    olderSearch: await tool('googleSearchRetrieval'),
    codeExecution: await tool('codeExecution'),
    urlContext: await tool('urlContext'),
    fileSearch: await tool('fileSearch', { fileSearchStoreNames: ['x'] }),
    maps: await tool('googleMaps'),
    computer: await tool('computerUse'),
    remoteMcp: await tool('mcpServers', { url: EVIL }),
    foreignTool: await tool('functionDeclarations', [{ name: 'shell' }]),
    file: await part({ fileData: { fileUri: EVIL } }),
    video: await part({ text: 'x', videoMetadata: {} }),
    inline: await part({ inlineData: { mimeType: 'image/png', data: EVIL } }),
    code: await part({ executableCode: { language: 'PYTHON', code: 'x' } }),
    cache: await ask({ cachedContent: 'cachedContents/1' }),
    labels: await ask({ labels: {} }),
    speech: await ask({ generationConfig: { responseModalities: ['AUDIO'] } }),
    otherModel: await ask({}, `${models}gemini-expensive:streamGenerateContent?alt=sse`),
    keyInAddress: await ask({}, `${path}&key=x`),
    unstreamed: await ask({}, `${models}${frame.model}:generateContent`),
    batches: await ask({}, `${models}${frame.model}:batchGenerateContent`),
    files: await ask({}, '/upload/v1beta/files'),
    otherWire: await ask({}, '/v1/chat/completions'),
  };
  await ask({ contents: [user({ text: `REPORT ${JSON.stringify(wire)}` })] });
}

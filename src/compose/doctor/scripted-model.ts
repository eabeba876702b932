import { serveLoopback } from '../../host/net/loopback.ts';

/** What the model of the doctor says to one request. */
export interface ScriptedAnswer {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly arguments: unknown }[];
}

/** An OpenAI-compatible server that says what it is told to, so that the doctor decides what a hostile model would. */
export interface ScriptedModel {
  readonly baseUrl: string;
  /** The texts of the requests since the last `say`. */
  heard(): readonly string[];
  /** In order, one for each request; then `otherwise`. */
  say(answers: readonly ScriptedAnswer[], otherwise?: ScriptedAnswer): void;
  close(): Promise<void>;
}

const OK: ScriptedAnswer = { text: 'ok' };

export async function startScriptedModel(): Promise<ScriptedModel> {
  let answers: ScriptedAnswer[] = [];
  let last = OK;
  let requests: string[] = [];
  const server = await serveLoopback((method, path, body) => {
    if (method === 'GET') {
      return { status: 200, type: 'application/json', text: '{"object":"list","data":[{"id":"doctor"}]}' };
    }
    if (!path.endsWith('/chat/completions')) return { status: 404, type: 'text/plain', text: 'not found' };
    requests.push(body);
    return { status: 200, type: 'text/event-stream', text: streamOf(answers.shift() ?? last) };
  });
  return {
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    heard: () => requests,
    say(script, otherwise = OK) {
      answers = [...script];
      last = otherwise;
      requests = [];
    },
    close: () => server.close(),
  };
}

function streamOf({ text, calls = [] }: ScriptedAnswer): string {
  const chunk = (delta: unknown, finish: string | null): unknown => ({
    id: 'doctor',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'doctor',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const tools = calls.map((call, index) => ({
    index,
    id: `call_${index}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }));
  const events = [
    chunk({ role: 'assistant', content: text ?? '' }, null),
    ...(tools.length > 0 ? [chunk({ tool_calls: tools }, null)] : []),
    chunk({}, tools.length > 0 ? 'tool_calls' : 'stop'),
    {
      id: 'doctor',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'doctor',
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    },
  ];
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
}

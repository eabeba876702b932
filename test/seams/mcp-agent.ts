/**
 * An agent that posts to the tools what it is told to, byte for byte, over its pipes, and tells the model (a server of
 * ours) what came back. The last user message is a list of bodies as JSON; first it asks the model once, as agents do.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { FrameFromParent, TurnFrame } from '../../src/agent/frames.ts';

interface Answer {
  status: number;
  type: string;
  body: string;
}

const send = (frame: unknown): void => void writeSync(4, `${JSON.stringify(frame)}\n`);
const open = new Map<number, { readonly answer: Answer; readonly done: (answer: Answer) => void }>();
let last = 0;

function post(frame: TurnFrame, target: 'llm' | 'mcp', path: string, body: string): Promise<Answer> {
  last += 1;
  const req = last;
  return new Promise((done) => {
    open.set(req, { answer: { status: 0, type: '', body: '' }, done });
    const headers = {
      authorization: `Bearer ${frame.capability}`,
      'content-type': 'application/json',
      accept: 'application/json',
    };
    send({ t: 'request', turn: frame.turn, req, target, method: 'POST', path, headers, body });
  });
}

async function work(frame: TurnFrame): Promise<void> {
  last = 0;
  const ask = (content: string) =>
    post(
      frame,
      'llm',
      '/v1/chat/completions',
      JSON.stringify({
        model: frame.model,
        stream: true,
        messages: [{ role: 'user', content }],
        tools: frame.tools.map(({ name, description, schema }) => ({
          type: 'function',
          function: { name, description, parameters: schema },
        })),
      }),
    );
  const message = frame.history.at(-1);
  const bodies = JSON.parse(message?.role === 'user' ? message.text : '[]') as string[];
  await ask('begin');
  const answers: Answer[] = [];
  for (const body of bodies) answers.push(await post(frame, 'mcp', '/mcp', body));
  await ask(`REPORT ${JSON.stringify(answers)}`);
  send({ t: 'done', turn: frame.turn, outcome: { kind: 'finished' } });
}

createInterface({ input: new Socket({ fd: 3 }) }).on('line', (line) => {
  const frame = JSON.parse(line) as FrameFromParent;
  if (frame.t === 'turn') void work(frame);
  else if (frame.t === 'ping') send({ t: 'pong', n: frame.n });
  else if (frame.t === 'abort') process.exit(0);
  else {
    const entry = open.get(frame.req);
    if (!entry) return;
    if (frame.t === 'head') {
      entry.answer.status = frame.status;
      entry.answer.type = frame.headers['content-type'] ?? '';
    }
    if (frame.t === 'body') {
      entry.answer.body += frame.data;
      send({ t: 'ack', req: frame.req, n: frame.data.length });
    }
    if (frame.t === 'end' || frame.t === 'fail') entry.done(entry.answer);
  }
});
send({ t: 'ready' });

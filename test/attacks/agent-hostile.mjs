// An agent that was taken over: it speaks the frames of the built-in engine, and does what the turn's model name says.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, Socket } from 'node:net';

const input = new Socket({ fd: 3, readable: true, writable: false });
const output = new Socket({ fd: 4, readable: false, writable: true });
input.on('error', () => process.exit(0));
input.on('end', () => process.exit(0));
output.on('error', () => process.exit(0));

let pong = true;
let turn;
let before;
const answers = new Map();
const say = (frame) => output.write(`${JSON.stringify(frame)}\n`);
const done = (message = '') =>
  say({
    t: 'done',
    turn: turn.turn,
    outcome: { kind: 'failed', code: 'report', message: `report: ${message}` },
  });
const request = (given = {}) =>
  say({
    t: 'request',
    turn: turn.turn,
    req: 1,
    target: 'mcp',
    method: 'POST',
    path: '/mcp',
    headers: { authorization: `Bearer ${turn.capability}` },
    body: '{}',
    ...given,
  });
const answerTo = (req) => new Promise((resolve) => answers.set(req, resolve));
const flood = (text) => {
  const write = () => {
    while (output.write(text));
    output.once('drain', write);
  };
  write();
};

const bodies = new Map();
let last = 0;
const callTool = (id) => {
  last += 1;
  const req = last;
  request({
    req,
    headers: { authorization: `Bearer ${turn.capability}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'ping', arguments: {}, _meta: { 'openpact/call': id } },
    }),
  });
  return new Promise((resolve) => bodies.set(req, { text: '', resolve }));
};

const acts = {
  honest: () => say({ t: 'done', turn: turn.turn, outcome: { kind: 'finished' } }),
  silent: () => undefined,
  busy: () => {
    for (;;);
  },
  deaf: () => {
    pong = false;
  },
  exits: () => process.exit(3),
  'exits in a call': () => {
    request();
    setTimeout(() => process.exit(3), 50);
  },
  'exhausts its heap': () => {
    const hoard = [];
    for (;;) hoard.push({ a: [hoard.length] });
  },
  garbage: () => output.write('this is not a frame\n'),
  'a frame of no kind': () => say({ t: 'sudo' }),
  'a frame that is a list': () => output.write('[]\n'),
  'a bare newline': () => output.write('\n'),
  'a second ready': () => say({ t: 'ready' }),
  'a pong out of the blue': () => say({ t: 'pong', n: 99 }),
  'an endless line': () => flood('x'.repeat(65_536)),
  'a giant request': () => request({ body: 'x'.repeat(10 * 1024 * 1024) }),
  'a flood of frames': () => flood('{"t":"cancel","req":1}\n'.repeat(1000)),
  'a flood of acks': () => {
    request();
    flood('{"t":"ack","req":1,"n":0}\n'.repeat(1000));
  },
  'an ack for more than came': () => {
    request();
    say({ t: 'ack', req: 1, n: 1e9 });
  },
  "another turn's id": () => request({ turn: 'turn-of-another' }),
  'a third target': () => request({ target: 'admin' }),
  'a target from the prototype': () => request({ target: 'constructor' }),
  'a path that is an address': () => request({ path: '//evil.example/' }),
  'a path with a line break': () => request({ path: '/mcp\r\nx: y' }),
  'a header that is an object': () => request({ headers: { a: {} } }),
  'a request number again': () => {
    request();
    request();
  },
  'too many requests at once': () => {
    for (let req = 1; req < 20; req += 1) request({ req });
  },
  'too much at once': () => {
    for (let req = 1; req < 4; req += 1) request({ req, body: 'x'.repeat(5 * 1024 * 1024) });
  },
  "the end of another's turn": () =>
    say({ t: 'done', turn: 'turn-of-another', outcome: { kind: 'finished' } }),
  'an outcome of no kind': () => say({ t: 'done', turn: turn.turn, outcome: { kind: 'root' } }),
  'an end with a request open': () => {
    request();
    setTimeout(() => acts.honest(), 50);
  },
  'a request after its end': () => {
    acts.honest();
    setTimeout(() => request({ req: 1 }), 20);
  },
  'an ugly message': () =>
    say({
      t: 'done',
      turn: turn.turn,
      outcome: { kind: 'failed', code: 'X; DROP', message: `a\u001b[31m\u202e\nb${'c'.repeat(5000)}` },
    }),
  'the capability before': async () => {
    request({
      headers: { authorization: `Bearer ${before?.capability}`, cookie: 'a=b', 'x-forwarded-for': '1' },
    });
    const { status } = await answerTo(1);
    done(status);
  },
  'makes up calls': async () => {
    const heard = [];
    for (const id of ['c00010001', 'c99999999', '', 'constructor', undefined]) heard.push(await callTool(id));
    done(JSON.stringify(heard.map(({ result }) => result?.content[0].text)));
  },
  'repeats its call': async () => {
    const heard = await Promise.all([callTool('c00010000'), callTool('c00010000'), callTool('c00010000')]);
    done(JSON.stringify(heard.map(({ result }) => result?.content[0].text)));
  },
  'calls a thousand times': async () => {
    const codes = new Set();
    for (let i = 0; i < 1000; i += 1) codes.add((await callTool('c00010000')).error?.code ?? 'ok');
    done([...codes].join());
  },
  'reads no answer': () => request(),
  'stops reading its pipe': () => {
    request();
    setTimeout(() => input.pause(), 50);
  },
  'prints 100 MB': () => {
    const text = 'spam '.repeat(13_107);
    let left = 1600;
    const print = () => {
      if (left === 0) return acts.honest();
      left -= 1;
      process.stdout.write(text, print);
    };
    print();
  },
  // Line by line what its instructions say, then an honest end.
  'says what it is told': () => {
    for (const line of JSON.parse(turn.system)) output.write(`${line.replaceAll('$TURN', turn.turn)}\n`);
    acts.honest();
  },
  'looks around': () => {
    const tried = {
      fork: () => spawnSync(process.execPath, ['-e', '0']).error?.code ?? 'ran',
      'read the environment of its parent': () =>
        readFileSync(`/proc/${process.ppid}/environ`, 'utf8').length,
      'read its neighbours': () => readFileSync(turn.system, 'utf8').length,
      'read passwords': () => readFileSync('/etc/passwd', 'utf8').length,
      'write a file': () => writeFileSync('/tmp/agent-was-here', 'x'),
      'signal its parent': () => process.kill(process.ppid, 0),
      'have an environment': () => Object.keys(process.env).toSorted().join() || 'nothing',
    };
    const found = {};
    for (const [name, act] of Object.entries(tried)) {
      try {
        found[name] = act() ?? 'done';
      } catch (error) {
        found[name] = error.code;
      }
    }
    const socket = connect(9, '127.0.0.1');
    socket.on('error', (error) => done(JSON.stringify({ ...found, 'open a socket': error.code })));
    socket.on('connect', () => done('connected'));
  },
};

let rest = '';
input.setEncoding('utf8');
input.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  for (const line of lines) {
    const frame = JSON.parse(line);
    if (frame.t === 'ping' && pong) say({ t: 'pong', n: frame.n });
    if (frame.t === 'head') answers.get(frame.req)?.(frame);
    if (frame.t === 'body' && bodies.has(frame.req)) bodies.get(frame.req).text += frame.data;
    if (frame.t === 'end' && bodies.has(frame.req)) {
      const { text, resolve } = bodies.get(frame.req);
      bodies.delete(frame.req);
      resolve(text.startsWith('{') ? JSON.parse(text) : { text });
    }
    if (frame.t === 'turn') {
      last = 0;
      before = turn;
      turn = frame;
      acts[frame.model]();
    }
  }
});
say({ t: 'ready' });

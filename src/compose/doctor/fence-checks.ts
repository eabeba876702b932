// Guarantees: what is said of the fences was tried by a child that was started as the program starts its own, just now, with
// the trial's own secrets as its aim. A check that gives no answer counts as allowed.
import { join } from 'node:path';
import { isJsonObject, type Json } from '../../core/index.ts';
import { agentOrder } from '../../engine/adapters/builtin/agent-order.ts';
import { nodeFences, type LaunchOrder } from '../../host/process/index.ts';
import { serveLoopback } from '../../host/net/loopback.ts';
import type { Bench } from './bench.ts';
import { judged, notHere, type Check, type CheckGroup, type Finding } from './control.ts';

type Answers = Readonly<Record<string, unknown>>;

const answers = new WeakMap<Bench, Promise<{ readonly agent: Answers; readonly files: Answers }>>();

/** Both children are asked once, whoever wants to know. */
function tried(bench: Bench): Promise<{ readonly agent: Answers; readonly files: Answers }> {
  const known = answers.get(bench);
  if (known) return known;
  const started = tryAll(bench);
  answers.set(bench, started);
  return started;
}

async function tryAll(bench: Bench): Promise<{ readonly agent: Answers; readonly files: Answers }> {
  const { trial, paths, layout, users, isolation } = bench;
  trial.write('secure/fence/secret.txt', 'not for a child');
  const server = await serveLoopback(() => ({ status: 200, type: 'text/plain', text: '' }));
  const probe = join(layout.processAssets, 'probe.mjs');
  const scene = JSON.stringify({
    parentPid: process.pid,
    outsideFile: join(paths.secure, 'fence', 'secret.txt'),
    outsideFolder: join(paths.secure, 'fence'),
    tcpPort: server.port,
    unixPath: join(paths.data, 'none'),
    environment: [],
  });
  const agent = bench.parts.agentProgram(layout);
  const allowUnfenced = isolation.level < 2;
  const order = agentOrder(
    { program: { ...agent, script: probe, read: [probe] }, user: users?.ai, allowUnfenced },
    10_000,
  );
  const fileOrder: LaunchOrder = {
    program: process.execPath,
    args: ['--no-warnings', probe],
    env: {},
    fences: { ...nodeFences({ read: [probe], write: [paths.aiData] }), allowUnfenced },
    user: users?.system,
  };
  try {
    return {
      agent: await answersOf(bench, { ...order, readyFd: undefined, fds: [] }, scene),
      files: await answersOf(bench, fileOrder, scene),
    };
  } finally {
    await server.close();
  }
}

async function answersOf({ program }: Bench, order: LaunchOrder, scene: string): Promise<Answers> {
  const child = await program.inside.launcher.launch({
    ...order,
    args: [...order.args, scene],
    output: { lineBytes: 64 * 1024 },
  });
  const timer = setTimeout(() => void child.kill(), 10_000);
  await child.exited;
  clearTimeout(timer);
  const line = JSON.parse(child.stdout.tail().at(-1) ?? '{}') as Json;
  return isJsonObject(line) ? line : {};
}

const NOT_ENFORCED =
  'The fences do not hold: do not give this assistant anything that must stay private, and see docs/isolation.md.';

/** What a machine without fences can't do is no failure, unless the owner asks for more. */
async function fenced(
  bench: Bench,
  did: string,
  wanted: readonly (readonly [who: 'agent' | 'files', check: string])[],
): Promise<Finding> {
  const machine = await bench.machine;
  if (machine.level < 2) {
    const [first] = machine.missing;
    const how = `This machine has no fences (isolation level ${machine.level}). ${first?.what ?? ''}.`;
    const least = bench.wanted.security.minIsolation;
    if (machine.level < least)
      return { state: 'failed', how: `${how} security.min_isolation asks for ${least}.`, fix: first?.fix };
    return notHere(how, first?.fix);
  }
  const found = await tried(bench);
  return judged(
    did,
    wanted
      .filter(([who, name]) => found[who][name] !== 'refused')
      .map(([who, name]) => `${who === 'agent' ? 'the agent' : 'the file process'} was not refused: ${name}`),
    NOT_ENFORCED,
  );
}

const sandbox: Check = {
  ids: ['S-86', 'S-03'],
  title: 'sandbox of the agent',
  run: (bench) =>
    fenced(
      bench,
      'Started a child as the agent is started: it could open no file, process or socket of ours',
      [
        ['agent', 'read_outside'],
        ['agent', 'write_outside'],
        ['agent', 'parent_memory'],
        ['agent', 'signal_parent'],
        ['agent', 'spawn_process'],
        ['agent', 'tcp_connect'],
      ],
    ),
};

const secureFolder: Check = {
  ids: ['S-13'],
  title: 'secure/',
  run: (bench) =>
    fenced(bench, 'Let a child like the agent list, read and write in secure/: refused', [
      ['agent', 'list_outside'],
      ['agent', 'read_outside'],
      ['agent', 'truncate_outside'],
      ['agent', 'chmod_outside'],
    ]),
};

const behindTheChecks: Check = {
  ids: ['S-22'],
  title: 'fence of the file process',
  run: (bench) =>
    fenced(
      bench,
      'Let a child like the file process, without any check of ours, read and write in secure/: refused by the kernel',
      [
        ['files', 'read_outside'],
        ['files', 'list_outside'],
        ['files', 'write_outside'],
      ],
    ),
};

const network: Check = {
  ids: ['S-26'],
  title: 'network',
  run: (bench) =>
    fenced(
      bench,
      'Let both children connect, listen and send: refused',
      (['agent', 'files'] as const).flatMap((who) =>
        ['tcp_connect', 'tcp_listen', 'udp_socket'].map((name) => [who, name] as const),
      ),
    ),
};

const environments: Check = {
  ids: ['S-10', 'S-11'],
  title: 'environment of the agent',
  run: (bench) =>
    fenced(
      bench,
      'A child like the agent looked at its environment (empty) and at that of OpenPact (refused)',
      [
        ['agent', 'foreign_environment'],
        ['agent', 'parent_environ'],
      ],
    ),
};

const level: Check = {
  ids: ['isolation'],
  title: 'isolation level',
  run({ isolation, wanted }) {
    const least = wanted.security.minIsolation;
    const count = Object.values(isolation.checks).length;
    return judged(
      `Let real children try ${count} ways out: level ${isolation.level}`,
      [isolation.level < least && `security.min_isolation asks for ${least}`],
      isolation.missing[0]?.fix,
    );
  },
};

export const fenceChecks: CheckGroup = {
  name: 'Fences',
  checks: [level, sandbox, secureFolder, behindTheChecks, network, environments],
};

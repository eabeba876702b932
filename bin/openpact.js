#!/usr/bin/env node
// Guarantees: the product runs on a Node that it knows, with an environment of a few harmless names; the real one, with
// its secrets, goes over a pipe that is read once, and is wiped from this process, so that no /proc/PID/environ of ours
// shows it. Signals are passed on, the exit code comes back, and the product stops when this process is gone.
// Does not: wipe the environment of whatever started it (a shell, npm), nor hide anything from root or a debugger.
// Runs on Node 20 and newer, so it is plain JavaScript.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseProgram } from './choose-program.js';
import { cleanEnvironment, takeEnvironment } from './environment.js';
import { findNode } from './find-node.js';
import { isRoot, leaveRoot } from './leave-root.js';

// Fd 3 is the ipc channel. The product closes this one when it has read it.
const ENVIRONMENT_FD = 4;

const argv = process.argv.slice(2);

try {
  const starter = fileURLToPath(import.meta.url);
  const root = dirname(dirname(starter));
  const node = findNode();
  const choose = (environment) =>
    chooseProgram({ root, node, verb: argv, environment: cleanEnvironment(environment) });
  if (isRoot()) {
    // The environment stays for the one that takes our place.
    leaveRoot({ node, program: await choose(process.env), starter, argv });
  } else {
    const { environment, wiped } = takeEnvironment();
    run(node, await choose(environment), { environment, wiped });
  }
} catch (error) {
  if (!(error instanceof Error) || error.name !== 'StartError') throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function run(node, program, { environment, wiped }) {
  // Small young generations: an instance that idles all day should not hold 50 MB of garbage.
  const child = spawn(
    node,
    ['--max-semi-space-size=4', program, `--environment-fd=${ENVIRONMENT_FD}`, ...argv],
    { env: cleanEnvironment(environment), stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'] },
  );
  const pipe = child.stdio[ENVIRONMENT_FD];
  // A product that died before it read its environment tells why by itself; its exit ends us.
  pipe.on('error', () => pipe.destroy());
  pipe.end(JSON.stringify({ environment, wiped }));

  let asked = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      asked += 1;
      // The product ends by itself at the first, at once at the second. The third is for one that can't.
      child.kill(asked > 2 ? 'SIGKILL' : signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`OpenPact could not be started with ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

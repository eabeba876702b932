import { nodeFences } from '../../../host/process/node-fences.ts';
import type { LaunchOrder } from '../../../host/process/types.ts';
import type { BuiltinEngineDeps } from './options.ts';

const MIB = 1024 * 1024;
/** Of all agents of this machine together; one has about a dozen. */
const MOST_THREADS = 1024;

/** Small heaps: without these flags the process grows to some 280 MB over a few hundred turns. */
const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--max-old-space-size=96',
  '--disable-proto=delete',
  '--no-experimental-sqlite',
  '--no-warnings',
];

/** How the agent is started: no network, only the files of its own program, nothing in the environment. */
export function agentOrder(
  deps: Pick<BuiltinEngineDeps, 'program' | 'user' | 'allowUnfenced'>,
  startMs: number,
): LaunchOrder {
  const { program, user, allowUnfenced } = deps;
  return {
    program: program.node,
    args: [...NODE_FLAGS, program.script],
    env: {},
    fds: ['to-child', 'from-child'],
    fences: {
      ...nodeFences({ node: program.node, read: program.read }),
      ...(allowUnfenced === undefined ? {} : { allowUnfenced }),
    },
    // Heap, buffers and WASM together: Node alone needs some 600 MB of this.
    limits: {
      openFiles: 64,
      fileBytes: MIB,
      dataBytes: 1024 * MIB,
      // Threads count, of all processes of the user: only where the user is the agents' own.
      ...(user === undefined ? {} : { processes: MOST_THREADS }),
    },
    readyFd: 4,
    deadlineMs: startMs,
    ...(user === undefined ? {} : { user }),
  };
}

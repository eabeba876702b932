/** How the process of a script run is started. */
import { nodeFences, type Limits, type LaunchOrder, type UserIds } from '../../host/process/index.ts';
import { WORKER_FDS } from '../wire/index.ts';

export interface WorkerProgram {
  readonly node: string;
  /** Absolute. */
  readonly entry: string;
  /** Files and folders that it reads besides: none for the bundle. */
  readonly read: readonly string[];
}

export interface WorkerPlace {
  readonly program: WorkerProgram;
  readonly user?: UserIds | undefined;
  readonly allowUnfenced: boolean;
  readonly processLimits?: Limits | undefined;
}

const MIB = 1024 * 1024;

const NODE_FLAGS = [
  '--no-warnings',
  '--no-experimental-sqlite',
  '--permission',
  '--max-old-space-size=320',
  '--max-semi-space-size=4',
  '--wasm-max-mem-pages=160',
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
];

/** `timeMs` is the run's limit: processor time is bounded too, should the parent hang. */
export function workerOrder(place: WorkerPlace, timeMs: number): LaunchOrder {
  const { program, user, allowUnfenced, processLimits } = place;
  const read = [program.entry, ...program.read];
  return {
    program: program.node,
    args: [...NODE_FLAGS, ...read.flatMap(allowRead), program.entry],
    env: {},
    fds: ['to-child', 'from-child'],
    fences: { ...nodeFences({ node: program.node, read }), allowUnfenced },
    limits: {
      openFiles: 64,
      fileBytes: 0,
      // Heap, buffers and WASM together: Node alone needs some 600 MB of this.
      dataBytes: 1024 * MIB,
      // Threads of the same process count.
      cpuSeconds: 2 * Math.ceil(timeMs / 1000) + 5,
      ...processLimits,
    },
    readyFd: WORKER_FDS.out,
    // Nobody reads it: it may be the script's.
    output: { tailLines: 5, lineBytes: 500, bytesPerSecond: 4096 },
    ...(user === undefined ? {} : { user }),
  };
}

function allowRead(path: string): string[] {
  return /\.(?:mjs|ts|json)$/.test(path)
    ? [`--allow-fs-read=${path}`]
    : [`--allow-fs-read=${path}`, `--allow-fs-read=${path}/*`];
}

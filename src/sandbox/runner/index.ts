/** The trusted side of script runs: processes, limits, turns, and the talk with a process that is taken for hostile. */
export { createScriptRunner, type RunnerDeps } from './create-runner.ts';
export { digestOf } from './digest.ts';
export { RUN_LIMITS } from './limits.ts';
export type * from './types.ts';
export type { WorkerProgram } from './worker-order.ts';

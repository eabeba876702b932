export {
  describeIsolation,
  isolationChecks,
  isolationSentence,
  probeIsolation,
  type FenceState,
  type IsolationLevel,
  type IsolationReport,
  type ProbeDependencies,
} from './isolation.ts';
export { type CheckResult } from './isolation-probe.ts';
export { createLauncher, type LauncherDependencies } from './launch.ts';
export { nodeFences, type NodeFencesInput } from './node-fences.ts';
export type * from './types.ts';

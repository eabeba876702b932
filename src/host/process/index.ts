export {
  describeIsolation,
  isolationChecks,
  isolationSentence,
  probeIsolation,
  type IsolationReport,
} from './isolation.ts';
export { createLauncher } from './launch.ts';
export { nodeFences } from './node-fences.ts';
export type * from './types.ts';

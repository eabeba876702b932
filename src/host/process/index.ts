export { becomeSystem } from './become-system.ts';
export {
  describeIsolation,
  isolationChecks,
  isolationSentence,
  probeIsolation,
  type IsolationReport,
} from './isolation.ts';
export { createLauncher } from './launch.ts';
export { nodeFences } from './node-fences.ts';
export { createChildLedger, sweepStrays, type ChildLedger } from './strays.ts';
export { findUsers, heldCapabilities, usersOfChildren, type Users } from './users.ts';
export type * from './types.ts';

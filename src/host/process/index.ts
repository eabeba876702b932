export { createLauncher, type LauncherDependencies } from './launch.ts';
export type * from './types.ts';

export { describeConfig } from './describe.ts';
export { readSurroundings, type Surroundings } from './env.ts';
export { loadConfig, type LoadedConfig } from './load.ts';
export type * from './types.ts';

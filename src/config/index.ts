export { describeConfig } from './describe.ts';
export { withDotenv } from './dotenv.ts';
export { readSurroundings, type Surroundings } from './env.ts';
export { loadConfig, type LoadedConfig, type LoadOptions } from './load.ts';
export type * from './types.ts';
